"""Tailrace for any WSGI application (PEP 3333): Django, Pyramid, Bottle, or none at all.

    race = Tailrace()

    def application(environ, start_response):
        return race.stream(environ, ["seq", "100"])(environ, start_response)

What `tailrace.flask` does for Flask; the same rules, wires and options. Nothing is made before the first request, so it
may be set up before a server forks.
"""

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Unpack
from urllib.parse import parse_qsl

from tailrace.core.errors import TailraceError
from tailrace.engine.base import Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.web import servers
from tailrace.web.answering import USUAL, Answering, OnDisconnect, What
from tailrace.web.client import client_of
from tailrace.web.engines import EngineHere
from tailrace.web.pace import Pace
from tailrace.web.requests import HEADERS, Request
from tailrace.web.responses import Response
from tailrace.web.steps import Stream
from tailrace.web.stream import Body

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["Answer", "Pace", "Refused", "Tailrace"]

_log = logging.getLogger("tailrace")


@dataclass(frozen=True)
class Answer:
    """A response: call it as a WSGI application, or hand its parts to a framework's own streaming response.

    `body` yields bytes, and must be closed, also if nobody reads it: servers and frameworks do that.
    """

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Send it; the headers at once, also by servers that wait for the first byte of the body."""
        write = start_response(f"{self.status} {HTTPStatus(self.status).phrase}", self.headers)
        if isinstance(self.body, Body) and servers.waits_for_write(environ):
            servers.send_headers(write, self.body)
        return self.body


class Refused(Exception):
    """A request that starts nothing; `answer` says why, as a problem document (RFC 9457)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with {answer.status}")
        self.answer = answer


class Tailrace:
    """What an application needs to stream runs.

    Args:
        engine: where runs live, or its address as `tailrace.connect` takes it; by default the one at `state_dir`.
        state_dir: the state directory; by default TAILRACE_STATE, else `$XDG_STATE_HOME/tailrace`.
        user: given a request's environ, returns who asks, or None. A run that was started for one user is not resumed
            by another.
        cross_site: whether pages of other sites may start a run (see `tailrace.web.starting`).
    """

    def __init__(
        self,
        *,
        engine: Engine | str | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        user: "Callable[[WSGIEnvironment], str | None] | None" = None,
        cross_site: bool = False,
    ) -> None:
        self._engine = EngineHere(engine, state_dir)
        self._user = user
        self._answering = Answering(engine=self._engine, log=_log_error, cross_site=cross_site)

    @property
    def engine(self) -> Engine:
        """Where runs live; made on first use in each process.

        Raises:
            EngineError: the state directory cannot be used.
        """
        return self._engine()

    def stream(
        self,
        environ: "WSGIEnvironment",
        what: What,
        *,
        wire: str | None = None,
        pace: Pace = USUAL,
        on_disconnect: OnDisconnect = "keep",
        **options: Unpack[StartOptions],
    ) -> Answer:
        """Return an answer that streams a run's output to whoever asked, as it comes.

        The arguments, but for the request's `environ`, are those of `tailrace.flask.Tailrace.stream`.

        Raises:
            TypeError: an option that does not exist, or one for a run that is there already: the route's mistake.
        """
        request = self._request(environ, wire, pace)
        if (refusal := servers.refusal(environ)) is not None:
            return _answer(environ, refusal)
        response = self._answering.stream(request, what, options, on_disconnect)
        return _answer(environ, response)

    def start(self, environ: "WSGIEnvironment", argv: Sequence[str], **options: Unpack[StartOptions]) -> Run:
        """Start a run, for a route that answers with something else than its output.

        Raises:
            Refused: the request may not start anything, or nothing could be started.
            TypeError: an option that does not exist: the route's mistake.
        """
        request = self._request(environ, None, USUAL)
        run = self._answering.start(request, argv, options)
        if isinstance(run, Response):
            raise Refused(_answer(environ, run))
        return run

    def _request(self, environ: "WSGIEnvironment", wire: str | None, pace: Pace) -> Request:
        servers.prepare(environ)
        if (warning := servers.warning(environ)) is not None:
            _log.warning(warning)
        query = dict(reversed(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)))
        names = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in HEADERS}
        return Request(
            method=environ["REQUEST_METHOD"],
            path=_text(environ.get("SCRIPT_NAME", "")) + _text(environ.get("PATH_INFO", "")),
            query=query,
            headers={name: environ[key] for name, key in names.items() if key in environ},
            user=self._user(environ) if self._user is not None else None,
            wire=wire,
            pace=pace,
        )


def _text(part: str) -> str:
    """Return a part of the path as text; WSGI gives its bytes as Latin-1."""
    return part.encode("latin-1").decode("utf-8", "replace")


def _answer(environ: "WSGIEnvironment", response: Response) -> Answer:
    body = response.body
    if isinstance(body, Stream):
        stream = Body(body, client_of(environ))
        stream.report = lambda error: _log.error("a stream stopped early: %s", error)
        return Answer(response.status, list(response.headers), stream)
    headers = list(response.headers)
    if body is not None:
        headers.append(("Content-Length", str(len(body))))
    return Answer(response.status, headers, [body] if body else [])


def _log_error(error: TailraceError) -> None:
    _log.error("%s (%s)", error.message, error.hint)
