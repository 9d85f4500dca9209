"""uvicorn's websocket protocol, bounded, and as strict as RFC 6455 where uvicorn is not.

What is different:

- A handshake of another version is answered by 426 and the version that is spoken (4.2.2), and one that cannot be read
  at all by a status, instead of a silence that keeps the connection.
- What a client sends before the handshake is over waits, and is bounded; it is no error of ours if it makes no sense.
- Pongs that the client does not take: the newest is kept, the others are left out (5.5.3).
- A message has at most so many parts: empty ones would take memory, and add nothing to its length.
- Text that is not UTF-8 closes the connection (8.1), and is not told in the log: whoever sends it could fill that.

Of uvicorn's own state, this touches `conn`, `frames`, `queue`, `read_paused`, `writable` and what says how far it is.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request, Response

if TYPE_CHECKING:
    import asyncio

    from uvicorn._types import ASGISendEvent

VERSION: Final = "13"
"""RFC 6455, 4.1"""
PARTS: Final = 65_536
"""of one message"""
EARLY_BYTES: Final = 64 << 10
"""taken before the handshake is over; the client waits with more"""


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One connection, from its handshake on."""

    def connection_made(self, transport: "asyncio.BaseTransport") -> None:
        """Begin."""
        self._early = b""
        self._last_pong = b""
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take the handshake, then frames."""
        if self.transport.is_closing():
            return
        if self.handshake_initiated and not self.handshake_complete:
            self._early += data
            if len(self._early) > EARLY_BYTES:
                self.transport.pause_reading()
            return
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self._refuse_unreadable()

    def handle_connect(self, event: Request) -> None:
        """Take the handshake, if it is of the version that is spoken."""
        if event.method == "GET" and event.headers.get_all("Sec-WebSocket-Version") != [VERSION]:
            answer = self.conn.reject(HTTPStatus.UPGRADE_REQUIRED, f"WebSocket version {VERSION} is spoken here.\n")
            answer.headers["Upgrade"] = "websocket"
            answer.headers["Sec-WebSocket-Version"] = VERSION
            self._answer(answer)
            return
        super().handle_connect(event)

    def handle_cont(self, event: Frame) -> None:
        """Take one more part of a message, but not any number."""
        if len(self.frames) >= PARTS:
            self._fail(CloseCode.MESSAGE_TOO_BIG, f"a message has at most {PARTS} parts")
            return
        super().handle_cont(event)

    def handle_parser_exception(self) -> None:
        """Close the connection; what came whole before the mistake is still taken."""
        self.handle_events()
        super().handle_parser_exception()

    def handle_ping(self) -> None:
        """Answer; only the newest, while the client takes nothing."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self._last_pong = b"".join(self.conn.data_to_send()[-1:])

    def resume_writing(self) -> None:
        """Go on, with the pong that waits."""
        super().resume_writing()
        pong, self._last_pong = self._last_pong, b""
        if pong and not self.close_sent and not self.transport.is_closing():
            self.transport.write(pong)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on, if its text is text."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            data = b"".join(self.frames)
            try:
                data.decode()
            except UnicodeDecodeError as error:
                self._fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
                return
            self.frames = [data]
        super().send_receive_event_to_app()

    async def send(self, message: "ASGISendEvent") -> None:
        """Send it; once the handshake is over, look at what came too early."""
        await super().send(message)
        if self._early and self.handshake_complete:
            early, self._early = self._early, b""
            if not self.close_sent and not self.transport.is_closing():
                self.data_received(early)
                if not self.read_paused:
                    self.transport.resume_reading()

    def _fail(self, code: CloseCode, reason: str) -> None:
        """Fail the connection (RFC 6455, 7.1.7)."""
        self.frames = []
        if self.close_sent:
            return
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _refuse_unreadable(self) -> None:
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        answer = b"".join(self.conn.data_to_send())
        if answer:
            self.transport.write(answer)
            self.transport.close()
        else:
            self._answer(self.conn.reject(HTTPStatus.BAD_REQUEST, "This is no handshake of a WebSocket.\n"))

    def _answer(self, answer: Response) -> None:
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(answer.serialize())
        self.transport.close()
