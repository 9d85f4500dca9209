"""The twin of `served.py` for ASGI, without a framework; `served_asgi:make_app` is to be served by a real server."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs

from tailrace._asgi.asking import body_of, headers_of
from tailrace._asgi.blueprint import AsgiApp
from tailrace.asgi import Pace, Tailrace
from tailrace.web.loop import hall
from tailrace.web.loop.sinks import Receive, Scope, Send
from tests.system.web.served import PAGE, note, reports

Ask = dict[str, str]
Route = Callable[[Scope, Receive, Ask], Awaitable[AsgiApp]]


class App:
    """The application, on the state directory, by default that which the environment names."""

    def __init__(self, state_dir: Path | None = None) -> None:
        self.race = Tailrace(state_dir=state_dir, user=user_of)
        self._ops = self.race.blueprint(open=True)
        self._routes: dict[str, Route] = {
            "start": self._start,
            "elsewhere": self._start,
            "limited": self._limited,
            "watch": self._watch,
            "paced": self._paced,
            "with-me": self._with_me,
            "page": self._page,
            "report": self._report,
            "ping": self._ping,
            "served": self._served,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is spoken here")
        name = str(scope["path"]).split("/")[1]
        if name == "ops":
            await self._ops({**scope, "root_path": "/ops"}, receive, send)
            return
        pairs = parse_qs(bytes_of(scope["query_string"]).decode(), keep_blank_values=True)
        asked = {key: values[0] for key, values in pairs.items()}
        answer = await self._routes.get(name, self._nothing)(scope, receive, asked)
        await answer(scope, receive, send)

    async def _start(self, scope: Scope, _receive: Receive, asked: Ask) -> AsgiApp:
        event_id = headers_of(scope, ["last-event-id"]).get("last-event-id", "-")
        note(f"{scope['method']} {scope['path']} {event_id[:80]!r}")
        return await self.race.stream(scope, json.loads(asked["argv"]), key=asked.get("key"))

    async def _limited(self, scope: Scope, _receive: Receive, _asked: Ask) -> AsgiApp:
        return await self.race.stream(scope, ["seq", "100000"], max_output=1000, on_max_output="truncate")

    async def _watch(self, scope: Scope, _receive: Receive, _asked: Ask) -> AsgiApp:
        return await self.race.stream(scope, last_of(scope))

    async def _paced(self, scope: Scope, _receive: Receive, asked: Ask) -> AsgiApp:
        interval = float(asked["interval"]) if "interval" in asked else None
        pace = Pace(heartbeat_s=float(asked.get("heartbeat", 15)), interval_s=interval)
        return await self.race.stream(scope, last_of(scope), pace=pace)

    async def _with_me(self, scope: Scope, _receive: Receive, asked: Ask) -> AsgiApp:
        argv, unwatched = json.loads(asked["argv"]), float(asked["unwatched"])
        return await self.race.stream(scope, argv, on_disconnect="stop", unwatched_timeout=unwatched)

    async def _page(self, _scope: Scope, _receive: Receive, _asked: Ask) -> AsgiApp:
        return plain(PAGE.encode(), "text/html")

    async def _report(self, scope: Scope, receive: Receive, _asked: Ask) -> AsgiApp:
        part = reports() / f".{last_of(scope)}"
        part.write_bytes(await body_of(receive, 1 << 24))
        part.rename(reports() / last_of(scope))
        return plain(b"")

    async def _ping(self, _scope: Scope, _receive: Receive, _asked: Ask) -> AsgiApp:
        return plain(b"pong")

    async def _served(self, _scope: Scope, _receive: Receive, _asked: Ask) -> AsgiApp:
        return plain(json.dumps(paths()).encode(), "application/json")

    async def _nothing(self, _scope: Scope, _receive: Receive, _asked: Ask) -> AsgiApp:
        return plain(b"nothing is here", status=404)


def make_app() -> App:
    """Return the application, for servers that take a factory."""
    return App()


def paths() -> dict[str, int]:
    """Return how many viewers each path has served in this process."""
    found: Counter[str] = Counter()
    for each in hall.halls():
        for (_wire, path), count in each.tally.begun.items():
            found[path] += count
    return dict(found)


def user_of(scope: Scope) -> str | None:
    """Return who asks."""
    return headers_of(scope, ["x-user"]).get("x-user")


def last_of(scope: Scope) -> str:
    """Return the last part of the path."""
    return str(scope["path"]).rpartition("/")[2]


def bytes_of(value: object) -> bytes:
    """Return a value of a scope that is bytes."""
    assert isinstance(value, bytes)
    return value


def plain(body: bytes, kind: str = "text/plain", *, status: int = 200, **headers: str) -> AsgiApp:
    """Return a response that is sent as it is."""
    pairs = {"content-type": kind, "content-length": str(len(body)), **headers}
    raw = [(name.encode(), value.encode()) for name, value in pairs.items()]

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return answer
