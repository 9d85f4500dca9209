"""A server for the command line's tests: `distant.py PORT`. The API is under `/ops`, and, by a token, `/secret`.

Its commands are those of `distant.toml`; the answer to a start of `lost` never gets through.
"""

import sys
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.serving import make_server

from tailrace.flask import Tailrace

TOKEN = "let-me-in"
COMMANDS = Path(__file__).with_name("distant.toml")


def make_app() -> Flask:
    """Return the application, on the state directory that the environment names."""
    app = Flask(__name__)
    race = Tailrace(app, commands=COMMANDS)

    @app.get("/ping")
    def ping() -> str:
        return "pong"

    @app.after_request
    def lose(response: Response) -> Response:
        if request.path.endswith("/lost/runs"):
            request.environ["werkzeug.socket"].shutdown(2)
        return response

    app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
    app.register_blueprint(race.blueprint(authorize=_may, name="secret"), url_prefix="/secret")
    return app


def _may(_action: object, _run: object) -> bool:
    return request.headers.get("Authorization") == f"Bearer {TOKEN}"


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), make_app(), threaded=True).serve_forever()
