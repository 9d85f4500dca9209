"""What a server that knows its callers has besides the API: the guard, the pages to come in by, and links to runs."""

import re
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast
from urllib.parse import parse_qsl, quote

from tailrace._asgi.asking import headers_of, path_of
from tailrace.config.load import Config
from tailrace.core.access import Action, with_commands
from tailrace.server.auth.cookies import Header, set_cookie
from tailrace.server.auth.guard import Guard, ProxyHeaders
from tailrace.server.auth.oidc import Provider
from tailrace.server.auth.oidc_pages import OidcPages
from tailrace.server.auth.pages import Asked, Logins
from tailrace.server.auth.users import FILE, Users
from tailrace.server.auth.vault import Vault
from tailrace.server.logs import report
from tailrace.web.loop.sinks import Scope
from tailrace.web.page.document import see_other
from tailrace.web.problems import problem
from tailrace.web.responses import Response
from tailrace.web.routes.call import Refused, guarded
from tailrace.web.routes.door import check_host
from tailrace.web.routes.pages import told
from tailrace.web.routes.sharing import PARAMETER

_RUN_PAGE: Final = re.compile(r"/runs/(?P<run>[a-z0-9]{1,64})")


class Login:
    """Everything about coming in.

    Args:
        guard: what knows callers.
        pages: where they come in.
        hosts: names by which the server may be asked.
    """

    def __init__(self, guard: Guard, pages: Logins, hosts: frozenset[str]) -> None:
        self.guard = guard
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

        return told(guarded(answer, report), below)

    def refusal(self, scope: Scope, action: Action) -> Response | None:
        """Return the answer to whom the action is not allowed; None: it is."""
        visit = self.guard.visit(scope)
        try:
            if visit.may(action, None):
                return None
        except Refused as refused:
            return refused.response
        return problem(HTTPStatus.FORBIDDEN, "you may not see these figures", "ask as an admin, or by a token for it")

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


def login_of(config: Config) -> Login:
    """Return what a server of these settings has.

    Raises:
        EngineError: what is kept of callers cannot be used.
    """
    settings = config.server
    vault = Vault(settings.state_dir)
    users = Users(Path(settings.users_file) if settings.users_file is not None else vault.path / FILE)
    headers = ProxyHeaders(settings.user_header, settings.groups_header)
    guard = Guard(settings.auth, with_commands(config.access, config.commands), vault, users, headers)
    guard.only_run = config.only_run
    if settings.auth == "token":
        guard.tokens.own()
    pages = Logins(guard, vault)
    if config.oidc is not None and settings.auth == "oidc":
        pages.routes |= OidcPages(pages, guard, vault, Provider(config.oidc)).routes
    return Login(guard, pages, frozenset(host.lower() for host in settings.hosts))


def _share_in(scope: Scope) -> str | None:
    query = cast("bytes", scope.get("query_string", b"")).decode("latin-1")
    return next((value for name, value in parse_qsl(query) if name == PARAMETER), None)
