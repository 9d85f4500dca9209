"""Who asks, and what he may: the credentials of a request, what they are good for now, and `authorize`.

What proves who somebody is, in this order: `Authorization: Bearer`, with which nothing else counts; the header of a
trusted proxy; the cookie of a session; and, besides, links to single runs. What is known of a caller is looked at anew
whenever it is more than a second old, also while a stream or a websocket goes on: whoever is removed is out.
"""

import time
from http import HTTPStatus
from typing import Final, Literal, NamedTuple, TypeAlias, cast
from urllib.parse import quote

from tailrace._asgi.asking import path_of
from tailrace.core.access import Access, Action, Subject, authorize, of_command, of_run, sees_all
from tailrace.core.command import Command
from tailrace.core.identity import Identity
from tailrace.core.run import RunInfo
from tailrace.hooks.errand import BY as HOOK
from tailrace.server.auth.cookies import HOST_PREFIX, cookies_of, is_secure
from tailrace.server.auth.sessions import Session, Sessions
from tailrace.server.auth.shares import SHARED, Shares, holder
from tailrace.server.auth.tokens import BEGINNING, OWN, Tokens
from tailrace.server.auth.users import Users
from tailrace.server.auth.vault import Vault, hashed, is_same
from tailrace.web.loop.sinks import Scope
from tailrace.web.page.document import plain_page, see_other
from tailrace.web.page.html import element
from tailrace.web.problems import problem
from tailrace.web.responses import Response
from tailrace.web.routes.call import Refused, Sharing
from tailrace.web.routes.table import is_page

Auth: TypeAlias = Literal["none", "token", "users", "proxy", "oidc"]

FRESH_S: Final = 1.0
TRUSTED: Final = "tailrace.trusted"
"""in a scope: whether a trusted proxy has sent it on"""
NEXT_CHARS: Final = 500
LOGIN: Final = "/login"
SHARE_CODE_CHARS: Final = 8
OURS: Final = (OWN, SHARED)
BEGINNINGS: Final = (BEGINNING, f"{HOOK} ")
"""names, and beginnings of names, by which runs and rules know what is nobody's from elsewhere"""
OTHER_NAME: Final = f"nobody may be called {OWN} or {SHARED}, nor {BEGINNING}… or {HOOK} …: he needs another name there"
NAMED_CHARS: Final = 60
HINTS: Final = {
    "proxy": "come by way of the proxy that knows you, or send a token: Authorization: Bearer TOKEN",
    "link": "open the link to the run once more, whole, as it was sent",
}
"""to whom nobody knows, where there is no login"""


class Unknown(Refused):
    """Nobody knows who asks: 401, or, for a page, the way to the login."""

    def __init__(self, response: Response) -> None:
        super().__init__(HTTPStatus.UNAUTHORIZED, "you are not known here", "log in")
        self.response = response


class ProxyHeaders(NamedTuple):
    """What a trusted proxy says of its user, by these headers."""

    user: str
    groups: str


