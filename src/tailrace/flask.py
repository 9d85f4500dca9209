"""Tailrace for Flask.

    race = Tailrace(app)

    @app.get("/count")
    def count():
        return race.stream(["seq", "100"])

Works under any WSGI server that passes each piece on at once; waiting is cooperative under gevent and eventlet, patched
or not. Nothing is made before the first request, so it may be set up before a server forks (gunicorn `--preload`).
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Unpack

from flask import Flask, current_app
from flask import Response as FlaskResponse
from flask import request as flask_request

from tailrace.api import connect
from tailrace.core.errors import CallerError, TailraceError
from tailrace.engine.base import Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.web import servers
from tailrace.web.client import client_of
from tailrace.web.problems import response_to
from tailrace.web.requests import HEADERS, Request
from tailrace.web.responses import Response
from tailrace.web.starting import start
from tailrace.web.stream import Body
from tailrace.web.watching import watch

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Tailrace:
    """The extension. One object may serve several applications.

    Args:
        app: the application; or call `init_app` later.
        engine: where runs live; by default the one at `state_dir`.
        state_dir: the state directory; by default TAILRACE_STATE, else `$XDG_STATE_HOME/tailrace`.
        user: called within a request, returns who asks, or None. A run that was started for one user is not resumed by
            another.
        cross_site: whether pages of other sites may start a run (see `tailrace.web.starting`).
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        engine: Engine | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        user: Callable[[], str | None] | None = None,
        cross_site: bool = False,
    ) -> None:
        self._given = engine
        self._made: tuple[int, Engine] | None = None
        """(pid, engine): a child of this process makes its own"""
        self._state_dir = state_dir
        self._user = user
        self._cross_site = cross_site
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
        if self._given is not None:
            return self._given
        made = self._made
        if made is None or made[0] != os.getpid():
            made = self._made = (os.getpid(), connect(self._state_dir))
        return made[1]

    def stream(
        self, what: Sequence[str] | Run | str, *, wire: str | None = None, **options: Unpack[StartOptions]
    ) -> FlaskResponse:
        """Return a response that streams a run's output to whoever asked, as it comes.

        Args:
            what: a command as a list of arguments: start it, and stream it. Or a run, or its id: only watch it. Whether
                this user may watch it is for the route to decide.
            wire: `text`, `lines`, `sse` or `ndjson`; by default what `?format=` or `Accept` ask for.
            **options: more about the run that is started, as for `Engine.start`.

        Raises:
            TypeError: an option that does not exist, or one for a run that is there already: the route's mistake.

        Returns:
            The stream; or, if it cannot be had, a problem document (RFC 9457) with its status. A viewer that leaves, or
            never reads, does nothing to the run.
        """
        if unknown := sorted(set(options) - set(StartOptions.__annotations__)):
            raise TypeError(f"stream() has no option {unknown[0]!r}; see tailrace.engine.base.StartOptions")
        servers.prepare(flask_request.environ)
        if (warning := servers.warning(flask_request.environ)) is not None:
            current_app.logger.warning(warning)
        request = self._request(wire)
        try:
            response = servers.refusal(flask_request.environ) or self._response(request, what, options)
        except TailraceError as error:
            if not isinstance(error, CallerError) or error.op == "start":
                _log(error)
            response = response_to(error)
        return _flask_response(response)

    def _response(self, request: Request, what: Sequence[str] | Run | str, options: StartOptions) -> Response:
        if not isinstance(what, Run | str):
            return start(self.engine, request, what, options, cross_site=self._cross_site)
        if options:
            raise TypeError(f"stream() takes no {next(iter(options))!r} for a run that is there already")
        if isinstance(what, Run):
            return watch(what.engine, request, what.id)
        return watch(self.engine, request, what)

    def _request(self, wire: str | None) -> Request:
        asked = flask_request
        return Request(
            method=asked.method,
            path=asked.script_root + asked.path,
            query=asked.args.to_dict(),
            headers={name: asked.headers[name] for name in HEADERS if name in asked.headers},
            user=self._user() if self._user is not None else None,
            wire=wire,
            client=client_of(asked.environ),
        )


class _LiveResponse(FlaskResponse):
    """Has its headers sent at once also by servers that wait for the first byte of the body."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body, status, headers = self.get_wsgi_response(environ)
        write = start_response(status, headers)
        if isinstance(self.response, Body) and servers.waits_for_write(environ):
            write(b"")
        return body


def _flask_response(response: Response) -> FlaskResponse:
    body = response.body
    if isinstance(body, Body):
        body.report = _reporter()
    made = _LiveResponse(iter(()) if body is None else body, status=response.status)
    made.headers.clear()  # among them a Content-Type, which a 204 has not
    made.headers.extend(response.headers)
    return made


def _reporter() -> Callable[[Exception], None]:
    """Return what logs to the application of this request, also when the request is over."""
    logger = current_app.logger
    return lambda error: logger.error("a stream stopped early: %s", error)


def _log(error: TailraceError) -> None:
    current_app.logger.error("%s (%s)", error.message, error.hint)
