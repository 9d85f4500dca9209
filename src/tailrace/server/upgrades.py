"""Requests to upgrade to something that is not spoken here, which are answered as if they did not ask for it.

So RFC 9110, 7.8, has it; curl and Java ask for HTTP/2 (`Upgrade: h2c`) with any request, a POST with its body too.
"""

from collections.abc import Iterable
from typing import Final

CONNECT: Final = b"CONNECT"
"""the method behind which nothing is HTTP"""
ABOUT_UPGRADE: Final = (b"upgrade", b"http2-settings")


def head_without_upgrade(method: bytes, url: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the head of a request, as it would be had it not asked.

    Args:
        method: of its first line.
        url: of its first line.
        version: of HTTP: `1.1`.
        headers: in their order, by their lower-case names.
    """
    lines = [b"%b %b HTTP/%b" % (method, url, version.encode())]
    lines += [b"%b: %b" % pair for pair in headers if pair[0] not in ABOUT_UPGRADE]
    return b"\r\n".join([*lines, b"", b""])
