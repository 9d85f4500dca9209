"""uvicorn's HTTP/1.1 protocol, which lends its transport to whoever streams.

What uvicorn does for each `send` (a message, a check of headers, a copy into the chunk, a task to be woken) costs three
times what the write itself does. A stream that goes to a thousand viewers is framed once, so it is written straight to
their transports. The contract is that of `tailrace.web.loop.sinks`.

Of uvicorn's own state, this looks at the request's `scope` and `cycle`, and at `pipeline`, `scheme` and `transport`.
"""

import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tailrace.web.client import UNSENT_BYTES
from tailrace.web.loop.sinks import LENDER, Borrower, Lent


class LendingProtocol(HttpToolsProtocol):
    """One connection; it is its own loan."""

    is_clogged = False
    _borrower: Borrower | None = None

    def on_message_begin(self) -> None:
        """Offer the transport to whoever answers."""
        super().on_message_begin()
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {LENDER: self})

    def lend(self, borrower: Borrower) -> Lent | None:
        """See `Lender.lend`."""
        scope = self.scope
        is_plain = self.scheme == "http" and scope["method"] == "GET" and scope["http_version"] == "1.1"
        if not is_plain or self.pipeline or not self.cycle.chunked_encoding or self.transport.is_closing():
            return None
        self._borrower = borrower
        self._bound()
        self.transport.set_write_buffer_limits(high=0)
        self.is_clogged = self.transport.get_write_buffer_size() > 0
        return self

    @property
    def write(self) -> Callable[[bytes], None]:
        """See `Lent.write`."""
        return self.transport.write

    @property
    def is_gone(self) -> bool:
        """See `Lent.is_gone`."""
        return self.transport.is_closing()

    def untaken_bytes(self) -> int:
        """See `Lent.untaken_bytes`."""
        answer = fcntl.ioctl(self._socket().fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        return int(struct.unpack("i", answer)[0]) + self.transport.get_write_buffer_size()

    def give_back(self, *, is_cut: bool) -> None:
        """See `Lent.give_back`."""
        self._borrower = None
        self.is_clogged = False
        if is_cut:
            self.cycle.disconnected = True  # nothing more is to be sent, nor to be said in the log
            self.transport.close()
        else:
            self.transport.set_write_buffer_limits()

    def pause_writing(self) -> None:
        """Tell the borrower that the client takes no more."""
        super().pause_writing()
        if self._borrower is not None:
            self.is_clogged = True
            self._borrower.clogged()

    def resume_writing(self) -> None:
        """Tell the borrower that the client has taken everything."""
        super().resume_writing()
        if self._borrower is not None:
            self.is_clogged = False
            self._borrower.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the borrower that there is no client any more."""
        super().connection_lost(exc)
        if self._borrower is not None:
            self._borrower.gone()

    def _bound(self) -> None:
        """Have the kernel take at most `UNSENT_BYTES` that the viewer has no room for yet, instead of some 4 MiB."""
        try:
            self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        except (OSError, AttributeError):
            return  # not TCP, or a system that has no such option: its own bound stands

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self.transport.get_extra_info("socket"))
