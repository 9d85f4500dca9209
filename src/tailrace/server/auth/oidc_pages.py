"""The way to an OpenID provider, and back. What a browser was sent away with lies in a cookie of its own, signed."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tailrace._asgi.asking import headers_of, pairs_of
from tailrace.core.errors import NotAllowed
from tailrace.server.auth.cookies import Header, cookies_of, is_secure, set_cookie
from tailrace.server.auth.guard import LOGIN, Guard, is_ours, misnamed
from tailrace.server.auth.oidc import Pending, Provider
from tailrace.server.auth.pages import Asked, Logins
from tailrace.server.auth.vault import Vault
from tailrace.web.page.document import plain_page, see_other
from tailrace.web.page.html import element
from tailrace.web.problems import problem
from tailrace.web.responses import Response

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

BEGIN: Final = f"{LOGIN}/oidc"
CALLBACK: Final = f"{LOGIN}/callback"
SALT: Final = "tailrace oidc 1"
WHILE_S: Final = 600
"""for somebody to log in at the provider"""


class OidcPages:
    """The two addresses.

    Args:
        logins: where sessions begin.
        guard: what knows callers.
        vault: where the secret is.
        provider: whom to ask.
    """

    def __init__(self, logins: Logins, guard: Guard, vault: Vault, provider: Provider) -> None:
        self._logins = logins
        self._guard = guard
        self._vault = vault
        self._provider = provider
        self.routes: dict[tuple[str, str], Callable[[Asked], Response]] = {
            ("GET", BEGIN): self.begin,
            ("GET", CALLBACK): self.come_back,
        }

    def begin(self, asked: Asked) -> Response:
        """Send the browser to the provider.

        Raises:
            ProviderUnusable: it cannot be asked where that is.
        """
        pending = Pending.new(asked.next)
        answer = see_other(self._provider.address(pending, _callback(asked)))
        kept = self._signer().dumps([pending.state, pending.nonce, pending.verifier, pending.next])
        cookie = self._cookie(asked, str(kept), WHILE_S)
        return Response(status=answer.status, headers=(*answer.headers, cookie), body=answer.body)

    def come_back(self, asked: Asked) -> Response:
        """Begin a session for whoever the provider says it is, and lead him on, by a page of this site.

        A browser leaves a Strict cookie out of what another site's page has led to, so it is led on by one of ours.

        Raises:
            NotAllowed: the provider did not let him in.
            ProviderUnusable: it cannot be asked.
        """
        pending = self._pending(asked)
        if pending is None:
            raise NotAllowed(
                "this login was not begun in this browser, or too long ago", op="login", subject="callback",
                hint="open the login, and try again",
            )  # fmt: skip
        person = self._provider.finish(pending, _callback(asked), dict(pairs_of(asked.scope)))
        if is_ours(person.name):
            return misnamed(person.name)
        if self._guard.person(person.name, person.groups, "session") is None:
            return problem(
                HTTPStatus.FORBIDDEN,
                f"{person.name} has no role here",
                "ask whoever looks after this server for a group",
            )
        to = f"{asked.root}{pending.next}"
        link = element("p", element("a", "Go on", href=to))
        page = plain_page("Logged in", f"{asked.root}/", link, refresh=to)
        answer = self._logins.begun(asked, person.name, self._guard.provider_stamp, page, person.groups)
        return Response(
            status=answer.status, headers=(*answer.headers, self._cookie(asked, "", 0)), body=answer.body
        )  # fmt: skip

    def _pending(self, asked: Asked) -> Pending | None:
        from itsdangerous import BadData

        try:
            value: object = self._signer().loads(cookies_of(asked.scope).get(self._name, ""), max_age=WHILE_S)
        except BadData:
            return None
        match value:
            case [str() as state, str() as nonce, str() as verifier, str() as wanted]:
                return Pending(state, nonce, verifier, wanted)
            case _:
                return None

    @property
    def _name(self) -> str:
        return f"tailrace-oidc-{self._guard.mark}"

    def _cookie(self, asked: Asked, value: str, age_s: int) -> Header:
        path = f"{asked.root}{LOGIN}"
        return set_cookie(asked.scope, self._name, value, path=path, age_s=age_s, same_site="Lax")

    def _signer(self) -> "URLSafeTimedSerializer":
        from itsdangerous import URLSafeTimedSerializer

        how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeTimedSerializer(self._vault.secret(), salt=SALT, signer_kwargs=how)


def _callback(asked: Asked) -> str:
    """Return the address to come back to; the name in it has been found to be ours."""
    scheme = "https" if is_secure(asked.scope) else "http"
    return f"{scheme}://{headers_of(asked.scope, ['host']).get('host', '')}{asked.root}{CALLBACK}"
