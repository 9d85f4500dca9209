"""Requests that could be read in two ways: a proxy before this server must not have taken one for something else.

Which host it is for (RFC 9112, 3.2) the header says, once. A target with a scheme and a host in it, which clients of
proxies send, says it again; the standard has that one count. Here both must be the same. How its body is coded
(RFC 9112, 6.1) is said once, too, and `chunked` is all that is read here, with nothing before it.
"""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]+)/", re.IGNORECASE)


def is_ambiguous(url: bytes, version: str, headers: Headers) -> bool:
    """Tell whether a request could be for two hosts, or have two bodies.

    Args:
        url: of its first line.
        version: of HTTP: `1.1`; before that, no host had to be named.
        headers: by their lower-case names.
    """
    return not (_has_one_host(url, version, _named(headers, b"host")) and _has_one_body(headers))


def _has_one_host(url: bytes, version: str, hosts: Sequence[bytes]) -> bool:
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        return False
    if url.startswith(b"/") or b"://" not in url:
        return True
    match = _ABSOLUTE.match(url)
    return match is not None and [match[1].lower()] == [host.strip().lower() for host in hosts]


def _has_one_body(headers: Headers) -> bool:
    return [coding.strip().lower() for coding in _named(headers, b"transfer-encoding")] in ([], [b"chunked"])


def _named(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]
