"""The application that the tests serve, in the test's own process or by a real server: `served.py PORT` is Werkzeug's.

`REPORTS`, in the environment, names the directory in which it writes down what it was asked and what pages report.
"""

import json
import os
import sys
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.serving import make_server

from tailrace.flask import Pace, Tailrace

PAGE = """<!doctype html><title>numbers</title><script>
const seen = [];
let ended = 0;
const report = (name) => fetch('/report/' + name, { method: 'POST', body: JSON.stringify({ seen, ended }) });
const source = new EventSource('/start' + location.search);
source.onmessage = (event) => { seen.push(event.data); if (event.data === 'half') report('half'); };
source.addEventListener('end', () => { ended += 1; });
source.onerror = () => { if (source.readyState === EventSource.CLOSED) report('done'); };
</script>"""


def make_app(state_dir: Path | None = None) -> Flask:
    """Return the application, on the state directory, by default that which the environment names."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir, user=lambda: request.headers.get("X-User"))

    @app.route("/start", methods=["GET", "POST"])
    @app.route("/elsewhere", methods=["GET", "POST"])
    def start() -> Response:
        """Start what the query says."""
        note(f"{request.method} {request.path} {request.headers.get('Last-Event-ID', '-')[:80]!r}")
        return race.stream(json.loads(request.args["argv"]), key=request.args.get("key"))

    @app.get("/limited")
    def limited() -> Response:
        return race.stream(["seq", "100000"], max_output=1000, on_max_output="truncate")

    @app.get("/watch/<run_id>")
    def watch(run_id: str) -> Response:
        return race.stream(run_id)

    @app.get("/paced/<run_id>")
    def paced(run_id: str) -> Response:
        """Watch at a pace of one's own."""
        interval = request.args.get("interval", type=float)
        return race.stream(run_id, pace=Pace(heartbeat_s=float(request.args.get("heartbeat", 15)), interval_s=interval))

    @app.get("/with-me")
    def with_me() -> Response:
        """Start what the query says, and stop it when nobody watches."""
        argv = json.loads(request.args["argv"])
        return race.stream(argv, on_disconnect="stop", unwatched_timeout=float(request.args["unwatched"]))

    @app.get("/page")
    def page() -> str:
        return PAGE

    @app.post("/report/<name>")
    def report(name: str) -> str:
        part = reports() / f".{name}"
        part.write_bytes(request.get_data())
        part.rename(reports() / name)
        return ""

    @app.get("/ping")
    def ping() -> str:
        return "pong"

    app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
    return app


def note(line: str) -> None:
    """Write down a request, if there is where to."""
    if "REPORTS" in os.environ:
        with (reports() / "requests").open("a") as file:
            file.write(line + "\n")


def reports() -> Path:
    """Return where to write."""
    return Path(os.environ["REPORTS"])


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), make_app(), threaded=True).serve_forever()
