"""The API's routes as an ASGI application: here the path is found, `tailrace.web.routes.door` decides everything else.

A route's function may wait for the disk, a runner or a keeper, so it is called in a thread.
"""

import asyncio
import dataclasses
import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, Protocol, TypeAlias, TypeVar, cast

from tailrace._asgi.answers import Answer
from tailrace._asgi.asking import headers_of, pairs_of, path_of
from tailrace._asgi.bodies import Body, Later
from tailrace._asgi.handshakes import Refusing, accept, protocols_of
from tailrace.core.access import Action
from tailrace.core.command import Command, Commands
from tailrace.core.identity import Identity
from tailrace.core.run import RunInfo
from tailrace.engine.base import Engine
from tailrace.web.answering import USUAL
from tailrace.web.audience import Audience
from tailrace.web.loop.hall import hall_of
from tailrace.web.loop.sinks import Receive, Scope, Send
from tailrace.web.loop.sockets import Socket
from tailrace.web.loop.work import beside
from tailrace.web.pace import Pace
from tailrace.web.problems import STOPPING
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.routes.account import Account, Auditor, note_unknown
from tailrace.web.routes.call import Call, Instead, Refused, Sharing
from tailrace.web.routes.door import Place, answer
from tailrace.web.routes.permission import undecided
from tailrace.web.routes.table import PATHS
from tailrace.web.steps import Stream

AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Verdict: TypeAlias = bool | AsgiApp
Authorize: TypeAlias = Callable[[Scope, Action, RunInfo | None], Verdict | Awaitable[Verdict]]
AuthorizeCommand: TypeAlias = Callable[[Scope, Action, Command], Verdict | Awaitable[Verdict]]
MakeRequest: TypeAlias = Callable[[Scope, str | None, Pace], Coroutine[object, object, Request]]

WaitFor: TypeAlias = Callable[[Coroutine[object, object, Verdict]], object]

T = TypeVar("T")


class Visiting(Protocol):
    """One request's caller, whom the server itself knows; see `tailrace.server.auth.guard`."""

    @property
    def sharing(self) -> Sharing | None:
        """Where links to runs are made."""

    @property
    def session_cookie(self) -> str:
        """The name of the cookie by which browsers are known; empty: they are known otherwise."""

    def who(self) -> Identity | None:
        """Return the caller; None: nobody knows him."""

    def may(self, action: Action, info: RunInfo | None) -> bool:
        """Tell whether he may do this to the run, or to any at all."""

    def may_command(self, action: Action, command: Command) -> bool:
        """Tell whether he may do this to the command."""

    def sees_all(self) -> bool:
        """Tell whether he may view every run."""


_log = logging.getLogger("tailrace")


def _pattern(path: str) -> re.Pattern[str]:
    """Return what a path of the table stands for."""
    parts = re.split(r"\{(\w+)\}", path)
    names = [f"(?P<{name}>[^/]+)" for name in parts[1::2]]
    return re.compile(
        "".join(part for pair in zip(map(re.escape, parts[::2]), [*names, ""], strict=True) for part in pair)
    )


_PATTERNS: Final = tuple((path, _pattern(path)) for path in PATHS)


class _Own(Instead):
    """The application's own answer."""

    def __init__(self, answer: AsgiApp) -> None:
        super().__init__()
        self.answer = answer


