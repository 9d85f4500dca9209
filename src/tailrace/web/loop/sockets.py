"""A websocket in an event loop: a session's viewer is delivered, and what its client sends is done.

Four things go on beside each other: the delivery; a task that hears the client; one that says the answers, begun with
the first; and a thread of the socket's own that writes input, begun with the first input, since a command may read as
late as it likes. So nothing that waits for the command or for the client keeps a `stop` from being done.

Buffers: of input, `QUEUE_BYTES` wait for the command, and more is refused. When `ANSWERS` answers wait for the client,
nothing more is heard from it; those to its input, a thousand at most, come on top of that. What is sent waits in
`send`, 64 KiB of output and a little at a time.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final, NamedTuple

from tailrace.core.errors import TailraceError
from tailrace.core.wires import asks
from tailrace.core.wires.asks import Envelope
from tailrace.core.wires.websocket import Message as Framed
from tailrace.core.wires.websocket import messages
from tailrace.web.loop.delivery import Delivery
from tailrace.web.loop.hall import hall_of
from tailrace.web.loop.sinks import Gone, Receive, Send, Sending
from tailrace.web.loop.work import beside
from tailrace.web.session import MESSAGE_BYTES, QUEUE_BYTES, Conversation, full, refusal_of, unusable

ANSWERS: Final = 64
ITEM_BYTES: Final = 64
"""what anything that waits counts for, besides its length"""
CLOSE_S: Final = 2.0
"""for a client that has to take what was sent before to its end"""
LEAVING_S: Final = 0.25
"""the same when the server is stopping, beyond what all viewers had"""
REASON_BYTES: Final = 123
"""RFC 6455, 5.5"""

COMPLETE = 1000
NOT_UTF8 = 1007
NOT_ALLOWED = 1008
TOO_LONG = 1009
BROKEN = 1011
LEAVING = 1012


class Closed(NamedTuple):
    """How a websocket is closed (RFC 6455, 7.4)."""

    code: int
    reason: str


class SocketSink(Sending):
    """ASGI's `send` of messages. Several tasks may use it, one after the other."""

    lent = None

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._turn = asyncio.Lock()

    async def put(self, data: bytes) -> None:
        """See `Sink.put`; takes what the framer of websockets gives."""
        for message in messages(data):
            await self.say(message)

    async def say(self, message: Framed) -> None:
        """Send one message.

        Raises:
            Gone: the client has left.
        """
        async with self._turn:
            kind, data = ("text", message.data.decode()) if message.is_text else ("bytes", message.data)
            try:
                await self._sent({"type": "websocket.send", kind: data})
            except RuntimeError as error:  # so says uvicorn when it has given the client up, and is still closing
                raise Gone("the client has been given up") from error

    def close(self, *, is_cut: bool) -> None:
        """See `Sink.close`; how it is closed is said by who knows."""


