"""A server for the contract of remote engines: `serving.py PORT` serves each state directory below `/tmp` by its name.

So that one process serves all the tests of a file, each with a directory of its own. The API is under `/<name>/ops`.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tailrace.flask import Tailrace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_NAME = re.compile(r"/(tr-\w+)(/.*)")


class Places:
    """One application for each directory, made when it is first asked for."""

    def __init__(self) -> None:
        self._apps: dict[str, Flask] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer as the directory's application does."""
        found = _NAME.fullmatch(environ["PATH_INFO"])
        if found is None:
            start_response("200 OK", [("Content-Length", "4")])
            return [b"pong"]
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = f"/{found[1]}", found[2]
        return self._app(found[1])(environ, start_response)

    def _app(self, name: str) -> Flask:
        if name not in self._apps:
            app = Flask(__name__)
            app.register_blueprint(Tailrace(app, state_dir=Path("/tmp", name)).blueprint(open=True), url_prefix="/ops")
            self._apps[name] = app
        return self._apps[name]


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: a test makes thousands of requests."""


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), Places(), threaded=True, request_handler=_Silent).serve_forever()