class Guard:
    """What knows callers.

    Args:
        auth: how they come in.
        access: what they may.
        vault: where sessions, tokens and secrets are.
        users: those of the file.
        headers: of the proxy.
    """

    def __init__(self, auth: Auth, access: Access, vault: Vault, users: Users, headers: ProxyHeaders) -> None:
        self.auth = auth
        self.access = access
        self.users = users
        self.sessions = Sessions(vault)
        self.tokens = Tokens(vault)
        self.shares = Shares(vault)
        self._headers = headers
        self.only_run: str | None = None
        """serve this run alone, to whoever has a link to it"""
        self.provider_stamp = ""
        """what the sessions of an OpenID provider's users are bound to: with another provider, they are over"""
        self.mark = hashed(str(vault.path))[:SHARE_CODE_CHARS]
        """in the names of cookies, which servers on other ports of the same host would share else"""

    @property
    def header_names(self) -> frozenset[bytes]:
        """The headers that say who asks, in lower case."""
        names = ("authorization", "cookie", self._headers.user, self._headers.groups)
        return frozenset(name.lower().encode() for name in names if name)

    def visit(self, scope: Scope) -> "Visit":
        """Return the caller of a request."""
        return Visit(self, scope)

    def cookie_name(self, scope: Scope) -> str:
        """Return the name of the session's cookie."""
        return f"{HOST_PREFIX if is_secure(scope) else ''}tailrace-{self.mark}"

    def share_name(self, run_id: str) -> str:
        """Return the name of the cookie of a link to the run."""
        return f"{self._share_prefix}{run_id}"

    def known(self, scope: Scope) -> list[Identity]:
        """Return all that the caller is, first the one that he is known by; none, if nobody knows him.

        Raises:
            EngineError: what is kept of callers cannot be read.
        """
        if self.only_run is not None:
            bearer = bearer_of(scope)
            found = self._by_links(scope) if bearer is None else self._by_link(bearer)
            return [who for who in found if who.scope.runs == (self.only_run,)]
        if (bearer := bearer_of(scope)) is not None:
            return self._by_bearer(bearer)
        main = self._by_proxy(scope) if self.auth == "proxy" else self._by_session(scope)
        return [*([] if main is None else [main]), *self._by_links(scope)]

    def stamp_of(self, user: str) -> str | None:
        """Return what a user's sessions are bound to now; None: there is no such user any more."""
        match self.auth:
            case "token":
                return hashed(self.tokens.own()) if user == OWN else None
            case "users":
                found = self.users.find(user)
                return None if found is None else found.stamp
            case "oidc":
                return self.provider_stamp or None
            case _:
                return None

    def session_of(self, scope: Scope) -> tuple[str, Session] | None:
        """Return the id and the session of the request's cookie, if it is good."""
        session_id = cookies_of(scope).get(self.cookie_name(scope), "")
        session = self.sessions.find(session_id) if session_id else None
        if session is None or session.via != self.auth:
            return None
        stamp = self.stamp_of(session.user)
        return (session_id, session) if stamp is not None and is_same(stamp, session.stamp) else None

    @property
    def _share_prefix(self) -> str:
        return f"tailrace-share-{self.mark}-"

    def _by_bearer(self, bearer: str) -> list[Identity]:
        if self.auth == "token" and self.tokens.is_own(bearer):
            return [own_identity("token")]
        if (found := self.tokens.find(bearer)) is not None:
            return [found]
        return self._by_link(bearer)

    def _by_link(self, bearer: str) -> list[Identity]:
        shared = self.shares.find(bearer)
        return [] if shared is None else [holder(*shared)]

    def _proxied_name(self, scope: Scope) -> str | None:
        """Return what a trusted proxy says that the caller is called; None: none does."""
        names = headers_named(scope, self._headers.user) if self.auth == "proxy" and scope.get(TRUSTED) else []
        return names[0].strip() or None if len(names) == 1 else None

    def refusal(self, scope: Scope) -> Response:
        """Return the answer to whom nobody knows."""
        if self.only_run is not None:
            return refusal(scope, "link")
        if bearer_of(scope) is None and (name := self._proxied_name(scope)) is not None and is_ours(name):
            return misnamed(name)
        return refusal(scope, self.auth)

    def _by_proxy(self, scope: Scope) -> Identity | None:
        if (name := self._proxied_name(scope)) is None:
            return None
        groups = tuple(
            group.strip()
            for line in (headers_named(scope, self._headers.groups) if self._headers.groups else [])
            for group in line.split(",")
            if group.strip()
        )
        return self.person(name, groups, "proxy")

    def _by_session(self, scope: Scope) -> Identity | None:
        found = self.session_of(scope)
        return None if found is None else self.identity_of(found[1])

    def identity_of(self, session: Session) -> Identity | None:
        """Return who has the session, with what he may now."""
        if self.auth == "token":
            return own_identity("session")
        if self.auth == "users":
            user = self.users.find(session.user)
            if user is None:
                return None
            return Identity(name=session.user, role=user.role, groups=user.groups, via="session")
        return self.person(session.user, session.groups, "session")

    def person(self, name: str, groups: tuple[str, ...], via: str) -> Identity | None:
        """Return somebody of whom others have told; None: he has no role here, or a name of ours."""
        role = None if is_ours(name) else self.access.role_of(groups)
        return None if role is None else Identity(name=name, role=role, groups=groups, via=via)

    def _by_links(self, scope: Scope) -> list[Identity]:
        found = []
        for name, value in cookies_of(scope).items():
            if name.startswith(self._share_prefix) and (shared := self.shares.find(value)) is not None:
                found.append(holder(*shared))
        return found


