"""What a server that knows its callers has besides the API: the guard, the pages to come in by, and links to runs."""

import re
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast
from urllib.parse import parse_qsl, quote

import msgspec

from tailrace._asgi.asking import headers_of, path_of
from tailrace.config.access import Oidc
from tailrace.config.load import Config
from tailrace.core.access import Action, with_commands
from tailrace.server.auth.cookies import Header, set_cookie
from tailrace.server.auth.guard import Guard, ProxyHeaders
from tailrace.server.auth.oidc import Provider
from tailrace.server.auth.oidc_pages import OidcPages
from tailrace.server.auth.pages import LOGOUT, Asked, Logins
from tailrace.server.auth.record import Happening, Record
from tailrace.server.auth.sessions import LONGEST_S, TOLD_S
from tailrace.server.auth.shares import holder
from tailrace.server.auth.users import FILE, Users
from tailrace.server.auth.vault import Vault, hashed
from tailrace.server.logs import report
from tailrace.web.loop.sinks import Scope
from tailrace.web.page.document import see_other
from tailrace.web.problems import problem
from tailrace.web.responses import Response
from tailrace.web.routes.account import Auditor, detail_of
from tailrace.web.routes.call import Refused, guarded
from tailrace.web.routes.door import check_host
from tailrace.web.routes.pages import told
from tailrace.web.routes.sharing import PARAMETER

TURNED_AWAY: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST)
"""besides those whose proof is not good, whom the login's own pages record"""
_RUN_PAGE: Final = re.compile(r"/runs/(?P<run>[a-z0-9]{1,64})")


class Login:
    """Everything about coming in.

    Args:
        guard: what knows callers.
        pages: where they come in.
        hosts: names by which the server may be asked.
        record: what is told of who comes and goes.
    """

    def __init__(self, guard: Guard, pages: Logins, hosts: frozenset[str], record: Record) -> None:
        self.guard = guard
        self._record = record
        self.pages = pages
        self._hosts = hosts

    def is_for(self, scope: Scope) -> bool:
        """Tell whether the request is for this, and not for the API."""
        below = path_of(scope)
        if self.pages.find(str(scope["method"]), below) is not None:
            return True
        return _RUN_PAGE.fullmatch(below) is not None and _share_in(scope) is not None

    def answer(self, asked: Asked) -> Response:
        """Answer it; an error is a page, for whoever looks at it.

        Raises:
            EngineError: what is kept of callers cannot be used.
        """
        below = path_of(asked.scope)
        work = self.pages.find(str(asked.scope["method"]), below)

        def answer() -> Response:
            check_host(headers_of(asked.scope, ["host"]).get("host", ""), self._hosts)
            return self._open_share(asked) if work is None else work(asked)

        response = guarded(answer, report)
        if response.status in TURNED_AWAY:
            run = below.rpartition("/")[2] if work is None else None
            what: Happening = "open" if work is None else "logout" if below == LOGOUT else "login"
            why = detail_of(response) or "refused"
            self._record.done(asked.scope, what, run=run, why=why, status=response.status)
        return told(response, below)

    def take(self, config: Config) -> None:
        """Have the rules that the files say now count from the next question on; who is in stays in."""
        self.guard.access = with_commands(config.access, config.commands)

    def refusal(self, scope: Scope, action: Action) -> Response | None:
        """Return the answer to whom the action is not allowed; None: it is."""
        visit = self.guard.visit(scope)
        try:
            if visit.may(action, None):
                return None
            hint = "ask as an admin, or by a token for it"
            response = problem(HTTPStatus.FORBIDDEN, "you may not see these figures", hint)
        except Refused as refused:
            response = refused.response
        who, why = visit.who(), detail_of(response) or "refused"
        name, via = (None, "") if who is None else (who.name, who.via)
        self._record.done(scope, "metrics", who=name, via=via, why=why, status=response.status)
        return response

    def _open_share(self, asked: Asked) -> Response:
        """Take a link to a run for a cookie that opens this run alone, and out of the address."""
        run_id = path_of(asked.scope).rpartition("/")[2]
        token = _share_in(asked.scope) or ""
        found = self.guard.shares.find(token)
        if found is None or found[0] != run_id:
            return problem(
                HTTPStatus.FORBIDDEN,
                "this link has expired, or is not whole",
                "copy it once more as it was sent; or ask whoever sent it for another",
            )
        answer = see_other(run_id)
        self._record.done(asked.scope, "open", who=holder(run_id).name, via="share", run=run_id, status=answer.status)
        return Response(
            status=answer.status,
            headers=(
                *answer.headers,
                ("Referrer-Policy", "no-referrer"),
                *self._cookies(asked, run_id, token, found[1]),
            ),
            body=answer.body,
        )

    def _cookies(self, asked: Asked, run_id: str, token: str, until: int) -> list[Header]:
        """Return the cookies for the run's page, its part of the API, and events."""
        import time

        age_s = max(1, until - int(time.time()))
        paths = (f"/runs/{run_id}", f"/api/runs/{run_id}", "/api/events")
        name = self.guard.share_name(run_id)
        return [
            set_cookie(asked.scope, name, quote(token), path=f"{asked.root}{path}", age_s=age_s, same_site="Lax")
            for path in paths
        ]


def login_of(config: Config, auditor: Auditor | None) -> Login:
    """Return what a server of these settings has.

    Args:
        config: the settings.
        auditor: where it is recorded who comes and goes; None: nowhere.

    Raises:
        EngineError: what is kept of callers cannot be used.
    """
    settings = config.server
    vault = Vault(settings.state_dir)
    users = Users(Path(settings.users_file) if settings.users_file is not None else vault.path / FILE)
    headers = ProxyHeaders(settings.user_header, settings.groups_header)
    longest_s = settings.session_max_age or (TOLD_S if settings.auth == "oidc" else LONGEST_S)
    guard = Guard(settings.auth, with_commands(config.access, config.commands), vault, users, headers)
    guard.sessions.longest_s = longest_s
    guard.only_run = config.only_run
    if settings.auth == "token":
        guard.tokens.own()
    record = Record(auditor)
    pages = Logins(guard, vault, record)
    if config.oidc is not None and settings.auth == "oidc":
        guard.provider_stamp = _stamp_of(config.oidc)
        pages.routes |= OidcPages(pages, guard, vault, Provider(config.oidc)).routes
    return Login(guard, pages, frozenset(host.lower() for host in settings.hosts), record)


def _stamp_of(provider: Oidc) -> str:
    """Return what tells this provider's users from those of another one, and from those that went by another claim."""
    parts = (provider.issuer, provider.client_id, provider.name_claim, provider.groups_claim)
    return hashed(msgspec.json.encode(parts).decode())


def _share_in(scope: Scope) -> str | None:
    query = cast("bytes", scope.get("query_string", b"")).decode("latin-1")
    return next((value for name, value in parse_qsl(query) if name == PARAMETER), None)
