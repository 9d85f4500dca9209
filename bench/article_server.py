"""The article's server, on Python 3: a group of shelljob reads the command line by line, and each line is yielded.

Two things differ from the article's listing: shelljob gives bytes, which are yielded as they are, and the command comes
from the environment, `BENCH_ARGV_<route>`, as a JSON list, so that both servers run the same one.
"""

import json
import os
from collections.abc import Iterator

import flask
from shelljob import proc

app = flask.Flask(__name__)


def lines_of(route: str) -> Iterator[bytes]:
    """Run the route's command, and give its lines as they come."""
    g = proc.Group()
    g.run(json.loads(os.environ[f"BENCH_ARGV_{route}"]))
    while g.is_pending():
        lines = g.readlines()
        for _, line in lines:
            yield line


@app.route("/<route>")
def stream(route: str) -> flask.Response:
    """Stream them."""
    return flask.Response(lines_of(route), mimetype="text/plain")
