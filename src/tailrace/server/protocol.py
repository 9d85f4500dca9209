"""uvicorn's HTTP/1.1 protocol, which lends its transport to whoever streams.

What uvicorn does for each `send` (a message, a check of headers, a copy into the chunk, a task to be woken) costs three
times what the write itself does. A stream that goes to a thousand viewers is framed once, so it is written straight to
their transports. The contract is that of `tailrace.web.loop.sinks`.

While its transport is lent, a connection sleeps: what it needs only to take a request or to send in its own way, its
parser, queue, events and scope, some 5 KiB, it lets go of. If its client sends something, or the loan ends, it has them
made again; a GET has been read to its end by then, so a new parser begins where a request begins.

uvicorn gives a client all the time it likes to send a request. Here its headers must be complete so many seconds after
the connection was made, or after their first byte, and its body so many after them; else the connection is closed.

What comes behind a request that is still being answered, and cannot be taken, must not be answered before it, nor in
the middle of it: what was asked rightly is answered, then the connection is closed.

Of uvicorn's own state, this touches `scope`, `headers`, `cycle`, `pipeline`, `parser` and `flow`.
"""

import asyncio
import fcntl
import select
import socket
import struct
import sys
import termios
from collections import deque
from typing import TYPE_CHECKING, Final, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tailrace.server.ambiguity import is_ambiguous
from tailrace.server.oldest import OldCycle
from tailrace.server.upgrades import CONNECT, head_without_upgrade
from tailrace.web.client import UNSENT_BYTES
from tailrace.web.loop.sinks import LENDER, Borrower, Lent

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope


HEADERS_S = 10.0
"""for a request's headers to be complete"""
BODY_S = 30.0
"""for its body, of which no route takes more than a MiB"""
HEAD_BYTES = 64 << 10
"""of a request's line and headers; httptools itself takes any number"""

LEAVING: Final = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
TOO_LONG: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def reset(transport: asyncio.Transport) -> None:
    """Close the connection at once, so that no answer on it looks complete, even one that ends with the connection."""
    found = cast("socket.socket | None", transport.get_extra_info("socket"))
    if found is not None and found.fileno() >= 0:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class _NoEvent(asyncio.Event):
    """Nobody waits for it; one for all connections that sleep."""

    def set(self) -> None:
        """Wake nobody."""


_NO_EVENT: Final = _NoEvent()
_NO_SCOPE: Final = cast("HTTPScope", {"method": "GET"})
"""all that sending looks at; one for all connections that sleep"""
EARLY_BYTES = 64 << 10
"""kept of what a client sends while the transport is lent; with more, all of it is nobody's"""
MOST_PIPELINED = 100
"""requests that wait for the one that is being answered; each is some KiB"""
LOOK_S = 5.0
"""between two looks whether a client that is read no further has left"""
KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)
"""a client that has not answered the kernel for two minutes is gone (tcp(7), seconds)"""


