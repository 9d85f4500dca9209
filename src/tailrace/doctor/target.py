"""The server that is examined, and how it is asked."""

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from tailrace._version import __version__
from tailrace.core import ids
from tailrace.core.errors import InvalidInput

PATIENCE_S = 30.0
"""for an answer to begin, or to go on, beyond what was asked for"""
NOTHING: Mapping[str, str] = MappingProxyType({})


_PAGE = re.compile(rf"(?:/runs/[{ids.ALPHABET}]{{{ids.LENGTH}}}(?:/.*)?|/commands/[^/]+|/api(?:/.*)?)$")
"""the address of a page or of the API, which people copy: what is before it is the server's"""


@dataclass(frozen=True)
class Target:
    """One server, by its address.

    Args:
        scheme: `http` or `https`.
        host: a name or an address, without brackets.
        port: None: the scheme's own.
        prefix: the path under which it is shown, without a slash at its end.
        headers: sent with each request: a login.
        is_insecure: whether any certificate will do.
    """

    scheme: str
    host: str
    port: int | None
    prefix: str
    headers: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    is_insecure: bool = False

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str] = NOTHING, *, is_insecure: bool = False) -> Self:
        """Return the server at an address.

        Raises:
            InvalidInput: it is none.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _no_address(url, str(error)) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _no_address(url, "it begins with neither http:// nor https:// and a host")
        if parts.query or parts.fragment or parts.username is not None:
            raise _no_address(url, "it has a query, a fragment or a user")
        prefix = _PAGE.sub("", parts.path.rstrip("/"))
        return cls(parts.scheme, parts.hostname, port, prefix, headers, is_insecure)

    @property
    def authority(self) -> str:
        """Host and port, as browsers send them in `Host`."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return name if self.port in (None, usual) else f"{name}:{self.port}"

    @property
    def origin(self) -> str:
        """What pages from there send as their `Origin`."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The address."""
        return f"{self.origin}{self.prefix}/"

    def open(
        self, method: str, path: str, headers: Mapping[str, str] = NOTHING, data: bytes | None = None,
        *, patience_s: float = PATIENCE_S,
    ) -> tuple[HTTPConnection, HTTPResponse]:  # fmt: skip
        """Send a request on a connection of its own; return both, when the headers of the answer have come.

        Whatever is waited for then, is waited for as long as `patience_s`.

        Raises:
            InvalidInput: no connection is to be had, or what answers does not speak HTTP.
        """
        connection = self._connection(patience_s)
        sent = {"Host": self.authority, "User-Agent": f"tailrace-doctor/{__version__}", **self.headers, **headers}
        try:
            connection.request(method, self.prefix + path, data, sent)
            return connection, connection.getresponse()
        except (OSError, HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from None

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] = NOTHING, data: bytes | None = None
    ) -> "Answered":
        """Return the whole answer to a request.

        Raises:
            InvalidInput: see `open`.
        """
        connection, response = self.open(method, path, headers, data)
        try:
            body = response.read()
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()
        return Answered(response.status, headers_of(response), body)

    def _connection(self, patience_s: float) -> HTTPConnection:
        if self.scheme == "http":
            return HTTPConnection(self.host, self.port, timeout=patience_s)
        context = ssl.create_default_context()
        if self.is_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return HTTPSConnection(self.host, self.port, timeout=patience_s, context=context)

    def _unreachable(self, error: Exception) -> InvalidInput:
        match error:
            case ssl.SSLCertVerificationError():
                why, hint = error.verify_message or "its certificate is not trusted", "--insecure takes any certificate"
            case ssl.SSLError():
                why, hint = "it does not speak TLS", "try http:// instead of https://"
            case socket.gaierror():
                why, hint = "its name is not known", "is the name right?"
            case TimeoutError():
                why, hint = f"no answer within {PATIENCE_S:g} s", "does something drop what is sent to this port?"
            case OSError():
                why, hint = (error.strerror or str(error)).lower(), "is the server there, and the port right?"
            case _:
                why, hint = "what answers does not speak HTTP/1.1", "is the port right?"
        return InvalidInput(f"{self.url} cannot be examined: {why}", op="examine", subject=self.url, hint=hint)


@dataclass(frozen=True)
class Answered:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    """by their lower-case names"""
    body: bytes


def headers_of(response: HTTPResponse) -> dict[str, str]:
    """Return the headers of an answer by their lower-case names; several of a name as one."""
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    return found


def _no_address(url: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{url[:200]!r} is no address to examine: {why}",
        op="examine",
        subject=url[:200],
        hint="http(s)://HOST[:PORT][/PREFIX], as for a browser",
    )
