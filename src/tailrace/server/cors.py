"""Pages of other origins that may read what is here (WHATWG Fetch, 3.2): those of a list, no others.

They may look, and reconnect; whatever changes something stays for pages of this site. Nothing is sent with credentials.
"""

from collections.abc import Collection
from http import HTTPStatus
from typing import cast

from tailrace.web.loop.sinks import Message, Scope, Send

ALLOWED_HEADERS = b"accept, authorization, cache-control, last-event-id, range, if-range"
EXPOSED_HEADERS = b"accept-ranges, content-range, etag, retry-after, tailrace-run"
ORIGIN = b"access-control-allow-origin"
"""stands in an answer once: files that any page may load have it already"""
AGE_S = b"600"


class Cors:
    """The origins that may.

    Args:
        origins: as browsers send them, `https://ops.example`.
    """

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def origin_of(self, scope: Scope) -> bytes | None:
        """Return the origin that asks, if it is of the list."""
        if not self._origins:
            return None
        headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
        origin = next((bytes(value) for name, value in headers if bytes(name) == b"origin"), None)
        return origin if origin in self._origins else None


class Allowing:
    """A `send` that lets the origin read the answer."""

    __slots__ = ("_origin", "_send")

    def __init__(self, origin: bytes, send: Send) -> None:
        self._origin = origin
        self._send = send

    async def __call__(self, message: Message) -> None:
        """Send."""
        if message["type"] == "http.response.start":
            headers = [
                header
                for header in cast("list[tuple[bytes, bytes]]", message["headers"])
                if header[0].lower() != ORIGIN
            ]
            more = [
                (ORIGIN, self._origin),
                (b"vary", b"Origin"),
                (b"access-control-expose-headers", EXPOSED_HEADERS),
            ]
            message = {**message, "headers": [*headers, *more]}
        await self._send(message)


def is_preflight(scope: Scope) -> bool:
    """Tell whether a browser asks if it may ask."""
    headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    return scope["method"] == "OPTIONS" and any(name == b"access-control-request-method" for name, _value in headers)


async def answer_preflight(send: Send) -> None:
    """Say what may be asked."""
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD"),
        (b"access-control-allow-headers", ALLOWED_HEADERS),
        (b"access-control-max-age", AGE_S),
    ]
    await send({"type": "http.response.start", "status": HTTPStatus.NO_CONTENT, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
