"""What proxies say of the request that they pass on, believed only of those that are trusted.

`Forwarded` (RFC 7239), else `X-Forwarded-For` and `X-Forwarded-Proto`; and `X-Forwarded-Prefix`, the path under which
the proxy shows this server. Each proxy adds itself at the end of a list, so a list is read from there: what stands
behind the last address that is no trusted proxy's was written by proxies that are, and what stands before by anybody.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import TypeAlias, cast

from tailrace.config.server import UNIX
from tailrace.web.loop.sinks import Scope

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers: TypeAlias = list[tuple[bytes, bytes]]

_PAIR = re.compile(r'\s*(?P<name>[a-z]+)\s*=\s*(?:"(?P<quoted>[^"\\]*)"|(?P<token>[^\s;,"]*))\s*', re.IGNORECASE)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+){1,16}/?")
_WITH_PORT = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<ipv4>[0-9.]+))(?::[0-9]{1,5})?", re.IGNORECASE)


class Proxies:
    """Those whose word is believed.

    Args:
        trusted: addresses and networks; `unix` is whoever asks through a Unix socket, who has no address.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        trusted = tuple(trusted)
        self._trusts_unix = UNIX in trusted
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(each) for each in trusted if each != UNIX)

    def apply(self, scope: Scope) -> bool:
        """Put into the scope what its request was before it passed through trusted proxies.

        Returns:
            Whether a trusted proxy asks.
        """
        client = cast("tuple[str, int] | None", scope.get("client"))
        if not (self._trusts_unix if client is None else self._is_trusted(client[0])):
            return False
        headers = cast("Headers", scope["headers"])
        hops = _forwarded(headers) or _x_forwarded(headers)
        for address, scheme in reversed(hops):
            if scheme is not None:
                scope["scheme"] = scheme if scope["type"] == "http" else scheme.replace("http", "ws")
            if address is not None:
                scope["client"] = (address, 0)
            if address is None or not self._is_trusted(address):
                break
        if (prefix := _prefix(headers)) is not None:
            scope["root_path"] = prefix + str(scope.get("root_path", ""))
            scope["path"] = prefix + str(scope["path"])
        return True

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


Hop: TypeAlias = tuple[str | None, str | None]
"""the address that the proxy was asked from, and the scheme; None: not said, or not to be understood"""


def _forwarded(headers: Headers) -> list[Hop]:
    """Return what `Forwarded` says, hop by hop."""
    text = _joined(headers, b"forwarded")
    return [_hop(element) for element in text.split(",")] if text else []


def _hop(element: str) -> Hop:
    pairs = {}
    for part in element.split(";"):
        if (match := _PAIR.fullmatch(part)) is not None:
            pairs[match["name"].lower()] = match["quoted"] if match["quoted"] is not None else match["token"]
    return _address(pairs.get("for", "")), _scheme(pairs.get("proto", ""))


def _x_forwarded(headers: Headers) -> list[Hop]:
    """Return what the older headers say; a scheme of its own for each hop only where there are as many."""
    addresses = [part.strip() for part in _joined(headers, b"x-forwarded-for").split(",") if part.strip()]
    schemes = [part.strip() for part in _joined(headers, b"x-forwarded-proto").split(",") if part.strip()]
    if len(schemes) != len(addresses):
        schemes = schemes[-1:] * max(1, len(addresses)) if schemes else [""] * len(addresses)
    addresses = addresses or [""] * len(schemes)
    return [(_address(address), _scheme(scheme)) for address, scheme in zip(addresses, schemes, strict=True)]


def _address(text: str) -> str | None:
    match = _WITH_PORT.fullmatch(text)
    bare = text if match is None else match["ipv6"] or match["ipv4"]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _scheme(text: str) -> str | None:
    scheme = text.lower()
    return scheme if scheme in ("http", "https") else None


def _prefix(headers: Headers) -> str | None:
    text = _joined(headers, b"x-forwarded-prefix")
    return text.rstrip("/") if _PREFIX.fullmatch(text) else None


def _joined(headers: Headers, name: bytes) -> str:
    return ",".join([bytes(value).decode("latin-1") for key, value in headers if bytes(key) == name])
