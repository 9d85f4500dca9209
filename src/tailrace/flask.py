"""Tailrace for Flask.

    race = Tailrace(app)

    @app.get("/count")
    def count():
        return race.stream(["seq", "100"])

Works under any WSGI server that passes each piece on at once; waiting is cooperative under gevent and eventlet, patched
or not. Nothing is made before the first request, so it may be set up before a server forks (gunicorn `--preload`).
"""

import os
from collections.abc import Callable, Sequence
from typing import Unpack

from flask import Flask, current_app
from flask import Response as FlaskResponse
from flask import request as flask_request
from werkzeug.exceptions import HTTPException

from tailrace.core.errors import TailraceError
from tailrace.engine.base import Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.web.answering import USUAL, Answering, OnDisconnect, What
from tailrace.web.client import client_of
from tailrace.web.engines import EngineHere
from tailrace.web.pace import Pace
from tailrace.web.requests import HEADERS, Request
from tailrace.web.responses import Response
from tailrace.web.stream import Body

__all__ = ["Pace", "Tailrace"]


class Tailrace:
    """The extension. One object may serve several applications.

    Args:
        app: the application; or call `init_app` later.
        engine: where runs live, or its address as `tailrace.connect` takes it; by default the one at `state_dir`.
        state_dir: the state directory; by default TAILRACE_STATE, else `$XDG_STATE_HOME/tailrace`.
        user: called within a request, returns who asks, or None. A run that was started for one user is not resumed by
            another.
        cross_site: whether pages of other sites may start a run (see `tailrace.web.starting`).
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        engine: Engine | str | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        user: Callable[[], str | None] | None = None,
        cross_site: bool = False,
    ) -> None:
        self._engine = EngineHere(engine, state_dir)
        self._user = user
        self._answering = Answering(engine=self._engine, log=_log, cross_site=cross_site)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register with the application, as `app.extensions["tailrace"]`."""
        app.extensions["tailrace"] = self

    @property
    def engine(self) -> Engine:
        """Where runs live; made on first use in each process.

        Raises:
            EngineError: the state directory cannot be used.
        """
        return self._engine()

    def stream(
        self,
        what: What,
        *,
        wire: str | None = None,
        pace: Pace = USUAL,
        on_disconnect: OnDisconnect = "keep",
        **options: Unpack[StartOptions],
    ) -> FlaskResponse:
        """Return a response that streams a run's output to whoever asked, as it comes.

        Args:
            what: a command as a list of arguments: start it, and stream it. Or a run, or its id: only watch it. Whether
                this user may watch it is for the route to decide.
            wire: `text`, `lines`, `sse`, `ndjson` or `cast`; by default what `?format=` or `Accept` ask for.
            pace: what the viewer gets while the command is silent: heartbeats, and interval messages if wanted.
            on_disconnect: what becomes of a run that is started here when its last viewer has left: `stop` is
                `unwatched_timeout=10`, unless that is given; so a browser that reconnects finds its run.
            **options: more about the run that is started, as for `Engine.start`.

        Raises:
            TypeError: an option that does not exist, or one for a run that is there already: the route's mistake.

        Returns:
            The stream; or, if it cannot be had, a problem document (RFC 9457) with its status. A viewer that leaves, or
            never reads, does nothing to the run.
        """
        return _flask_response(self._answering.stream(self._request(wire, pace), what, options, on_disconnect))

    def start(self, argv: Sequence[str], **options: Unpack[StartOptions]) -> Run:
        """Start a run, for a route that answers with something else than its output: a redirect, the run's id.

        Args:
            argv: the command as a list of arguments.
            **options: more about the run, as for `Engine.start`.

        Raises:
            TypeError: an option that does not exist: the route's mistake.
            werkzeug.exceptions.HTTPException: the request may not start anything (a page of another site sent it, or a
                browser that fetches ahead), or nothing could be started; with a problem document (RFC 9457).
        """
        run = self._answering.start(self._request(None, USUAL), argv, options)
        if isinstance(run, Response):
            raise HTTPException(response=_flask_response(run))
        return run

    def _request(self, wire: str | None, pace: Pace) -> Request:
        asked = flask_request
        return Request(
            method=asked.method,
            path=asked.script_root + asked.path,
            query=asked.args.to_dict(),
            headers={name: asked.headers[name] for name in HEADERS if name in asked.headers},
            user=self._user() if self._user is not None else None,
            wire=wire,
            pace=pace,
            client=client_of(asked.environ),
        )


def _flask_response(response: Response) -> FlaskResponse:
    body = response.body
    if isinstance(body, Body):
        body.report = _reporter()
    made = FlaskResponse(iter(()) if body is None else body, status=response.status)
    made.headers.clear()  # among them a Content-Type, which a 204 has not
    made.headers.extend(response.headers)
    return made


def _reporter() -> Callable[[Exception], None]:
    """Return what logs to the application of this request, also when the request is over."""
    logger = current_app.logger
    return lambda error: logger.error("a stream stopped early: %s", error)


def _log(error: TailraceError) -> None:
    current_app.logger.error("%s (%s)", error.message, error.hint)