class LendingProtocol(HttpToolsProtocol):
    """One connection; it is its own loan."""

    # beside uvicorn's own: more keys would double its dictionary
    __slots__ = (
        "_answered",
        "_borrower",
        "_due",
        "_early",
        "_head_bytes",
        "_is_asleep",
        "_is_counting",
        "_looking",
        "_passed_by",
        "_plain_head",
        "_segment",
        "is_clogged",
    )

    _answered: RequestResponseCycle | None
    """what is being answered; `cycle` is that of the request that came last, which may be another"""
    _borrower: Borrower | None
    _early: bytes
    """what came while the transport was lent: the next request, or some of it"""
    _due: asyncio.TimerHandle | None
    """when what is being received must be complete"""
    _head_bytes: int
    """that have come of a request besides its body, since the first part of it that the system gave"""
    _is_asleep: bool
    _is_counting: bool
    _looking: asyncio.TimerHandle | None
    """when to look whether the client has left"""
    _passed_by: bytes
    """what the parser, which stops at each request to upgrade, has not looked at, and has to"""
    _plain_head: bytes
    """of a request to upgrade to something that is not spoken here: its head, as if it did not say so"""
    _segment: bytes
    """what has just come"""
    is_clogged: bool

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin, with nothing lent."""
        self._answered = self._borrower = None
        self._early = self._segment = self._passed_by = self._plain_head = b""
        self._due = self._looking = None
        self._count_anew()
        self._is_asleep = self.is_clogged = False
        super().connection_made(transport)
        self._expect(HEADERS_S)
        self._ask_for_life()

    def on_message_begin(self) -> None:
        """Offer the transport to whoever answers."""
        super().on_message_begin()
        self._count_anew()
        if self._is_free():
            self._expect(HEADERS_S)
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {LENDER: self})

    def on_headers_complete(self) -> None:
        """Have the body come in time too, and what is old answered in the old way.

        Raises:
            ValueError: it is too long, one too many, or could be read in two ways; whoever has called refuses it.
        """
        head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if head_bytes > HEAD_BYTES:
            self._head_bytes = head_bytes
            raise ValueError("too long")
        if is_ambiguous(self.url, self.parser.get_http_version(), self.headers):
            raise ValueError("two readings")
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("one too many")
        if self.parser.should_upgrade() and not self._should_upgrade() and self.parser.get_method() != CONNECT:
            method, version = self.parser.get_method(), self.parser.get_http_version()
            self._plain_head = head_without_upgrade(method, self.url, version, self.headers)
            return
        if self._is_free():
            self._expect(BODY_S)
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is before:
            return  # it becomes a websocket
        if self.parser.get_method() == CONNECT:
            self.cycle.keep_alive = False  # what is behind it is no HTTP
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = OldCycle
        if self.pipeline:
            self._look_later()  # nothing more is read now, not even that the client leaves
        else:
            self._answered = self.cycle

    def data_received(self, data: bytes) -> None:
        """Take a request. What comes while the transport is lent is looked at after that.

        It is kept, so that the end of the connection is seen behind it. Of who sends much, nothing is: the end of the
        connection could not get through to us if we left it unread. This answer is the last then.
        """
        if self._is_last():
            return
        if self._borrower is not None:
            self._early += data
            if len(self._early) > EARLY_BYTES:
                self._early, self.cycle.keep_alive = b"", False
            return
        if self._due is None and self._is_free():
            self._expect(HEADERS_S)  # nothing that can be sent between two requests makes it wait for longer
        self._is_counting = True
        self._parse(data)
        if self._is_counting:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.send_400_response("Too long.")

    def _parse(self, data: bytes) -> None:
        """Have it parsed, to its end."""
        while data and not self.transport.is_closing():
            self._segment = data
            super().data_received(data)
            data, self._segment, self._passed_by = self._passed_by, b"", b""
            if self._is_last():
                return

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, which is bounded otherwise."""
        self._head_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect nothing more."""
        if self._plain_head:
            return  # it is parsed anew
        self._expect(None)
        self._count_anew()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, if it is there, its body may not be; or with what came too early."""
        self._answered = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        if not self._is_free() and self.cycle.more_body:
            self._expect(BODY_S)
        early, self._early = self._early, b""
        if early and not self.transport.is_closing():
            self.data_received(early)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request that is taken here, and close the connection.

        Behind what is still to be answered, that comes first, and then the end; within an answer, there are no words.
        """
        if not self._is_free():
            if not self.cycle.more_body:
                self.cycle.keep_alive = False
                return
            if self.cycle is not self._answered or self.cycle.response_started:
                self.transport.abort()
                return
        if self._head_bytes <= HEAD_BYTES:
            super().send_400_response(msg)
            return
        self.transport.write(TOO_LONG)
        self.transport.close()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on, bounded, with what came behind the handshake, which uvicorn would drop.

        Behind what is still to be answered, refuse to.
        """
        if not self._is_free():
            self.send_400_response("Invalid HTTP request received.")
            return
        behind = self._behind_upgrade()
        self._expect(None)
        self._bound()
        super().handle_websocket_upgrade()
        if behind:
            cast("asyncio.Protocol", self.transport.get_protocol()).data_received(behind)

    def _unsupported_upgrade_warning(self) -> None:
        """Leave it out of account (RFC 9110, 7.8), but neither its body nor what is behind it, as uvicorn would.

        For the parser, a request to upgrade is over with its head, and its body would be the next request.
        """
        if self._plain_head:
            self._passed_by = self._plain_head + self._behind_upgrade()
            self._plain_head = b""
            self._make_parser()

    def _behind_upgrade(self) -> bytes:
        """Return what has come behind the request at which the parser has just stopped."""
        upgrade = sys.exception()
        return self._segment[int(upgrade.args[0]) :] if isinstance(upgrade, httptools.HttpParserUpgrade) else b""

    def _should_upgrade(self) -> bool:
        """Tell whether it becomes a websocket; what HTTP/1.0 says of upgrading is left out (RFC 9110, 7.8)."""
        return self.parser.get_http_version() == "1.1" and super()._should_upgrade()

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

    def leave(self) -> None:
        """Wait no longer for the rest of a body, since the server is stopping; refuse its request.

        Behind what is still to be answered, that comes first; this is to be asked again.
        """
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or not cycle.more_body or cycle.response_started or cycle is not self._answered:
            return
        self._end_answer()
        self.transport.write(LEAVING)
        self.transport.close()

    def cut(self) -> None:
        """See `Lender.cut`. With TLS, a proper end of the connection would be one of a body over HTTP/1.0, too."""
        self._end_answer()
        if isinstance(self._answered, OldCycle) or self.transport.get_write_buffer_size():
            reset(self.transport)
        else:
            self.transport.close()

    def write(self, data: bytes) -> None:
        """See `Lent.write`."""
        self.transport.write(data)

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
        self._expect(None)
        if self._looking is not None:
            self._looking.cancel()
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

    def _count_anew(self) -> None:
        self._head_bytes = 0
        self._is_counting = False

    def _is_free(self) -> bool:
        """Tell whether no request is being answered: while one is, what comes behind it is left to wait, not timed."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete

    def _is_last(self) -> bool:
        """Tell whether all has come that is to be answered: the rest is nobody's."""
        return not self._is_free() and not self.cycle.more_body and not self.cycle.keep_alive

    def _look_later(self) -> None:
        """See that a client that is read no further does not leave unseen."""
        if self._looking is None:
            self._looking = self.loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = None
        if self._is_free() or self.transport.is_closing():
            return
        poll = select.poll()
        poll.register(self.fileno(), select.POLLRDHUP)
        if poll.poll(0):
            self.transport.abort()
        else:
            self._look_later()

    def _expect(self, within_s: float | None) -> None:
        """Have what is being received be complete in time, or close the connection; None: expect nothing."""
        if self._due is not None:
            self._due.cancel()
        self._due = None if within_s is None else self.loop.call_later(within_s, self._give_up)

    def _give_up(self) -> None:
        self._due = None
        self.transport.abort()

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
        cycle.scope = _NO_SCOPE
        cycle.flow = None  # type: ignore[assignment]
        cycle.message_event = _NO_EVENT

    def _awake(self) -> None:
        """Have it again."""
        if not self._is_asleep:
            return
        self._is_asleep = False
        self._make_parser()
        self.pipeline = deque()
        self.flow = self.cycle.flow = FlowControl(self.transport)
        self.cycle.message_event = asyncio.Event()

    def _make_parser(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def _bound(self) -> None:
        """Have the kernel take at most `UNSENT_BYTES` that the viewer has no room for yet, instead of some 4 MiB."""
        try:
            self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        except (OSError, AttributeError):
            return  # not TCP, or a system that has no such option: its own bound stands

    def _ask_for_life(self) -> None:
        """Have the kernel see whether the client is there: a silent text has no heartbeat, and hosts may be gone."""
        try:
            for level, option, value in KEEPALIVE:
                self._socket().setsockopt(level, option, value)
        except OSError:
            return  # not TCP: who is on this machine cannot be gone unseen

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self.transport.get_extra_info("socket"))
