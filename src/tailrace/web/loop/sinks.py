"""Where a viewer's bytes go in an event loop: to ASGI's `send`, or straight to a transport that the server lends.

The contract of lending: a server puts an object of type `Lender` into the scope's extensions under `LENDER`. Once the
headers have gone by `send`, whoever answers a GET over HTTP/1.1 without TLS may ask for the transport. It writes whole
chunks only (or the body itself, where its length was announced), none before the one before has been taken, and gives
the transport back before it ends the response, by `send`, as always. While nothing waits, it may also write to the
socket itself; what that does not take goes to the transport. The socket is closed only after the borrower was told.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Final, Protocol, TypeAlias

from tailrace.core.errors import StreamBroken
from tailrace.engine.base import Passage
from tailrace.web.loop.chunks import chunk_of
from tailrace.web.loop.pump import Pump

Message: TypeAlias = MutableMapping[str, object]
Scope: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

LENDER: Final = "tailrace.lender"
UNKNOWN_BYTES: Final = 1 << 62
PUT_BYTES = 64 << 10
"""given to `send` at once: what a server buffers for a viewer that has stopped reading"""


class Gone(ConnectionResetError):
    """The viewer has left."""


class Borrower(Protocol):
    """Who has a transport on loan."""

    def clogged(self) -> None:
        """The client takes no more for now; what was written is kept."""

    def drained(self) -> None:
        """Everything that was written has been taken."""

    def gone(self) -> None:
        """The connection is lost."""


class Lent(Protocol):
    """A transport on loan."""

    @property
    def is_clogged(self) -> bool:
        """Whether something that was written has not been taken yet."""

    @property
    def is_gone(self) -> bool:
        """Whether the connection is lost."""

    def write(self, data: bytes) -> None:
        """Write whole chunks, or the rest of one that the socket took in part.

        Raises:
            OSError, RuntimeError: the connection is lost.
        """

    @property
    def is_chunked(self) -> bool:
        """Whether what is written must be whole chunks; if not, the length of everything has been announced."""

    def fileno(self) -> int:
        """Return the socket's descriptor, which stays the transport's, and open until `Borrower.gone` has returned."""

    def untaken_bytes(self) -> int:
        """Return how much of what was written the client has not acknowledged."""

    def give_back(self, *, is_cut: bool, written: int) -> None:
        """End the loan, during which so many bytes of the body were written.

        With `is_cut`, close the connection: the response must not look complete.
        """


class Lender(Protocol):
    """Part of a server: a connection that may be lent."""

    def lend(self, borrower: Borrower) -> Lent | None:
        """Lend the transport; None if it cannot be lent for this request."""

    def cut(self) -> None:
        """Close the connection, which is not lent, in the middle of an answer, which must not look complete."""


class Sink(Protocol):
    """Where one viewer's bytes go."""

    @property
    def lent(self) -> Lent | None:
        """The transport; None where it is not lent."""

    async def put(self, data: bytes) -> None:
        """Send, and return when more can be sent.

        Raises:
            Gone: the viewer has left.
        """

    async def settle(self) -> bool:
        """Wait until the viewer has taken what would hold up the next piece; tell whether that took any waiting.

        Raises:
            Gone: the viewer has left.
        """

    def check(self) -> None:
        """See whether the viewer is there.

        Raises:
            Gone: it has left.
        """

    def untaken_bytes(self) -> int:
        """Return how much waits for the viewer to take it, as far as that shows; less when it has taken some."""

    def evict(self) -> None:
        """End the stream: `put` and `check` raise `Gone`."""

    def close(self, *, is_cut: bool) -> None:
        """Put nothing more; with `is_cut`, see that the response does not look complete, where this can."""