class Socket:
    """One websocket that has been accepted."""

    def __init__(self, session: Conversation, receive: Receive, send: Send) -> None:
        self._session = session
        self._receive = receive
        self._send = send
        self._sink = SocketSink(send)
        self._delivery = Delivery(hall_of(asyncio.get_running_loop()), session.viewer)
        self._delivery.sink = self._sink
        self._feeder = Feeder(asyncio.get_running_loop())
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._has_room = asyncio.Event()
        """set when an answer has been taken out"""
        self._saying: asyncio.Task[None] | None = None
        self._owed = 0
        """answers to what the client has asked that it has not been sent yet"""
        self._is_even = asyncio.Event()
        """set when none is owed, or none can be sent any more"""
        self._verdict: Closed | None = None
        """of the client, or of what it sends"""
        self._has_left = False

    async def run(self, report: Callable[[Exception], None]) -> None:
        """Send and do everything, then close it."""
        hearing = asyncio.create_task(self._hear())
        try:
            closed = await self._deliver(report)
            if closed.code == COMPLETE:
                await self._pay()
        finally:
            hearing.cancel()
            if self._saying is not None:
                self._saying.cancel()
            self._feeder.close()
            self._session.close()
        if not self._has_left:
            await self._close(self._verdict or closed)
        if hearing.done() and not hearing.cancelled():
            hearing.result()

    async def _deliver(self, report: Callable[[Exception], None]) -> Closed:
        try:
            await self._delivery.run()
        except Gone:
            if not self._delivery.is_leaving():
                return Closed(NOT_ALLOWED, "nothing was taken for too long, or this may be seen no more")
        except (TailraceError, OSError) as error:
            report(error)
            return Closed(BROKEN, "the output cannot be read on; resume later")
        if self._session.is_complete:
            return Closed(COMPLETE, "")
        return Closed(LEAVING, "the server is stopping; resume at the next")

    async def _pay(self) -> None:
        """Answer what was asked before the end: a stop brings that about, and may be answered behind it."""
        if self._owed and not self._has_left:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._is_even.wait()

    async def _close(self, closed: Closed) -> None:
        message = {"type": "websocket.close", "code": closed.code, "reason": closed.reason[:REASON_BYTES]}
        with suppress(OSError, RuntimeError, TimeoutError):  # it has been closed by the other side meanwhile
            async with asyncio.timeout(LEAVING_S if closed.code == LEAVING else CLOSE_S):
                await self._send(message)

    async def _hear(self) -> None:
        try:
            await self._do_all()
        finally:
            self._is_even.set()
            self._sink.evict()
            self._delivery.lapse()

    async def _do_all(self) -> None:
        """Do what the client asks, one thing after the other, until it leaves, or is shown the door."""
        while self._verdict is None:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._has_left = True
                break
            self._owed += 1
            self._is_even.clear()
            text, data = message.get("text"), message.get("bytes")
            if isinstance(text, str):
                await self._hear_text(text)
            elif isinstance(data, bytes):
                await self._hear_bytes(data)

    async def _hear_text(self, text: str) -> None:
        if len(text) > MESSAGE_BYTES:
            self._verdict = Closed(TOO_LONG, f"a message has at most {MESSAGE_BYTES} bytes")
            return
        try:
            envelope, ask = asks.parse(text)
        except asks.Malformed as error:
            self._verdict = Closed(NOT_UTF8, str(error))
            return
        except asks.Unusable as found:
            await self._answer(unusable(found))
            return
        if isinstance(ask, asks.Input):
            await self._input(envelope, ask.text.encode())
        elif isinstance(ask, asks.CloseInput):
            await self._feed(envelope, 0, lambda: self._session.do(envelope, ask))
        else:
            await self._answer(await beside(self._session.do, envelope, ask))
            self._delivery.wake()

    async def _hear_bytes(self, data: bytes) -> None:
        if len(data) > MESSAGE_BYTES:
            self._verdict = Closed(TOO_LONG, f"a message has at most {MESSAGE_BYTES} bytes")
            return
        await self._input(Envelope("input"), data)

    async def _input(self, envelope: Envelope, data: bytes) -> None:
        if (refusal := refusal_of(envelope, len(data))) is not None:
            await self._answer(refusal)
        else:
            await self._feed(envelope, len(data), lambda: self._session.send(envelope, data))

    async def _feed(self, envelope: Envelope, size: int, work: Callable[[], str]) -> None:
        if not self._feeder.put(size + ITEM_BYTES, work, self._say):
            await self._answer(full(envelope))

    async def _answer(self, text: str) -> None:
        """Have it said; wait while too many answers wait."""
        self._say(text)
        while self._answers.qsize() > ANSWERS:
            self._has_room.clear()
            await self._has_room.wait()

    def _say(self, text: str) -> None:
        """Have it said."""
        if self._saying is None:
            self._saying = asyncio.create_task(self._say_all())
        self._answers.put_nowait(text)

    async def _say_all(self) -> None:
        with suppress(Gone):
            while True:
                text = await self._answers.get()
                self._has_room.set()
                await self._sink.say(Framed(is_text=True, data=text.encode()))
                self._owed -= 1
                if not self._owed:
                    self._is_even.set()
        self._is_even.set()


class Feeder:
    """Writes input, in order, in a thread of its own. For the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._waiting_bytes = 0
        self._is_begun = self._is_closed = False

    def put(self, size: int, work: Callable[[], str], on_done: Callable[[str], None]) -> bool:
        """Have the work done behind what was put before; in the loop, `on_done` is told what it returned.

        Returns:
            Whether there was room for it; who is alone always has some.
        """
        if self._waiting_bytes and self._waiting_bytes + size > QUEUE_BYTES:
            return False

        def done(answer: str) -> None:
            self._waiting_bytes -= size
            if not self._is_closed:
                on_done(answer)

        def act() -> None:
            answer = work()
            with suppress(RuntimeError):  # the loop is closed: nobody is told any more
                self._loop.call_soon_threadsafe(done, answer)

        self._waiting_bytes += size
        self._queue.put(act)
        if not self._is_begun:
            self._is_begun = True
            threading.Thread(target=self._serve, name="tailrace input", daemon=True).start()
        return True

    def close(self) -> None:
        """Take no more; what was put before is still written. Safe to repeat."""
        self._is_closed = True
        self._queue.put(None)

    def _serve(self) -> None:
        while (act := self._queue.get()) is not None:
            act()
