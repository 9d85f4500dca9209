"""The application that `tailrace serve` serves: the API, and what a server needs around it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import closing
from http import HTTPStatus
from typing import TypeAlias

import msgspec

from tailrace._asgi.asking import body_of, headers_of, path_of
from tailrace.asgi import Answer, Tailrace
from tailrace.config.live import Live
from tailrace.config.load import Config
from tailrace.core.errors import InvalidInput, NotRecorded, TailraceError
from tailrace.core.run import RunInfo
from tailrace.engine.base import Query
from tailrace.host.statedir import StateDir, default_path
from tailrace.host.uploads import has_any, sweep
from tailrace.server.access import Noted, line_of
from tailrace.server.auth.guard import TRUSTED
from tailrace.server.auth.guests import Guests
from tailrace.server.auth.login import Login, login_of
from tailrace.server.auth.pages import FORM_BYTES, Asked
from tailrace.server.cors import Allowing, Cors, answer_preflight, is_preflight
from tailrace.server.forwarded import Proxies
from tailrace.server.logs import report
from tailrace.server.metrics import CONTENT_TYPE, Metrics
from tailrace.web.audience import Audience, Bounds
from tailrace.web.loop.hall import Hall, hall_of
from tailrace.web.loop.sinks import Receive, Scope, Send
from tailrace.web.loop.work import beside
from tailrace.web.problems import STOPPING, response_to
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.routes.account import event
from tailrace.web.routes.call import Refused, guarded
from tailrace.web.routes.door import check_host

OWN_PATHS = ("/healthz", "/readyz", "/metrics")
"""for whoever looks after the server"""


KEPT = "kept: the log says why"
"""to whom nobody knows: what the file says is not for everybody"""
About: TypeAlias = Callable[[Hall, Scope], Response]
"""what answers whoever looks after the server"""


class ServerApp:
    """An ASGI application.

    Args:
        config: what is declared, and how it is served.
    """

    def __init__(self, config: Config) -> None:
        settings = config.server
        self._race = Tailrace(state_dir=settings.state_dir)
        self._api = self._race.blueprint(open=True, hosts=settings.hosts, commands=config.commands, audit=config.audit)
        self._login: Login | None = None if settings.auth == "none" else login_of(config, self._api.auditor)
        if self._login is not None:
            self._api.guard = self._login.guard.visit
            self._api.watch = Guests(self._login.guard, self._run).enter
        bounds = Bounds(settings.max_viewers_per_run, settings.max_viewers_per_address)
        self._api.audience = Audience(lambda: self._race.engine, bounds)
        self._proxies = Proxies(settings.trusted_proxies)
        self._cors = Cors(settings.cors_origins)
        self._has_access_log = settings.access_log
        self._hosts = frozenset(host.lower() for host in settings.hosts)
        functions: tuple[About, ...] = (_health, self._readiness, self._metrics)
        self._own = dict(zip(OWN_PATHS, functions, strict=True))
        self._kept = ""

    def take(self, live: Live) -> None:
        """Have what the files say count from the next request on; whoever watches goes on watching.

        The rules come first: no command is there before what is said of who may start it.
        """
        if self._login is not None:
            self._login.take(live.config)
        self._api.commands = live.config.commands
        self._kept = self._api.notice = f"kept: {live.kept}" if live.kept else ""

    def note_reload(self, live: Live) -> None:
        """Have it on record that the files were read again, and by which process. For a thread: a disk may be slow.

        A record that cannot be written keeps nobody from taking a right away: what the files say counts all the same.
        """
        asked, via = Request(method="", path=""), f"worker {os.getpid()}"
        try:
            event(self._api.auditor, asked, "reload", allowed=live.is_taken, via=via, why=live.kept)
        except NotRecorded as error:
            report(error)

    def sweep(self, state_dir: str | None) -> None:
        """Remove files that were sent to a server which was killed; what cannot be now, is by a later request."""
        if not has_any(state_dir or default_path()):
            return
        try:
            with closing(StateDir(state_dir or default_path(), create=False)) as state:
                sweep(state)
        except (TailraceError, OSError) as error:
            report(error)

    def finish(self) -> None:
        """Have on record what is still to follow, when the process ends."""
        if self._api.auditor is None:
            return
        try:
            self._api.auditor.finish()
        except NotRecorded as error:
            report(error)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer. Whoever awaits that waits for no frame of this: a viewer may stay for days."""
        if scope["type"] == "lifespan":
            return _live(receive, send)
        scope[TRUSTED] = self._proxies.apply(scope)
        if self._has_access_log:
            send = Noted(line_of(scope), send)
        if (origin := self._cors.origin_of(scope)) is not None:
            send = Allowing(origin, send)
            if scope["type"] == "http" and is_preflight(scope):
                return answer_preflight(send)
        if (own := self._own.get(path_of(scope))) is not None and scope["type"] == "http":
            return self._tell(own, scope, receive, send)
        if self._login is not None and scope["type"] == "http" and self._login.is_for(scope):
            return self._log_in(self._login, scope, receive, send)
        return self._api(scope, receive, send)

    def _run(self, run_id: str) -> RunInfo:
        """Return a run as it is now."""
        return self._race.engine.get(run_id)

    def _readiness(self, hall: Hall, scope: Scope) -> Response:
        """Tell whether runs can be looked at, and new viewers are welcome; what is wrong, only under a name of ours."""
        if hall.is_leaving:
            return STOPPING
        try:
            self._race.engine.list(Query(limit=1))
        except TailraceError as error:
            report(error)
            return response_to(error)
        kept = self._kept if self._login is None and self._is_ours(scope) else self._kept and KEPT
        return _told({"status": "ok", "config": kept} if kept else {"status": "ok"})

    def _metrics(self, hall: Hall, scope: Scope) -> Response:
        """Tell figures to whom they are for.

        Raises:
            Refused: nobody is asked who he is, and a page may have had its own name point here.
        """
        if self._login is None:
            check_host(_host_of(scope), self._hosts)
        elif (refusal := self._login.refusal(scope, "metrics")) is not None:
            return refusal
        try:
            text = Metrics(self._race.engine, hall).text()
        except TailraceError as error:
            report(error)
            return response_to(error)
        return _sent(CONTENT_TYPE, text)

    def _is_ours(self, scope: Scope) -> bool:
        """Tell whether the server is asked by a name of its own."""
        try:
            check_host(_host_of(scope), self._hosts)
        except Refused:
            return False
        return True

    async def _tell(self, about: About, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whoever looks after the server."""
        hall = hall_of(asyncio.get_running_loop())
        response = await beside(guarded, lambda: about(hall, scope), report)
        await Answer(response, report)(scope, receive, send)

    async def _log_in(self, login: Login, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whoever comes in, or goes out."""
        try:
            asked = Asked(scope=scope, body=await body_of(receive, FORM_BYTES))
        except InvalidInput as error:
            response = response_to(error)
        else:
            response = await beside(guarded, lambda: login.answer(asked), report)
        await Answer(response, report)(scope, receive, send)


def _health(_hall: Hall, _scope: Scope) -> Response:
    """Tell that this process answers."""
    return _told({"status": "ok"})


def _told(words: dict[str, str]) -> Response:
    return _sent("application/json", msgspec.json.encode(words))


def _sent(kind: str, body: bytes) -> Response:
    headers = (("Content-Type", kind), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
    return Response(status=HTTPStatus.OK, headers=headers, body=body)


def _host_of(scope: Scope) -> str:
    return headers_of(scope, ["host"]).get("host", "")


async def _live(receive: Receive, send: Send) -> None:
    """Say yes to the server's beginning and end (ASGI lifespan protocol)."""
    while True:
        kind = str((await receive())["type"])
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