class LentSink:
    """A lent transport, until it is given back."""

    __slots__ = ("_drained", "_given", "_on_clog", "_on_gone", "_pump", "_written", "lent")

    def __init__(self, on_clog: Callable[[], None], on_gone: Callable[[], None]) -> None:
        self.lent: Lent | None = None
        self._on_clog = on_clog
        self._on_gone = on_gone
        self._drained: asyncio.Future[None] | None = None
        self._pump: Pump | None = None
        self._written = 0
        """of the body"""
        self._given = 0
        """to the transport, or past it to the socket, chunks' own bytes too"""

    async def put(self, data: bytes) -> None:
        """See `Sink.put`."""
        lent = self._own()
        await self._write(chunk_of(data) if lent.is_chunked else data)
        self._written += len(data)

    async def settle(self) -> bool:
        """See `Sink.settle`."""
        has_waited = self._own().is_clogged
        if has_waited:
            await self._wait()
        self.check()
        return has_waited

    async def pass_on(self, passage: Passage, on_taken: Callable[[int], None]) -> None:
        """Have the file's bytes go to the client as they are.

        Args:
            passage: which.
            on_taken: told how many of them have gone, each time.

        Raises:
            Gone: the viewer has left.
            StreamBroken: the file ends too early.
            OSError: it cannot be read.
        """
        lent = self._own()
        if lent.is_chunked:
            await self._write(b"%x\r\n" % (passage.end - passage.begin))
        else:
            await self._write(b"")
        self._pump = Pump(asyncio.get_running_loop(), lent.fileno(), *passage)
        try:
            await self._pump.run(partial(self._passed, on_taken))
        except ConnectionError as error:
            raise Gone("the viewer has left") from error
        except EOFError as error:
            hint = "something has cut the file short: see what was done to the state directory"
            raise StreamBroken(str(error), op="follow", subject="output", hint=hint) from None
        finally:
            self._pump.close()
            self._pump = None
        self._written += passage.end - passage.begin
        if lent.is_chunked:
            await self._write(b"\r\n")

    def _passed(self, on_taken: Callable[[int], None], count: int) -> None:
        self._given += count
        on_taken(count)

    async def _write(self, data: bytes) -> None:
        await self.settle()
        if data:
            self._given += len(data)
            self._own().write(data)
        await self.settle()

    def check(self) -> None:
        """See `Sink.check`."""
        if self._own().is_gone:
            raise Gone("the viewer has left")

    def untaken_bytes(self) -> int:
        """See `Sink.untaken_bytes`: a number that goes down by what is taken, however much is given meanwhile.

        What waits would not do: one who takes slowly has as much before him each time, since there is always more.
        """
        if not self._own().is_clogged and self._pump is None:
            return 0
        left = self._own().untaken_bytes()
        return UNKNOWN_BYTES - self._given + left if left else 0

    def evict(self) -> None:
        """See `Sink.evict`."""
        if not self._own().is_gone:
            self._own().give_back(is_cut=True, written=self._written)
        self.gone()

    def close(self, *, is_cut: bool) -> None:
        """See `Sink.close`."""
        self._own().give_back(is_cut=is_cut or self._own().is_gone, written=self._written)

    def clogged(self) -> None:
        """See `Borrower.clogged`."""
        self._on_clog()

    def drained(self) -> None:
        """See `Borrower.drained`."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def gone(self) -> None:
        """See `Borrower.gone`."""
        self.drained()
        if self._pump is not None:
            self._pump.stop(ConnectionResetError("the viewer has left"))
        self._on_gone()

    def _own(self) -> Lent:
        assert self.lent is not None  # noqa: S101  # nosec B101 # for mypy
        return self.lent

    async def _wait(self) -> None:
        while self._own().is_clogged and not self._own().is_gone:
            self._drained = asyncio.get_running_loop().create_future()
            try:
                await self._drained
            finally:
                self._drained = None


class Sending:
    """ASGI's `send`, which waits while the client takes nothing. One task at a time."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_gone = False
        self._sends = 0
        self._sending: asyncio.Task[None] | None = None

    async def _sent(self, message: Message) -> None:
        """Send it.

        Raises:
            Gone: the viewer has left, or was evicted.
        """
        self.check()
        self._sends += 1
        self._sending = asyncio.current_task()
        try:
            await self._send(message)
        except OSError as error:  # ASGI 2.4: so says a server that the viewer has left
            raise Gone("the viewer has left") from error
        except asyncio.CancelledError:
            if self._is_gone and self._sending is not None:
                self._sending.uncancel()
                raise Gone("the viewer takes nothing") from None
            raise
        finally:
            self._sending = None
        self.check()

    async def settle(self) -> bool:
        """See `Sink.settle`: each `send` waits for itself.

        Who left, or was evicted, while nothing was sent and nobody dozed has woken nobody: it is seen here.
        """
        self.check()
        return False

    def check(self) -> None:
        """See `Sink.check`."""
        if self._is_gone:
            raise Gone("the viewer has left")

    def untaken_bytes(self) -> int:
        """See `Sink.untaken_bytes`: a number that goes down with each `send` that is done, and is 0 between two."""
        return UNKNOWN_BYTES - self._sends if self._sending is not None else 0

    def evict(self) -> None:
        """See `Sink.evict`."""
        self._is_gone = True
        if self._sending is not None:
            self._sending.cancel()


class SendSink(Sending):
    """A response's body, and `receive` to learn that the viewer has left."""

    lent = None

    def __init__(self, receive: Receive, send: Send, on_gone: Callable[[], None]) -> None:
        super().__init__(send)
        self._on_gone = on_gone
        self._listening = asyncio.ensure_future(self._listen(receive))

    async def put(self, data: bytes) -> None:
        """See `Sink.put`."""
        for begin in range(0, len(data), PUT_BYTES):
            part = data[begin : begin + PUT_BYTES]
            await self._sent({"type": "http.response.body", "body": part, "more_body": True})

    def close(self, *, is_cut: bool) -> None:  # noqa: ARG002  who sends cuts, by raising
        """See `Sink.close`."""
        self._listening.cancel()

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        self._on_gone()
