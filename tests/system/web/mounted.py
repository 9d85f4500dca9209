"""Applications with the API mounted under `/ops`, and how the tests ask them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from flask import Flask, Response, redirect, request
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response as AnyResponse

from tailrace import RunInfo
from tailrace.flask import Command, Commands, Tailrace
from tailrace.web.routes.call import Action

BYTES = "application/octet-stream"
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""all that a form of a page, on whatever site, can send"""
UNKNOWN = "0" * 27
COMMANDS = Commands([Command(name="true", argv=("true",))])


def address(path: str, run_id: str) -> str:
    """Return where a path of the table is, for this run and the one command."""
    return "/ops" + path.replace("{run}", run_id).replace("{command}", "true")


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

    def __call__(self, action: Action, run: RunInfo | None) -> bool | AnyResponse:
        """Answer: strangers are sent to log in; a user may do anything to what is his."""
        self.asked.append(Asked(action, None if run is None else run.id))
        user = request.headers.get("X-User")
        if user is None:
            return redirect("/login")
        if (action, run is not None) in self.refused:
            return False
        return run is None or run.by == user


def mounted(state_dir: Path, policy: Policy) -> Flask:
    """Return an application that has the API, with users."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir, user=lambda: request.headers.get("X-User"))

    @app.get("/ops/own")
    def own() -> str:
        return "the application's own"

    @app.post("/start")
    def start() -> Response:
        return race.stream(request.get_json())

    app.register_blueprint(race.blueprint(authorize=policy, commands=COMMANDS), url_prefix="/ops")
    return app


def ask(
    app: Flask, path: str, *, method: str = "GET", user: str | None = "ann", headers: Mapping[str, str] | None = None,
    data: bytes | None = None, kind: str | None = None,
) -> TestResponse:  # fmt: skip
    """Return the whole answer to a request of a user."""
    who = {} if user is None else {"X-User": user}
    return app.test_client().open(path, method=method, headers={**who, **(headers or {})}, data=data, content_type=kind)


def post(app: Flask, path: str, fields: object = None, **headers: str) -> TestResponse:
    """Return the answer to ann's POST of these fields, or of nothing."""
    data = None if fields is None else json.dumps(fields).encode()
    return ask(app, path, method="POST", data=data, kind=None if data is None else JSON, headers=headers)
