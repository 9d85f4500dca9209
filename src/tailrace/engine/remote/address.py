"""Where a server is: its URL, and the URLs of what it has."""

import re
import shlex
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from tailrace.core import ids
from tailrace.core.errors import InvalidInput

SCHEMES = ("http", "https")
_RUN = re.compile(r"(?P<prefix>.*?)(?:/api)?/runs/(?P<run>[^/]+)(?:/output)?/?")
_SAFE = "/%:@!$&'()*+,;=~"
"""what may stand in a path as it is (RFC 3986, 3.3), and what is encoded already"""


class Address(NamedTuple):
    """A server: `https` or not, host and port, and the path below which its `/api` is, without a slash at the end."""

    is_tls: bool
    host: str
    port: int | None
    prefix: str

    def __str__(self) -> str:
        """Return the URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{SCHEMES[self.is_tls]}://{host}{port}{self.prefix}"


def is_url(text: str) -> bool:
    """Tell whether the text is meant as the URL of a server, or of something on one."""
    return text.lower().startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def parse(url: str) -> Address:
    """Return the address in `https://host:port/prefix`.

    Raises:
        InvalidInput: it is no such URL.
    """
    parts = _split(url)
    if parts.query or parts.fragment:
        raise _bad(url, "has a query or a fragment", "leave out what begins with ? or #")
    return _address(parts, parts.path)


def parse_run(url: str) -> tuple[Address, str]:
    """Return the server and the run of a run's address: its page, its place in the API, or its output.

    Raises:
        InvalidInput: it is no such URL.
    """
    parts = _split(url)
    found = _RUN.fullmatch(parts.path)
    if found is None or not ids.is_id(found["run"]):
        server = shlex.quote(str(_address(parts, parts.path)))
        hint = f"`tailrace list --on {server}` shows the runs there; name one by --on {server} ID, or last"
        raise _bad(url, "is not the address of a run", hint)
    return _address(parts, found["prefix"]), found["run"]


def _split(url: str) -> SplitResult:
    """Return the parts of a URL that names a server, without a password in it."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable or not url.isprintable() or " " in url:
        raise _bad(url, "is not the address of a server", "for example http://localhost:8000, or https://host/prefix")
    if "@" in parts.netloc:
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        raise _bad(
            shown,
            "came with a name or a password in it",
            "put a login into TAILRACE_HEADERS, or a token into TAILRACE_TOKEN",
        )
    return parts


def _address(parts: SplitResult, path: str) -> Address:
    prefix = quote(path.rstrip("/"), safe=_SAFE)
    return Address(parts.scheme == "https", parts.hostname or "", parts.port, prefix)


def _bad(url: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{url[:200]} {what}", op="connect", subject=url[:200], hint=hint)
