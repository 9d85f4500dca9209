"""What any adapter does with a request: start or watch, and turn what goes wrong into a response."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tailrace.core.errors import CallerError, TailraceError
from tailrace.engine.base import Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.web.pace import Pace
from tailrace.web.problems import response_to
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.starting import begin, refuse, start
from tailrace.web.watching import watch

What: TypeAlias = Sequence[str] | Run | str
"""a command as a list of arguments: start it; or a run, or its id: only watch it"""
OnDisconnect: TypeAlias = Literal["keep", "stop"]
Log: TypeAlias = Callable[[TailraceError], None]

RECONNECT_S = 10.0
"""a browser that has lost its stream comes back after some seconds"""
USUAL = Pace()


@dataclass(frozen=True, kw_only=True)
class Answering:
    """How an application answers."""

    engine: Callable[[], Engine]
    """where its runs live"""
    log: Log
    """told of what is not the client's fault"""
    cross_site: bool = False
    """whether pages of other sites may start a run"""

    def stream(
        self, request: Request, what: What, options: StartOptions, on_disconnect: OnDisconnect = "keep"
    ) -> Response:
        """Return a response that streams the output to whoever asked; or, if it cannot be had, a problem document.

        Raises:
            TypeError: an option that does not exist, or one for a run that is there already: the route's mistake.
        """
        _check_names("stream", options)
        if on_disconnect not in ("keep", "stop"):
            raise ValueError(f"on_disconnect is 'keep' or 'stop', not {on_disconnect!r}")
        if on_disconnect == "stop":
            options.setdefault("unwatched_timeout", RECONNECT_S)
        if isinstance(what, Run | str) and options:
            raise TypeError(f"stream() takes no {next(iter(options))!r} for a run that is there already")
        try:
            if not isinstance(what, Run | str):
                return start(self.engine(), request, what, options, cross_site=self.cross_site)
            if isinstance(what, Run):
                return watch(what.engine, request, what.id)
            return watch(self.engine(), request, what)
        except TailraceError as error:
            return self._problem(error)

    def start(self, request: Request, argv: Sequence[str], options: StartOptions) -> Run | Response:
        """Start a run whose output is not the answer; or return the problem document that says why not.

        Raises:
            TypeError: an option that does not exist: the route's mistake.
        """
        _check_names("start", options)
        try:
            refusal = refuse(request, cross_site=self.cross_site)
            return begin(self.engine(), request, argv, options) if refusal is None else refusal
        except TailraceError as error:
            return self._problem(error)

    def _problem(self, error: TailraceError) -> Response:
        if not isinstance(error, CallerError) or error.op == "start":
            self.log(error)
        return response_to(error)


def _check_names(function: str, options: StartOptions) -> None:
    if unknown := sorted(set(options) - set(StartOptions.__annotations__)):
        close = difflib.get_close_matches(unknown[0], StartOptions.__annotations__, 1)
        meant = f"; did you mean {close[0]!r}?" if close else f"; options: {', '.join(StartOptions.__annotations__)}"
        raise TypeError(f"{function}() has no option {unknown[0]!r}{meant}")