class Blueprint:
    """The API; without `authorize`, anybody may do anything."""

    def __init__(  # noqa: PLR0913, PLR0917  all that a blueprint is made of
        self,
        engine: Callable[[], Engine],
        make_request: MakeRequest,
        authorize: Authorize | None,
        hosts: frozenset[str] | None,
        commands: Callable[[], Commands],
        auditor: Auditor | None = None,
        authorize_command: AuthorizeCommand | None = None,
    ) -> None:
        self._engine = engine
        self._make_request = make_request
        self._authorize = authorize
        self._authorize_command = authorize_command
        self._hosts = hosts
        self._commands = commands
        self.auditor = auditor
        self.commands: Commands | None = None
        """what may be started from now on, instead of what it was made with"""
        self.notice = ""
        """what whoever looks after the server is to know; told to those who may do everything"""
        self.audience = Audience(engine)
        """lets viewers in"""
        self.guard: Callable[[Scope], Visiting] | None = None
        """returns who asks, instead of `authorize`, where the server knows by itself; called in a thread"""
        self.watch: Callable[[Scope, Stream], Callable[[], None]] | None = None
        """told of each stream that begins, and returns what is told of its end"""

    def under(self, prefix: str, app: AsgiApp) -> AsgiApp:
        """Return an application that answers below the prefix, and has another one answer everywhere else.

        For frameworks that mount no applications, and for none at all.

        Args:
            prefix: such as `/ops`; it goes on the scope's `root_path`.
            app: the other application; it also gets what is no request, its server's lifespan.
        """
        begin = "/" + prefix.strip("/")

        async def either(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] in ("http", "websocket") and path_of(scope).startswith(f"{begin}/"):
                root = str(scope.get("root_path", "")).rstrip("/")
                below = {**scope, "root_path": root + begin, "path": root + path_of(scope)}
                await self(below, receive, send)
            else:
                await app(scope, receive, send)

        return either

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or a websocket's handshake.

        Raises:
            RuntimeError: this is neither: an application answers to its server's lifespan itself.
        """
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"this answers requests over HTTP, not {scope['type']!r}")
        try:
            response = await self._response(scope, receive)
        except _Own as own:
            await own.answer(scope, receive, send)
            return
        leave = self._admitted(scope, response)
        if isinstance(leave, Response):
            response, leave = leave, None
        sending = Answer(response, _report)(scope, receive, send)
        del scope, receive, send, response  # a viewer may stay for days
        try:
            await sending
        finally:
            if leave is not None:
                leave()

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a websocket, or say why not."""
        await receive()  # that it wants to connect
        instead = Refusing(scope, receive, send)
        try:
            response = await self._response(scope, receive)
        except _Own as own:
            await own.answer(instead.scope, instead.receive, instead.send)
            return
        leave = self._admitted(scope, response)
        if isinstance(leave, Response):
            response, leave = leave, None
        try:
            if response.session is None:
                await Answer(response, _report)(instead.scope, instead.receive, instead.send)
            else:
                await accept(response, send)
                await Socket(response.session, receive, send).run(_report)
        finally:
            if response.session is not None:
                response.session.close()
            if leave is not None:
                leave()

    def _admitted(self, scope: Scope, response: Response) -> Callable[[], None] | Response | None:
        """Return what is to be called when the viewer has left, or its refusal; None for what is no stream."""
        stream, visitor = response.stream, response.visitor
        if stream is None or visitor is None:
            return None
        entered = self.audience.enter(visitor, self._declared(), has_begun=scope.get("method") == "POST")
        if isinstance(entered, Response):
            stream.close()
            return entered
        return entered if self.watch is None else _both(entered, self.watch(scope, stream))

    def _declared(self) -> Commands:
        return self._commands() if self.commands is None else self.commands

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        place = _place(path_of(scope))
        loop = asyncio.get_running_loop()
        body, hall = Body(receive, loop), hall_of(loop)
        account = None if self.auditor is None else Account(self.auditor, _log_failure)

        def wait_for(work: Coroutine[object, object, T]) -> T:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        def make_call() -> Call:
            call = self._guarded(scope, plain_call())
            body.caller = call.request.user or call.request.client
            return call

        def plain_call() -> Call:
            return Call(
                request=wait_for(self._make_request(scope, None, USUAL)),
                engine=self._engine,
                may=self._may(scope, wait_for),
                may_command=self._may_command(scope, wait_for),
                sees_all=self._authorize is None,
                hosts=self._hosts,
                query=tuple(pairs_of(scope)),
                content_type=headers_of(scope, ["content-type"]).get("content-type", ""),
                commands=self._declared(),
                notice=self.notice,
                protocols=protocols_of(scope),
                is_leaving=lambda: hall.is_leaving,
                has_sockets=True,
                report=_log_failure,
                refusal=lambda visitor: self.audience.refusal(visitor, self._declared()),
                read=body.read,
                account=account,
            )

        while True:
            try:
                return await beside(answer, make_call, place, _log_failure)
            except Later:
                await body.come()
            except asyncio.CancelledError:  # the grace is over
                if not hall.is_leaving:
                    raise
                return STOPPING

    def _guarded(self, scope: Scope, call: Call) -> Call:
        """Return the call with its caller, as the server knows him."""
        if self.guard is None:
            return call
        visit = self.guard(scope)
        who = visit.who()

        def may(action: Action, info: RunInfo | None) -> bool:
            return _told(call, lambda: visit.may(action, info))

        def may_command(action: Action, command: Command) -> bool:
            return _told(call, lambda: visit.may_command(action, command))

        return dataclasses.replace(
            call,
            request=call.request if who is None else dataclasses.replace(call.request, user=who.name),
            may=may,
            sees_all=visit.sees_all(),
            commands=Commands() if who is None else call.commands,
            who=who,
            may_command=may_command,
            has_login=True,
            session_cookie=visit.session_cookie,
            sharing=visit.sharing,
        )

    def _may(self, scope: Scope, wait_for: WaitFor) -> Callable[[Action, RunInfo | None], bool]:
        """Have the application decide."""
        authorize = self._authorize

        def may(action: Action, info: RunInfo | None) -> bool:
            return authorize is None or _decided(authorize(scope, action, info), wait_for)

        return may

    def _may_command(self, scope: Scope, wait_for: WaitFor) -> Callable[[Action, Command], bool]:
        """Have the application decide on commands; where it does not, those that say who may are nobody's."""
        authorize = self._authorize_command
        if authorize is None:
            return _anything if self._authorize is None else undecided

        def may_command(action: Action, command: Command) -> bool:
            return _decided(authorize(scope, action, command), wait_for)

        return may_command


def _anything(_action: Action, _command: Command) -> bool:
    return True


def _decided(verdict: object, wait_for: WaitFor) -> bool:
    """Return what the application has decided.

    What is neither yes nor no nor an answer is a mistake, and lets nobody in.

    Raises:
        Instead: it answers itself.
        TypeError: it is a mistake.
    """
    if inspect.isawaitable(verdict):
        verdict = wait_for(_awaited(cast("Awaitable[Verdict]", verdict)))
    if isinstance(verdict, bool):
        return verdict
    if callable(verdict):
        raise _Own(cast("AsgiApp", verdict))
    raise TypeError(f"authorize must return True, False or an ASGI application, not {verdict!r}")


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        one()
        other()

    return both


def _told(call: Call, verdict: Callable[[], bool]) -> bool:
    """Return the verdict; that nobody knows who asks, which refuses him, is noted for the audit."""
    try:
        return verdict()
    except Refused:
        note_unknown(call)
        raise


async def _awaited(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict


def _place(below: str) -> Place:
    """Return what is at a path.

    Where it is mounted, a path without the slash at its end is the page's too, which leads to the right one.
    """
    for known, pattern in _PATTERNS:
        if (match := pattern.fullmatch(below or "/")) is not None:
            return Place(below, known, next(iter(match.groupdict().values()), None))
    return Place(below, None)


def _report(error: Exception) -> None:
    _log.error("a stream stopped early: %s", error)


def _log_failure(error: Exception) -> None:
    _log.error("a request failed: %s", error, exc_info=error)