class Visit:
    """One request's caller.

    Args:
        guard: what knows him.
        scope: of the request.
    """

    def __init__(self, guard: Guard, scope: Scope) -> None:
        self._guard = guard
        self._scope = scope
        self._known: list[Identity] = []
        self._looked = -FRESH_S

    @property
    def sharing(self) -> Sharing:
        """Where links to runs are made."""
        return self._guard.shares

    @property
    def session_cookie(self) -> str:
        """The name of the cookie by which browsers are known; empty: a proxy says who they are."""
        return "" if self._guard.auth == "proxy" else self._guard.cookie_name(self._scope)

    def who(self) -> Identity | None:
        """Return the caller; None: nobody knows him."""
        known = self._now()
        return known[0] if known else None

    def may(self, action: Action, info: RunInfo | None) -> bool:
        """Tell whether he may do this to the run, or to any at all.

        Raises:
            Unknown: nobody knows him.
        """
        return self._is_allowed(action, None if info is None else of_run(info))

    def may_command(self, action: Action, command: Command) -> bool:
        """Tell whether he may do this to the command.

        Raises:
            Unknown: nobody knows him.
        """
        return self._is_allowed(action, of_command(command))

    def sees_all(self) -> bool:
        """Tell whether there is no run that he may not view."""
        return any(sees_all(who, self._guard.access) for who in self._now())

    def _is_allowed(self, action: Action, about: Subject | None) -> bool:
        known = self._now()
        if not known:
            raise Unknown(self._guard.refusal(self._scope))
        return any(authorize(who, action, about, self._guard.access) for who in known)

    def _now(self) -> list[Identity]:
        now = time.monotonic()
        if now - self._looked >= FRESH_S:
            self._known, self._looked = self._guard.known(self._scope), now
        return self._known


def own_identity(via: str) -> Identity:
    """Return who comes in by the server's own token."""
    return Identity(name=OWN, role="admin", via=via)


def is_ours(name: str) -> bool:
    """Tell whether it is a name that only this server gives: of a token, a link or a hook."""
    name = name.strip()
    return name in OURS or name.startswith(BEGINNINGS)


def misnamed(name: str) -> Response:
    """Return the answer to whom a proxy or a provider calls as only we call anybody."""
    return problem(HTTPStatus.FORBIDDEN, f"{name[:NAMED_CHARS]!r} is a name that this server gives", OTHER_NAME)


def refusal(scope: Scope, auth: Auth | Literal["link"]) -> Response:
    """Return the answer to whom nobody knows: for a page that he opens, the way to the login, if there is one."""
    root, below = str(scope.get("root_path", "")).rstrip("/"), path_of(scope)
    accept = ", ".join(headers_named(scope, "accept"))
    if auth not in HINTS and scope.get("method") in ("GET", "HEAD") and is_page(below) and "text/html" in accept:
        query = cast("bytes", scope.get("query_string", b"")).decode("latin-1")
        wanted = below + (f"?{query}" if query else "")
        return _to_login(scope, f"{quote(root)}{LOGIN}?next={quote(wanted[:NEXT_CHARS], safe='/')}", quote(root))
    is_wrong = bearer_of(scope) is not None
    login = f"log in at {root}{LOGIN}, or send a token: Authorization: Bearer TOKEN (TAILRACE_TOKEN)"
    hint = HINTS.get(auth, login)
    what = "the token is not good here, or has expired" if is_wrong else "you are not known here"
    made = problem(HTTPStatus.UNAUTHORIZED, what, hint)
    challenge = 'Bearer realm="tailrace"' + (', error="invalid_token"' if is_wrong else "")
    return Response(status=made.status, headers=(*made.headers, ("WWW-Authenticate", challenge)), body=made.body)


def _to_login(scope: Scope, login: str, root: str) -> Response:
    """Lead to the login; whom another site's page has sent, by a page of ours.

    A browser leaves a Strict cookie out of such a request, and of what it is redirected to: he may be in already, and
    the login, asked for by a page of this site, sees that and leads on.
    """
    if headers_named(scope, "sec-fetch-site") != ["cross-site"]:
        return see_other(login)
    link = element("p", element("a", "Go on", href=login))
    return plain_page("One moment", f"{root}/", link, refresh=login)


def bearer_of(scope: Scope) -> str | None:
    """Return the token that the request has; None: it has none. Two are one that is not good."""
    lines = headers_named(scope, "authorization")
    found = [token.strip() for kind, _, token in (line.partition(" ") for line in lines) if kind.lower() == "bearer"]
    return None if not found else found[0] if len(found) == 1 else ""


def headers_named(scope: Scope, name: str) -> list[str]:
    """Return the values of a header, each time that it is there."""
    wanted = name.lower().encode()
    headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    return [bytes(value).decode("latin-1") for key, value in headers if bytes(key) == wanted]
