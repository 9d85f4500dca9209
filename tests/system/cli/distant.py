"""A server for the command line's tests: `distant.py PORT`. The API is under `/ops`, with a few declared commands.

`DECLARED` and the two routes stand for what `POST /api/commands/NAME/runs` and `GET /api/commands/NAME` are to be, and
only for that.
"""

import json
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import msgspec
from flask import Flask, Response, request
from werkzeug.serving import make_server

from tailrace.core.errors import InvalidInput, TailraceError
from tailrace.flask import Tailrace
from tailrace.web.problems import problem, response_to
from tailrace.web.responses import Response as Answer
from tests.system.web.gate import gated

TOKEN = "let-me-in"
SCHEMA: dict[str, dict[str, object]] = {
    "count": {"n": {"type": "integer"}},
    "polite": {},
    "stubborn": {},
    "ticking": {},
    "exit": {"code": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
    "upper": {},
    "gated": {"gate": {"type": "string"}},
    "lost": {},
}
DECLARED: dict[str, Callable[[Mapping[str, object]], list[str]]] = {
    "count": lambda values: ["seq", str(values["n"])],
    "polite": lambda _values: ["sh", "-c", "echo begun; exec sleep 600"],
    "stubborn": lambda _values: ["sh", "-c", "trap '' INT TERM; echo begun; while :; do sleep 600; done"],
    "ticking": lambda _values: ["sh", "-c", "while :; do echo tick; sleep 0.1; done"],
    "exit": lambda values: ["sh", "-c", f"echo out; echo err >&2; exit {values['code']}"],
    "upper": lambda _values: ["tr", "a-z", "A-Z"],
    "gated": lambda values: gated("echo begun", Path(str(values["gate"])), "echo done; exit 3"),
    "lost": lambda _values: ["true"],
}


def make_app() -> Flask:
    """Return the application, on the state directory that the environment names."""
    app = Flask(__name__)
    race = Tailrace(app)

    @app.get("/ping")
    def ping() -> str:
        return "pong"

    @app.get("/ops/api/commands/<name>")
    def command(name: str) -> Response:
        if name not in DECLARED:
            return _flask(_unknown(name))
        parameters = {"type": "object", "properties": SCHEMA[name], "additionalProperties": False}
        return _flask(_json({"name": name, "title": None, "parameters": parameters}))

    @app.post("/ops/api/commands/<name>/runs")
    def start(name: str) -> Response:
        try:
            values = _checked(name, json.loads(request.get_data())["parameters"])
            run = race.engine.start(DECLARED[name](values), command=name, stdin=name == "upper", by="web")
        except TailraceError as error:
            return _flask(response_to(error))
        if name == "lost":
            request.environ["werkzeug.socket"].shutdown(2)
        return Response(msgspec.json.encode(run.info()), HTTPStatus.CREATED, {"Content-Type": "application/json"})

    app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
    app.register_blueprint(race.blueprint(authorize=_may, name="secret"), url_prefix="/secret")
    return app


def _may(_action: object, _run: object) -> bool:
    return request.headers.get("Authorization") == f"Bearer {TOKEN}"


def _checked(name: str, values: dict[str, object]) -> dict[str, object]:
    for parameter, value in values.items():
        if parameter not in SCHEMA[name]:
            raise InvalidInput(f"{name} has no parameter {parameter!r}", hint=f"it has: {', '.join(SCHEMA[name])}")
        if parameter == "n" and not isinstance(value, int):
            raise InvalidInput(f"{parameter} is not an integer: {value!r}", hint="for example 5")
    return values


def _unknown(name: str) -> Answer:
    return problem(HTTPStatus.NOT_FOUND, f"there is no command {name!r} here", f"there are: {', '.join(DECLARED)}")


def _json(value: object) -> Answer:
    return Answer(status=200, headers=(("Content-Type", "application/json"),), body=json.dumps(value).encode())


def _flask(answer: Answer) -> Response:
    assert isinstance(answer.body, bytes)
    return Response(answer.body, answer.status, dict(answer.headers))


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), make_app(), threaded=True).serve_forever()
