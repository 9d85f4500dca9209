"""Viewers in the test's own process, on connections of their own."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from types import MappingProxyType

from tests.system.web.server import Server

PATIENCE_S = 60.0


@contextmanager
def asking(
    server: Server, path: str, method: str = "GET", *, headers: Mapping[str, str] = MappingProxyType({})
) -> Iterator[HTTPResponse]:
    """Give the response, as soon as its headers are there; leaving is closing the connection."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)) as connection:
        connection.request(method, path, headers=dict(headers))
        with connection.getresponse() as response:
            yield response


def ask(server: Server, path: str, method: str = "GET") -> bytes:
    """Return the body."""
    with asking(server, path, method) as response:
        return response.read()


def until(response: HTTPResponse, wanted: bytes) -> bytes:
    """Return what comes up to and including the wanted bytes."""
    seen = b""
    while wanted not in seen:
        data = response.read1(65536)
        assert data, f"ended without {wanted!r}: {seen!r}"
        seen += data
    return seen
