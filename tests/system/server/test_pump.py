"""Passing a file on to a socket, and how what has been taken of it is counted."""

import asyncio
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
import uvloop

from tailrace.core.errors import StreamBroken
from tailrace.engine.base import Passage
from tailrace.web.loop.pump import Pump
from tailrace.web.loop.sinks import Gone, LentSink

SIZE = 24 << 20
Run: TypeAlias = Callable[[Coroutine[object, object, None]], None]


class Pair:
    """The two ends of a TCP connection, the client's of which holds little."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.socket()
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            self.client.connect(listener.getsockname())
            self.server, _address = listener.accept()
        self.server.setblocking(False)
        self.client.setblocking(False)

    def close(self) -> None:
        """Close both."""
        self.client.close()
        self.server.close()


class Loan:
    """A socket on loan as its server lends it: nothing is ever kept, so it never clogs."""

    is_clogged = is_gone = is_chunked = False

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.is_cut = False

    def write(self, data: bytes) -> None:
        """Send what is sent here at all: a few bytes."""
        assert self._socket.send(data) == len(data)

    def fileno(self) -> int:
        """See `Lent.fileno`."""
        return self._socket.fileno()

    def untaken_bytes(self) -> int:
        """See `Lent.untaken_bytes`."""
        return int(struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, struct.pack("i", 0)))[0])

    def give_back(self, *, is_cut: bool, written: int) -> None:
        """See `Lent.give_back`."""
        self.is_cut = is_cut and written >= 0


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Give a connection."""
    with closing(Pair()) as pair:
        yield pair


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """Give a file, open."""
    (tmp_path / "output").write_bytes(os.urandom(SIZE))
    fd = os.open(tmp_path / "output", os.O_RDWR)
    yield fd
    os.close(fd)


def sink_of(pair: Pair) -> LentSink:
    """Return a sink to the client."""
    sink = LentSink(lambda: None, lambda: None)
    sink.lent = Loan(pair.server)
    return sink


async def take(pair: Pair, size: int) -> bytes:
    """Return the next so many bytes that the client gets."""
    parts, left = [], size
    while left:
        data = await asyncio.get_running_loop().sock_recv(pair.client, min(left, 1 << 20))
        assert data, "the connection has ended"
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


async def until(condition: Callable[[], bool]) -> None:
    """Wait in the loop."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  (the kernel makes it true)
            await asyncio.sleep(0.001)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Give what does some work in a loop of each kind, and sees that it leaves no descriptor open."""

    def done(work: Coroutine[object, object, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.sleep(0))
            before = opened()
            runner.run(work)
            assert opened() <= before

    return done


def opened() -> int:
    """Return how many descriptors are open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_every_byte_of_the_passage_arrives(pair: Pair, file: int, run: Run) -> None:
    """Those and no others; what was taken adds up."""
    begin, end = 12_345, SIZE - 54_321
    taken: list[int] = []

    async def main() -> None:
        passing = asyncio.create_task(sink_of(pair).pass_on(Passage(file, begin, end), taken.append))
        assert await take(pair, end - begin) == os.pread(file, end - begin, begin)
        await passing

    run(main())
    assert sum(taken) == end - begin
    assert len(taken) > 1


def test_a_client_that_leaves_ends_it(pair: Pair, file: int, run: Run) -> None:
    """Though the socket was full, and nobody waited for anything else."""

    async def main() -> None:
        passing = asyncio.create_task(sink_of(pair).pass_on(Passage(file, 0, SIZE), lambda _count: None))
        await take(pair, 1 << 20)
        pair.client.close()
        with pytest.raises(Gone):
            await passing

    run(main())


def test_a_server_that_says_so_ends_it(pair: Pair, file: int, run: Run) -> None:
    """It tells the borrower that the client has left, or evicts it; nothing is sent afterwards."""
    sink = sink_of(pair)

    async def main() -> None:
        passing = asyncio.create_task(sink.pass_on(Passage(file, 0, SIZE), lambda _count: None))
        await take(pair, 1 << 20)
        sink.evict()
        with pytest.raises(Gone):
            await passing

    run(main())
    assert isinstance(sink.lent, Loan)
    assert sink.lent.is_cut


def test_a_file_that_ends_too_early_is_broken(pair: Pair, file: int, run: Run) -> None:
    """Whether it was shorter before, or becomes so; never a wait for what will not come."""

    async def main(size: int) -> None:
        passing = asyncio.create_task(sink_of(pair).pass_on(Passage(file, size, SIZE + 1), lambda _count: None))
        await take(pair, SIZE - size)
        with pytest.raises(StreamBroken, match=f"the file ends at byte {SIZE}"):
            await passing

    run(main(SIZE - 100))
    run(main(0))


def test_who_is_cancelled_sends_no_more(pair: Pair, file: int, run: Run) -> None:
    """And holds nothing; the pump may be closed twice."""

    async def main() -> None:
        pump = Pump(asyncio.get_running_loop(), pair.server.fileno(), file, 0, SIZE)
        passing = asyncio.create_task(pump.run(lambda _count: None))
        await take(pair, 1 << 20)
        passing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await passing
        pump.close()
        pump.close()

    run(main())


def test_what_is_taken_counts_however_much_waits(pair: Pair, file: int, run: Run) -> None:
    """The number goes down whenever the client takes something, also if as much is before it as ever."""
    sink = sink_of(pair)
    sizes: list[int] = []

    async def main() -> None:
        passing = asyncio.create_task(sink.pass_on(Passage(file, 0, SIZE), lambda _count: None))
        await take(pair, 1)
        for _ in range(20):
            sizes.append(sink.untaken_bytes())
            await take(pair, 512 << 10)
            await until(lambda: sink.untaken_bytes() < sizes[-1])
        assert sink.untaken_bytes() > 0
        passing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await passing

    run(main())
    assert sink.untaken_bytes() == 0
