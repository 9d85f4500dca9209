"""The access log: a line for each request, when its headers go out; of a stream, that is when it begins.

The path is written without its query, which may hold what is nobody's business.
"""

import logging
import time
from typing import NamedTuple, cast

from tailrace.web.loop.sinks import Message, Scope, Send

log = logging.getLogger("tailrace.access")

MOST_CHARS = 500
"""of a path that are written"""
SWITCHING = 101


class Line(NamedTuple):
    """What is known of a request when it comes."""

    address: str
    method: str
    path: str
    since: float


def line_of(scope: Scope) -> Line:
    """Return the line of a request that has just come."""
    client = cast("tuple[str, int] | None", scope.get("client"))
    address = "-" if client is None else client[0]
    path = str(scope["path"])[:MOST_CHARS].encode("unicode_escape").decode()
    return Line(address, str(scope.get("method", "GET")), path, time.monotonic())


class Noted:
    """A `send` that writes the line when the answer begins, and forgets it."""

    __slots__ = ("_line", "_send")

    def __init__(self, line: Line, send: Send) -> None:
        self._line: Line | None = line
        self._send = send

    async def __call__(self, message: Message) -> None:
        """Send."""
        if self._line is not None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self._write(self._line, cast("int", message["status"]))
            elif message["type"] == "websocket.accept":
                self._write(self._line, SWITCHING)
        await self._send(message)

    def _write(self, line: Line, status: int) -> None:
        self._line = None
        taken_ms = round((time.monotonic() - line.since) * 1000, 1)
        fields = {"address": line.address, "method": line.method, "path": line.path, "status": status, "ms": taken_ms}
        log.info(
            "%s %s %s %d in %.1f ms", line.address, line.method, line.path, status, taken_ms, extra={"fields": fields}
        )
