"""A button that runs something once: who reloads what it leads to only watches. `flask --app once run`"""

from flask import Flask, Response, redirect
from werkzeug.wrappers import Response as Redirect

from tailrace.flask import Tailrace

app = Flask(__name__)
race = Tailrace(app)


@app.get("/")
def button() -> str:
    return '<!doctype html><form method="post" action="/runs"><button>Install</button></form>'


@app.post("/runs")
def start() -> Redirect:
    return redirect(f"/runs/{race.start(['seq', '5'], key='install').id}", 303)


@app.get("/runs/<run_id>")
def watch(run_id: str) -> Response:
    return race.stream(run_id)
