"""Cookies, as RFC 6265bis has them: read, set, and removed."""

from collections.abc import Iterator
from typing import Final, cast

from tailrace.web.loop.sinks import Scope

HOST_PREFIX: Final = "__Host-"
"""a name that a browser takes only with Secure, for all paths, and from the host itself"""
Header = tuple[str, str]


def cookies_of(scope: Scope) -> dict[str, str]:
    """Return the cookies by their names; of a name that comes twice, the first, which has the longer path."""
    found: dict[str, str] = {}
    for name, value in _pairs(scope):
        found.setdefault(name, value)
    return found


def is_secure(scope: Scope) -> bool:
    """Tell whether the browser asks by TLS, as far as trusted proxies say."""
    return scope.get("scheme") in ("https", "wss")


def set_cookie(  # noqa: PLR0913  what a cookie has
    scope: Scope, name: str, value: str, *, path: str, age_s: int, same_site: str = "Strict"
) -> Header:
    """Return the header that sets a cookie which no script can read.

    Args:
        scope: of the request that is answered.
        name: of the cookie.
        value: what it has; empty, with no age, removes it.
        path: below which it is sent.
        age_s: how many seconds it is kept.
        same_site: `Strict`: never with what a page of another site asks for; `Lax`: when its link is followed.
    """
    secure = "; Secure" if is_secure(scope) else ""
    return "Set-Cookie", f"{name}={value}; Path={path}; Max-Age={age_s}; HttpOnly; SameSite={same_site}{secure}"


def _pairs(scope: Scope) -> Iterator[tuple[str, str]]:
    for key, line in cast("list[tuple[bytes, bytes]]", scope["headers"]):
        if bytes(key) == b"cookie":
            for part in bytes(line).decode("latin-1").split(";"):
                name, equals, value = part.strip().partition("=")
                if equals:
                    yield name, value
