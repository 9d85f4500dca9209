"""Applications with the API mounted under `/ops`, and how the tests ask them."""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

from flask import Flask, Response, has_request_context, redirect, request

from tailrace import RunInfo, asgi, flask
from tailrace._asgi.asking import body_of
from tailrace._asgi.blueprint import Verdict
from tailrace._flask.blueprint import Authorize
from tailrace.core.access import Action
from tailrace.flask import Audit, Command, Commands
from tailrace.web.loop.sinks import Receive, Scope, Send
from tailrace.web.page import bundle
from tests.system.web.served_asgi import plain, user_of
from tests.system.web.sites import FlaskSite, Reply, Site

BYTES = "application/octet-stream"
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""all that a form of a page, on whatever site, can send"""
UNKNOWN = "0" * 27
COMMANDS = Commands([Command(name="true", argv=("true",))])


def address(path: str, run_id: str) -> str:
    """Return where a path of the table is, for this run and the one command."""
    page = bundle.entry(bundle.PAGE)
    file = "none" if page is None else page.script
    return "/ops" + path.replace("{run}", run_id).replace("{command}", "true").replace("{file}", file)


Decide: TypeAlias = Callable[[Action, RunInfo | None], object]
_user: ContextVar[str | None] = ContextVar("_user")


class Asked(NamedTuple):
    """What `authorize` was asked."""

    action: Action
    run: str | None


class Policy:
    """What the tests let the application decide, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.refused: set[tuple[str, bool]] = set()
        """(action, whether of a run) that nobody may"""

    def __call__(self, action: Action, run: RunInfo | None) -> object:
        """Answer: strangers are sent to log in; a user may do anything to what is his."""
        self.asked.append(Asked(action, None if run is None else run.id))
        user = request.headers.get("X-User") if has_request_context() else _user.get()
        if user is None:
            return redirect("/login") if has_request_context() else plain(b"", status=302, location="/login")
        if (action, run is not None) in self.refused:
            return False
        return run is None or run.by == user


def mounted(state_dir: Path, decide: Decide, audit: Audit | None = None) -> Flask:
    """Return an application that has the API, with users."""
    app = Flask(__name__)
    race = flask.Tailrace(app, state_dir=state_dir, user=lambda: request.headers.get("X-User"))

    @app.get("/ops/own")
    def own() -> str:
        return "the application's own"

    @app.post("/start")
    def start() -> Response:
        return race.stream(request.get_json())

    made = race.blueprint(authorize=cast("Authorize", decide), commands=COMMANDS, audit=audit)
    app.register_blueprint(made, url_prefix="/ops")
    return app


class MountedAsgi:
    """The same for ASGI."""

    def __init__(self, state_dir: Path, decide: Decide, *, is_async: bool = False, audit: Audit | None = None) -> None:
        self.race = asgi.Tailrace(state_dir=state_dir, user=user_of)

        def now(_scope: Scope, action: Action, run: RunInfo | None) -> Verdict:
            return cast("Verdict", decide(action, run))

        async def later(_scope: Scope, action: Action, run: RunInfo | None) -> Verdict:
            return cast("Verdict", decide(action, run))

        self.ops = self.race.blueprint(authorize=later if is_async else now, commands=COMMANDS, audit=audit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        _user.set(user_of(scope))
        path = str(scope["path"])
        if path == "/start":
            argv = json.loads(await body_of(receive, 1 << 16))
            await (await self.race.stream(scope, argv))(scope, receive, send)
        elif path == "/ops/own":
            await plain(b"the application's own")(scope, receive, send)
        elif path.startswith("/ops/"):
            await self.ops({**scope, "root_path": "/ops"}, receive, send)
        else:
            await plain(b"nothing is here", "text/html", status=404)(scope, receive, send)


def ask(
    app: Flask | Site, path: str, *, method: str = "GET", user: str | None = "ann",
    headers: Mapping[str, str] | None = None, data: bytes | None = None, kind: str | None = None,
) -> Reply:  # fmt: skip
    """Return the whole answer to a request of a user."""
    who = {} if user is None else {"X-User": user}
    site = FlaskSite(app) if isinstance(app, Flask) else app
    return site.open(path, method=method, headers={**who, **(headers or {})}, data=data, content_type=kind)


def post(app: Flask | Site, path: str, fields: object = None, **headers: str) -> Reply:
    """Return the answer to ann's POST of these fields, or of nothing."""
    data = None if fields is None else json.dumps(fields).encode()
    return ask(app, path, method="POST", data=data, kind=None if data is None else JSON, headers=headers)
