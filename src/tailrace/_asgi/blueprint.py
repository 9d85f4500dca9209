"""The API's routes as an ASGI application: here the path is found, `tailrace.web.routes.door` decides everything else.

A route's function may wait for the disk, a runner or a keeper, so it is called in a thread.
"""

import asyncio
import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final, TypeAlias, TypeVar, cast

from tailrace._asgi.answers import Answer
from tailrace._asgi.asking import body_of, headers_of, pairs_of, path_of
from tailrace.core.command import Commands
from tailrace.core.run import RunInfo
from tailrace.engine.base import Engine
from tailrace.web.answering import USUAL
from tailrace.web.loop.sinks import Receive, Scope, Send
from tailrace.web.pace import Pace
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.routes.call import Action, Call, Instead
from tailrace.web.routes.door import answer
from tailrace.web.routes.table import PATHS
from tailrace.web.viewer import Viewer

AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Verdict: TypeAlias = bool | AsgiApp
Authorize: TypeAlias = Callable[[Scope, Action, RunInfo | None], Verdict | Awaitable[Verdict]]
Enter: TypeAlias = Callable[[str, Sequence[str]], Callable[[], None] | Response]
MakeRequest: TypeAlias = Callable[[Scope, str | None, Pace], Awaitable[Request]]

T = TypeVar("T")

_log = logging.getLogger("tailrace")
_PATTERNS: Final = tuple(
    (path, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))) for path in PATHS
)


class _Own(Instead):
    """The application's own answer."""

    def __init__(self, answer: AsgiApp) -> None:
        super().__init__()
        self.answer = answer


class Blueprint:
    """The API; without `authorize`, anybody may do anything."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        make_request: MakeRequest,
        authorize: Authorize | None,
        hosts: frozenset[str] | None,
        commands: Commands,
    ) -> None:
        self._engine = engine
        self._make_request = make_request
        self._authorize = authorize
        self._hosts = hosts
        self._commands = commands
        self.enter: Enter | None = None
        """asked before a viewer is served: returns what is called when it has left, or a response that refuses it"""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            RuntimeError: this is no request: an application answers to its server's lifespan itself.
        """
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
        asked = (scope, receive, send)
        del scope, receive, send  # a viewer may stay for days
        try:
            await Answer(response, _report)(*asked)
        finally:
            if leave is not None:
                leave()

    def _admitted(self, scope: Scope, response: Response) -> Callable[[], None] | Response | None:
        """Return what is to be called when the viewer has left, or its refusal; None for what is no stream."""
        if self.enter is None or not isinstance(response.body, Viewer):
            return None
        client = cast("tuple[str, int] | None", scope.get("client"))
        entered = self.enter("" if client is None else client[0], response.body.run_ids)
        if isinstance(entered, Response):
            response.body.close()
        return entered

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        request = await self._make_request(scope, None, USUAL)
        path, names = _match(path_of(scope))
        loop = asyncio.get_running_loop()

        def wait_for(work: Coroutine[object, object, T]) -> T:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        def make_call() -> Call:
            return Call(
                request=request,
                engine=self._engine,
                may=self._may(scope, wait_for),
                hosts=self._hosts,
                query=tuple(pairs_of(scope)),
                content_type=headers_of(scope, ["content-type"]).get("content-type", ""),
                commands=self._commands,
                read=lambda limit_bytes: wait_for(body_of(receive, limit_bytes)),
            )

        return await asyncio.to_thread(answer, make_call, path, next(iter(names.values()), None), _log_failure)

    def _may(
        self, scope: Scope, wait_for: Callable[[Coroutine[object, object, Verdict]], Verdict]
    ) -> Callable[[Action, RunInfo | None], bool]:
        """Have the application decide; what is neither yes nor no nor an answer is a mistake, and lets nobody in."""
        authorize = self._authorize

        def may(action: Action, info: RunInfo | None) -> bool:
            if authorize is None:
                return True
            verdict: object = authorize(scope, action, info)
            if inspect.isawaitable(verdict):
                verdict = wait_for(_awaited(cast("Awaitable[Verdict]", verdict)))
            if isinstance(verdict, bool):
                return verdict
            if callable(verdict):
                raise _Own(cast("AsgiApp", verdict))
            raise TypeError(f"authorize must return True, False or an ASGI application, not {verdict!r}")

        return may


async def _awaited(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict


def _match(path: str) -> tuple[str | None, dict[str, str]]:
    """Return the path of the table that fits, and what stands for its names; None if none does.

    Where it is mounted, a path without the slash at its end is the page's too, which leads to the right one.
    """
    for known, pattern in _PATTERNS:
        if (match := pattern.fullmatch(path or "/")) is not None:
            return known, match.groupdict()
    return None, {}


def _report(error: Exception) -> None:
    _log.error("a stream stopped early: %s", error)


def _log_failure(error: Exception) -> None:
    _log.error("a request failed: %s", error, exc_info=error)
