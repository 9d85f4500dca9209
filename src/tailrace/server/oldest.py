"""Answers over HTTP/1.0, the oldest version that is spoken here."""

import socket
import struct
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent


class OldCycle(RequestResponseCycle):
    """An answer over HTTP/1.0, which knows no chunks: its body ends with the connection (RFC 9112, 6.3).

    So that a body that was cut does not look complete, the connection is reset then.
    """

    async def send(self, message: "ASGISendEvent") -> None:
        """Send it, with no chunks around it; to a client that has just left, nothing."""
        if self.transport.is_closing():
            return
        if message["type"] == "http.response.start":
            if b"content-length" not in {name.lower() for name, _value in message.get("headers", ())}:
                self.chunked_encoding = False
                self._reset_at_close(on=True)
        elif message["type"] == "http.response.body" and self._resets():
            self.expected_content_length = len(message.get("body", b""))  # uvicorn counts what is still to come
            if not message.get("more_body", False):
                self._reset_at_close(on=False)
        await super().send(message)

    def _resets(self) -> bool:
        return bool(self._socket().getsockopt(socket.SOL_SOCKET, socket.SO_LINGER))

    def _reset_at_close(self, *, on: bool) -> None:
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", on, 0))

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self.transport.get_extra_info("socket"))
