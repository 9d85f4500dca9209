"""Tailrace for any ASGI application: Starlette, FastAPI, Quart, Litestar, Django, or none at all.

    race = Tailrace()

    @app.get("/count")
    async def count(request: Request):
        return await race.stream(request, ["seq", "100"])

The twin of `tailrace.flask`: the same names, rules, wires and options. A viewer costs a few KiB, and neither a thread
nor a task's time while the command is silent. Nothing is made before the first request.
"""

import logging
import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeAlias, Unpack

from tailrace._asgi.answers import Answer
from tailrace._asgi.asking import request_of, scope_of
from tailrace._asgi.blueprint import Authorize, AuthorizeCommand, Blueprint
from tailrace._asgi.frameworks import answer_to
from tailrace.audit.journal import journal_of
from tailrace.config.load import commands_of
from tailrace.core.audit import Audit
from tailrace.core.coded import About, Argv, Coded, P, coded
from tailrace.core.command import Command, Commands
from tailrace.core.errors import TailraceError
from tailrace.core.parameters import (
    Boolean,
    Choice,
    Choices,
    Date,
    Integer,
    Number,
    PathBelow,
    Secret,
    Text,
    Upload,
)
from tailrace.engine.base import Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.web.answering import USUAL, Answering, OnDisconnect, What
from tailrace.web.engines import EngineHere
from tailrace.web.loop.sinks import Receive, Scope, Send
from tailrace.web.loop.work import beside
from tailrace.web.pace import Pace
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.routes.permission import checked_names

__all__ = [
    "Answer",
    "Audit",
    "Blueprint",
    "Boolean",
    "Choice",
    "Choices",
    "Command",
    "Commands",
    "Date",
    "Integer",
    "Number",
    "Pace",
    "PathBelow",
    "Receive",
    "Refused",
    "Scope",
    "Secret",
    "Send",
    "Tailrace",
    "Text",
    "Upload",
]

User: TypeAlias = Callable[[Scope], str | Awaitable[str | None] | None]

_log = logging.getLogger("tailrace")


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
        user: given a request's scope, returns who asks, or None; it may be asynchronous. A run that was started for one
            user is not resumed by another.
        cross_site: whether pages of other sites may start a run (see `tailrace.web.starting`).
        commands: what the API of a `blueprint` may start: the path of a file that declares commands
            (`tailrace.toml`, of which `[server]` means nothing here), or a `Commands`. By default nothing.

    Raises:
        InvalidInput: the file cannot be read, or something in it is wrong; all that is wrong is told.
    """

    def __init__(
        self,
        *,
        engine: Engine | str | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        user: User | None = None,
        cross_site: bool = False,
        commands: Commands | str | os.PathLike[str] | None = None,
    ) -> None:
        self._declared = Coded(commands_of(commands))
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

    def blueprint(  # noqa: PLR0913  all that can be said of it
        self,
        *,
        authorize: Authorize | None = None,
        authorize_command: AuthorizeCommand | None = None,
        open: bool = False,  # noqa: A002  the word that whoever mounts it so is to read
        hosts: Collection[str] = (),
        commands: Commands | str | os.PathLike[str] | None = None,
        audit: Audit | str | os.PathLike[str] | None = None,
    ) -> Blueprint:
        """Return the HTTP API as an ASGI application, to be mounted anywhere.

        Args:
            authorize: called for each request, before anything is read or done, as `authorize(scope, action, None)`:
                may the caller do this at all? The action is `list`, `view`, `start`, `stop`, `input`, `pin` or `share`.
                Then, where a run is concerned, as `authorize(scope, "view", run)` and `authorize(scope, action, run)`,
                with its `RunInfo`. It returns True, or False, or an ASGI application that answers instead (a redirect
                to the login). It may be asynchronous; otherwise it is called in a thread.
                A websocket's scope is of the type `websocket`, and each of its messages is asked about likewise.
            authorize_command: called likewise, as `authorize_command(scope, action, command)`: may the caller `list`
                this command, or `start` it? Of one that he may do neither to, he is told nothing. Without it, whoever
                may start anything may start every command, but those that say who may (`allow`): nobody starts these.
            open: True, instead of `authorize`: anybody who can reach the server may do anything.
            hosts: names by which the server may be asked, besides its addresses and `localhost`. Without any, an open
                blueprint knows no other names, and one with `authorize` does not look.
            commands: what may be started by it, instead of the application's `commands`: a file, or a `Commands`.
            audit: a file in which it records who did what, or an `Audit`, which says more about it.

        Raises:
            InvalidInput: the file with the commands cannot be read, or something in it is wrong; or the audit cannot be
                written.
            TypeError: neither `authorize` nor `open=True`, or both.
        """
        names = checked_names(authorize, hosts, is_open=open is True)
        own = None if commands is None else commands_of(commands)
        declared = self._declared if own is None else lambda: own
        return Blueprint(self._engine, self._request, authorize, names, declared, journal_of(audit), authorize_command)

    def command(self, **about: Unpack[About]) -> Callable[[Callable[P, Argv]], Callable[P, Argv]]:
        """Return a decorator that declares a command: a function that returns its argv.

        Its parameters are those of the function, by their type hints; see `tailrace.core.coded`.

        Args:
            **about: the command's `name`, by default the function's with `-` for `_`, and its other fields, as of
                `Command`.

        Raises:
            InvalidValues: something about it is wrong, or there is a command of this name.
        """

        def declare(function: Callable[P, Argv]) -> Callable[P, Argv]:
            self._declared.add(coded(function, about))
            return function

        return declare

    async def stream(
        self,
        request: object,
        what: What,
        *,
        wire: str | None = None,
        pace: Pace = USUAL,
        on_disconnect: OnDisconnect = "keep",
        **options: Unpack[StartOptions],
    ) -> Answer:
        """Return an answer that streams a run's output to whoever asked, as it comes.

        Args:
            request: the framework's request, or the ASGI scope.
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
            An ASGI application; to a request of Starlette's or FastAPI's, also a response of theirs. If the stream
            cannot be had, it is a problem document (RFC 9457). A viewer that leaves, or never reads, does nothing to
            the run. If this is cancelled, the run may have started.
        """
        scope = scope_of(request)
        asked = await self._request(scope, wire, pace)
        response = await beside(self._answering.stream, asked, what, options, on_disconnect)
        return answer_to(request, response, _report)

    async def start(self, request: object, argv: Sequence[str], **options: Unpack[StartOptions]) -> Run:
        """Start a run, for a route that answers with something else than its output.

        Args:
            request: the framework's request, or the ASGI scope.
            argv: the command as a list of arguments.
            **options: more about the run, as for `Engine.start`.

        Raises:
            Refused: the request may not start anything, or nothing could be started.
            TypeError: an option that does not exist: the route's mistake.
        """
        asked = await self._request(scope_of(request), None, USUAL)
        run = await beside(self._answering.start, asked, argv, options)
        if isinstance(run, Response):
            raise Refused(Answer(run, _report))
        return run

    async def _request(self, scope: Scope, wire: str | None, pace: Pace) -> Request:
        user = self._user(scope) if self._user is not None else None
        if isinstance(user, Awaitable):
            user = await user
        return request_of(scope, user, wire, pace)


def _log_error(error: TailraceError) -> None:
    _log.error("%s (%s)", error.message, error.hint)


def _report(error: Exception) -> None:
    _log.error("a stream stopped early: %s", error)
