"""The application on every server: that of the web ring's tests, and what only these tests ask for."""

import os
import sys
import time
from collections.abc import Callable

from flask import Flask, Response

from tailrace.engine.run import Run
from tailrace.flask import Tailrace
from tests.system.web import served

TICK_S = 0.02
WORKER_HEADER = "X-Worker"


class Ticker:
    """A greenlet that wants to run each 20 ms, and remembers for how long it could not."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._is_begun = False

    def begin(self) -> None:
        """Start it in whichever hub this request runs in."""
        if self._is_begun:
            return
        self._is_begun = True
        if "eventlet" in sys.modules:
            import eventlet

            eventlet.spawn(self._tick, eventlet.sleep)
        elif "gevent" in sys.modules:
            import gevent

            gevent.spawn(self._tick, gevent.sleep)

    def _tick(self, sleep: Callable[[float], object]) -> None:
        while True:
            before = time.monotonic()
            sleep(TICK_S)
            self.longest_s = max(self.longest_s, time.monotonic() - before - TICK_S)


def make_app() -> Flask:
    """Return the application."""
    app = served.make_app()
    race: Tailrace = app.extensions["tailrace"]
    ticker = Ticker()

    @app.after_request
    def name_worker(response: Response) -> Response:
        response.headers[WORKER_HEADER] = str(os.getpid())
        return response

    @app.get("/ticker")
    def tick() -> dict[str, float]:
        """Return the longest freeze since the last question, and begin to tick with the first."""
        ticker.begin()
        longest_s, ticker.longest_s = ticker.longest_s, 0.0
        return {"longest_s": longest_s}

    @app.post("/feed/<run_id>/<word>")
    def feed(run_id: str, word: str) -> str:
        Run(race.engine, run_id).send(word.encode() + b"\n")
        return ""

    @app.post("/stop/<run_id>")
    def stop(run_id: str) -> str:
        Run(race.engine, run_id).stop()
        return ""

    @app.post("/fed")
    def fed() -> Response:
        """Start what repeats each word it is fed."""
        return race.stream(["sh", "-c", "while read word; do echo got $word; done"], stdin=True)

    return app
