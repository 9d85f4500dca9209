"""Applications whose commands are functions, for real servers: `functions.py PORT` is Werkzeug's; Flask's, and ASGI's.

`PLANS`, in the environment, names the directory of `paint`'s plans.
"""

import datetime as dt
import os
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from flask import Flask
from msgspec import Meta
from werkzeug.serving import make_server

from tailrace import asgi, flask
from tailrace.asgi import PathBelow, Secret, Upload
from tailrace.web.loop.sinks import Receive, Scope, Send
from tests.system.web.served_asgi import plain

PLANS = os.environ.get("PLANS", "/nowhere")


class Colour(Enum):
    """What walls may be."""

    RED = "red"
    BLUE = "blue"


class Coats(Enum):
    """How many."""

    ONE = 1
    TWO = 2


def paint(
    wall: Annotated[str, Meta(pattern="[a-z]+", examples=["north"])],
    colour: Colour,
    plan: Annotated[Path, PathBelow(root=PLANS)],
    accents: list[Colour],
    doors: list[Literal["front", "back"]],
    *,
    coats: Coats = Coats.TWO,
    litres: Annotated[int, Meta(ge=1, le=9)] = 3,
    gloss: float = 0.5,
    mode: Literal["slow", "fast"] = "slow",
    day: dt.date = dt.date(2026, 11, 27),
    is_wet: bool = False,
) -> list[str]:
    """Paints a wall.

    And says what it was asked for.
    """
    got: list[object] = [wall, colour, plan, accents, doors, coats, litres, gloss, mode, day, is_wet]
    return ["printf", "%s\\n", *map(repr, got)]


def keep(
    data: Annotated[Path, Upload(maximum_size=1000)],
    key: Annotated[str, Secret(variable="KEY")],  # noqa: ARG001  the command gets it by its environment
) -> list[str]:
    """Says how long a file and a secret are."""
    return ["sh", "-c", 'wc -c < "$1"; printf %s "$KEY" | wc -c; printf "%s\\n" "$KEY"', "sh", str(data)]


def broken(n: int) -> list[str]:
    """Returns what is no argv."""
    return ["seq", n]  # type: ignore[list-item]  # what a careless function does


def flask_app() -> Flask:
    """Return Flask's."""
    app = Flask(__name__)
    race = flask.Tailrace(app)
    for function in (keep, broken):
        race.command()(function)
    race.command(title="Paint", timeout=60)(paint)
    app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
    app.add_url_rule("/ping", view_func=_ping)
    return app


def _ping() -> str:
    return "pong"


def asgi_app() -> Callable[[Scope, Receive, Send], object]:
    """Return ASGI's."""
    race = asgi.Tailrace()
    for function in (keep, broken):
        race.command()(function)
    race.command(title="Paint", timeout=60)(paint)
    ops, ping = race.blueprint(open=True), plain(b"pong")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        is_ops = str(scope["path"]).startswith("/ops/")
        await (ops({**scope, "root_path": "/ops"}, receive, send) if is_ops else ping(scope, receive, send))

    return app


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), flask_app(), threaded=True).serve_forever()
