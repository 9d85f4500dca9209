"""What ours is compared with, served like the article's server; see `article_server` for where commands come from."""

import json
import os
import subprocess
from collections.abc import Iterator

import flask

from bench.article_server import lines_of

app = flask.Flask(__name__)


@app.route("/article/<route>")
def article(route: str) -> flask.Response:
    """The article's EventSource server."""
    events = (b"data:" + line + b"\n\n" for line in lines_of(route))
    return flask.Response(events, mimetype="text/event-stream")


@app.route("/generator/<route>")
def generator(route: str) -> flask.Response:
    """The usual hand-written generator."""
    argv = json.loads(os.environ[f"BENCH_ARGV_{route}"])

    def read_process() -> Iterator[str]:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield f"data: {line}\n\n"

    return flask.Response(read_process(), mimetype="text/event-stream")
