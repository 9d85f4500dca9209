"""The same server on Tailrace; see `article_server` for where the command comes from."""

import json
import os

import flask

from tailrace.flask import Tailrace

app = flask.Flask(__name__)
race = Tailrace(app)


@app.route("/<route>")
def stream(route: str) -> flask.Response:
    """Run the route's command and stream its output."""
    return race.stream(json.loads(os.environ[f"BENCH_ARGV_{route}"]), key=flask.request.args.get("key"))
