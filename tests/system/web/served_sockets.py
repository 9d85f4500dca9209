"""The ASGI application that the tests serve by uvicorn: `served_sockets.py PORT KIND`, plain or with our protocol.

Below `/open` anybody may do anything. Below `/ops` the header `X-User` says who asks: `ann` may do everything to what
is hers, `bob` may only view that, others may view nothing of it, and who says nothing is sent to log in.
"""

import sys
from typing import cast

import uvicorn

from tailrace import RunInfo
from tailrace._asgi.blueprint import Verdict
from tailrace.asgi import Tailrace
from tailrace.core.access import Action
from tailrace.server.protocol import LendingProtocol
from tailrace.web.loop.sinks import Receive, Scope, Send


def user_of(scope: Scope) -> str | None:
    """Return who asks."""
    headers = dict(cast("list[tuple[bytes, bytes]]", scope["headers"]))
    return headers[b"x-user"].decode() if b"x-user" in headers else None


def may(scope: Scope, action: Action, run: RunInfo | None) -> Verdict:
    """Decide."""
    user = user_of(scope)
    if user is None:
        return login
    if run is None:
        return True
    return (user == "bob" and action == "view") or run.by == user


async def login(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send whoever asks to the login."""
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", b"/login")]})
    await send({"type": "http.response.body", "body": b""})


race = Tailrace(user=user_of)
APIS = {
    "/open": race.blueprint(open=True),
    "/ops": race.blueprint(authorize=may),
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer."""
    path = str(scope["path"])
    if path == "/ping":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"pong"})
        return
    root = "/" + path.split("/")[1]
    await APIS[root]({**scope, "root_path": root}, receive, send)


if __name__ == "__main__":
    is_lending = sys.argv[2] == "lending"
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http=LendingProtocol if is_lending else "httptools",
        lifespan="off",
        log_level="warning",
    )
