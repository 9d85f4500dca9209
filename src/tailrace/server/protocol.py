"""uvicorn's HTTP/1.1 protocol, which lends its transport to whoever streams.

What uvicorn does for each `send` (a message, a check of headers, a copy into the chunk, a task to be woken) costs three
times what the write itself does. A stream that goes to a thousand viewers is framed once, so it is written straight to
their transports. The contract is that of `tailrace.web.loop.sinks`.

While its transport is lent, a connection sleeps: what it needs only to take a request or to send in its own way, its
parser, queue, events and scope, some 5 KiB, it lets go of. If its client sends something, or the loan ends, it has them
made again; a GET has been read to its end by then, so a new parser begins where a request begins.

Of uvicorn's own state, this touches `scope`, `headers`, `cycle`, `pipeline`, `parser` and `flow`.
"""

import asyncio
import fcntl
import socket
import struct
import termios
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tailrace.web.client import UNSENT_BYTES
from tailrace.web.loop.sinks import LENDER, Borrower, Lent

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent, HTTPScope


class _NoEvent(asyncio.Event):
    """Nobody waits for it; one for all connections that sleep."""

    def set(self) -> None:
        """Wake nobody."""


_NO_EVENT: Final = _NoEvent()
EARLY_BYTES = 64 << 10
"""taken of what a client sends while it is still being answered; it waits with more"""


class _OldCycle(RequestResponseCycle):
    """An answer over HTTP/1.0, which knows no chunks: its body ends with the connection (RFC 9112, 6.3).

    So that a body that was cut does not look complete, the connection is reset then.
    """

    async def send(self, message: "ASGISendEvent") -> None:
        """Send it, with no chunks around it."""
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


class LendingProtocol(HttpToolsProtocol):
    """One connection; it is its own loan."""

    # beside uvicorn's own: more keys would double its dictionary
    __slots__ = ("_answered", "_borrower", "_early", "_is_asleep", "is_clogged")

    _answered: RequestResponseCycle | None
    """what is being answered; `cycle` is that of the request that came last, which may be another"""
    _borrower: Borrower | None
    _early: bytes
    """what came while the transport was lent: the next request, or some of it"""
    _is_asleep: bool
    is_clogged: bool

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin, with nothing lent."""
        self._answered = self._borrower = None
        self._early = b""
        self._is_asleep = self.is_clogged = False
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        """Offer the transport to whoever answers."""
        super().on_message_begin()
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {LENDER: self})

    def on_headers_complete(self) -> None:
        """Have what is old answered in the old way."""
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is before:
            return  # it becomes a websocket
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = _OldCycle
        if not self.pipeline:
            self._answered = self.cycle

    def data_received(self, data: bytes) -> None:
        """Take a request. What comes while the transport is lent is looked at after that.

        It is kept, so that the end of the connection is seen behind it; only who sends much is read no further.
        """
        if self._borrower is None:
            super().data_received(data)
            return
        self._early += data
        if len(self._early) > EARLY_BYTES:
            self.transport.pause_reading()

    def on_response_complete(self) -> None:
        """Go on with what came too early."""
        self._answered = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        early, self._early = self._early, b""
        if early and not self.transport.is_closing():
            self.data_received(early)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on, bounded."""
        self._bound()
        super().handle_websocket_upgrade()

    def lend(self, borrower: Borrower) -> Lent | None:
        """See `Lender.lend`."""
        scope, cycle = self.scope, self._answered
        if cycle is None or scope is not cycle.scope:
            return None  # the next request has begun to come: the parser is in the middle of it
        is_plain = self.scheme == "http" and scope["method"] == "GET" and scope["http_version"] == "1.1"
        if not is_plain or self.pipeline or cycle.chunked_encoding is None or cycle.more_body or self.is_gone:
            return None
        self._borrower = borrower
        self._bound()
        self.transport.set_write_buffer_limits(high=0)
        self.is_clogged = self.transport.get_write_buffer_size() > 0
        self._sleep()
        return self

    @property
    def write(self) -> Callable[[bytes], None]:
        """See `Lent.write`."""
        return self.transport.write

    @property
    def is_gone(self) -> bool:
        """See `Lent.is_gone`."""
        return self.transport.is_closing()

    @property
    def is_chunked(self) -> bool:
        """See `Lent.is_chunked`."""
        return self.cycle.chunked_encoding is True

    def fileno(self) -> int:
        """See `Lent.fileno`."""
        return self._socket().fileno()

    def untaken_bytes(self) -> int:
        """See `Lent.untaken_bytes`."""
        answer = fcntl.ioctl(self.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        return int(struct.unpack("i", answer)[0]) + self.transport.get_write_buffer_size()

    def give_back(self, *, is_cut: bool, written: int) -> None:
        """See `Lent.give_back`."""
        if not self.is_chunked:
            self.cycle.expected_content_length -= written
        self._borrower = None
        self._awake()
        if is_cut:
            self._end_answer()
            self._close()
        else:
            self.transport.set_write_buffer_limits()
            if len(self._early) > EARLY_BYTES:
                self.transport.resume_reading()
        self.is_clogged = False

    def pause_writing(self) -> None:
        """Tell the borrower that the client takes no more."""
        if self._borrower is None:
            super().pause_writing()
        else:
            self.is_clogged = True
            self._borrower.clogged()

    def resume_writing(self) -> None:
        """Tell the borrower that the client has taken everything."""
        if self._borrower is None:
            super().resume_writing()
        else:
            self.is_clogged = False
            self._borrower.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the borrower that there is no client any more."""
        self._awake()
        super().connection_lost(exc)
        self._end_answer()
        if self._borrower is not None:
            self._borrower.gone()

    def _end_answer(self) -> None:
        """Have nothing more sent, nor said in the log; uvicorn does so to the request that came last."""
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _close(self) -> None:
        """Close the connection; at once, if its client does not take what was written."""
        if self.is_clogged:
            self.transport.abort()
        else:
            self.transport.close()

    def _sleep(self) -> None:
        """Let go of what is only needed to take a request, and to send."""
        self._is_asleep = True
        cycle = self.cycle
        self.parser = self.flow = self.pipeline = None  # type: ignore[assignment]
        self.scope, self.headers = cast("HTTPScope", None), []
        cycle.scope = {"method": "GET"}  # type: ignore[typeddict-item]  # all that sending looks at
        cycle.flow = None  # type: ignore[assignment]
        cycle.message_event = _NO_EVENT

    def _awake(self) -> None:
        """Have it again."""
        if not self._is_asleep:
            return
        self._is_asleep = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.pipeline = deque()
        self.flow = self.cycle.flow = FlowControl(self.transport)
        self.cycle.message_event = asyncio.Event()

    def _bound(self) -> None:
        """Have the kernel take at most `UNSENT_BYTES` that the viewer has no room for yet, instead of some 4 MiB."""
        try:
            self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        except (OSError, AttributeError):
            return  # not TCP, or a system that has no such option: its own bound stands

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self.transport.get_extra_info("socket"))
