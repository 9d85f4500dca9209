"""What is asked, out of an ASGI scope (ASGI 3.0, HTTP & WebSocket specification)."""

from collections.abc import Iterable, Mapping
from typing import Protocol, cast, runtime_checkable
from urllib.parse import parse_qsl

from tailrace.core.errors import InvalidInput
from tailrace.web.loop.sinks import Receive, Scope
from tailrace.web.pace import Pace
from tailrace.web.requests import HEADERS, Request


@runtime_checkable
class HasScope(Protocol):
    """A framework's request: Starlette's, FastAPI's, Litestar's, Quart's, Django's."""

    @property
    def scope(self) -> object:
        """What the server gave."""


def scope_of(asked: object) -> Scope:
    """Return the scope itself, of a framework's request or of one given as such.

    Raises:
        TypeError: it is neither.
    """
    scope = asked.scope if isinstance(asked, HasScope) else asked
    if not isinstance(scope, Mapping) or "type" not in scope:
        raise TypeError(f"this takes the request, or its ASGI scope, not {asked!r}")
    return cast("Scope", scope)


def request_of(scope: Scope, user: str | None, wire: str | None, pace: Pace) -> Request:
    """Return what is asked."""
    return Request(
        method=str(scope.get("method", "GET")),
        path=_whole_path(scope),
        query=dict(reversed(pairs_of(scope))),
        headers=headers_of(scope, HEADERS),
        user=user,
        wire=wire,
        pace=pace,
        scheme=str(scope.get("scheme", "http")),
        client=client_of(scope),
        http_version=str(scope.get("http_version", "")),
    )


def client_of(scope: Scope) -> str:
    """Return the address of whoever asks; empty where none is known."""
    client = cast("tuple[str, int] | None", scope.get("client"))
    return "" if client is None else client[0]


def headers_of(scope: Scope, names: Iterable[str]) -> dict[str, str]:
    """Return the headers of these lower-case names; where one came twice, the first."""
    wanted = {name.encode() for name in names}
    found = [pair for pair in cast("list[tuple[bytes, bytes]]", scope["headers"]) if bytes(pair[0]) in wanted]
    return {bytes(name).decode(): bytes(value).decode("latin-1") for name, value in reversed(found)}


def pairs_of(scope: Scope) -> list[tuple[str, str]]:
    """Return the whole query, in order."""
    return parse_qsl(cast("bytes", scope.get("query_string", b"")).decode("latin-1"), keep_blank_values=True)


def path_of(scope: Scope) -> str:
    """Return the path below where the application is mounted."""
    return _whole_path(scope)[len(_root(scope)) :]


def _whole_path(scope: Scope) -> str:
    """Return the whole path; of servers and routers, some put the root path before it, some do not."""
    root, path = _root(scope), str(scope["path"])
    return path if path == root or path.startswith(f"{root}/") else root + path


def _root(scope: Scope) -> str:
    return str(scope.get("root_path", "")).rstrip("/")


async def body_of(receive: Receive, limit_bytes: int) -> bytes:
    """Return the body; of a longer one, so many bytes.

    Raises:
        InvalidInput: the client left in the middle of it: what came is no whole body.
    """
    parts, left = [], limit_bytes
    while left:
        message = await receive()
        if message["type"] != "http.request":
            raise InvalidInput(
                "the request ended before its body did", op="read", subject="body", hint="send all of it"
            )
        part = cast("bytes", message.get("body", b""))[:left]
        parts.append(part)
        left -= len(part)
        if not message.get("more_body", False):
            break
    return b"".join(parts)
