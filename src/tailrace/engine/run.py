"""The handle of one run: what `engine.start` and `engine.run` give."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from tailrace.core.errors import InvalidInput, StreamBroken
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import Stream
from tailrace.engine.base import Cursor, End, Engine, Pin, Request
from tailrace.follow.bell import Bell
from tailrace.host.messages import INPUT_BYTES, CloseInput, Input, Resize, Signal, Stop
from tailrace.host.wait import readable

if TYPE_CHECKING:
    import asyncio

_STREAMS = {"stdout": Stream.STDOUT, "stderr": Stream.STDERR, None: None}


class Run:
    """One run of an engine. Cheap to make, holds nothing open; may be used from any thread."""

    def __init__(self, engine: Engine, run_id: str) -> None:
        self.engine = engine
        self.id = run_id

    def __repr__(self) -> str:
        """Return how to make it again."""
        return f"Run({self.engine!r}, {self.id!r})"

    def info(self) -> RunInfo:
        """Return the run as it is now.

        Raises:
            UnknownRun: it was pruned.
        """
        return self.engine.get(self.id)

    def follow(
        self, offset: int = 0, *, tail: int | None = None, line: int | None = None, stream: str | None = None
    ) -> Iterator[Chunk]:
        """Yield the output from the offset on: what is there, then what comes, until the run has ended.

        Args:
            offset: where to begin, in bytes.
            tail: begin with the last so many lines instead.
            line: begin with this line instead; the first one is line 1.
            stream: `stdout` or `stderr` alone.

        Raises:
            UnknownRun, OffsetBeyondEnd: at the first step.
            StreamBroken: bytes are missing before the recorded end (not those that an output limit left out, which
                `info().dropped` counts).

        Waiting is cooperative under gevent and eventlet. Leaving the loop lets go of everything; the run goes on.
        """
        for event in self.events(offset, tail=tail, line=line, stream=stream):
            if isinstance(event, Chunk):
                yield event
            elif isinstance(event, Gap):
                check_gap(self.id, event)

    async def afollow(
        self, offset: int = 0, *, tail: int | None = None, line: int | None = None, stream: str | None = None
    ) -> AsyncIterator[Chunk]:
        """Yield the output as `follow` does, in an asyncio event loop, which never waits: what may, has a thread.

        After cancellation nothing is held, as soon as a thread that reads is done with it; resume from the last
        chunk's `end`.
        """
        import asyncio

        from tailrace.engine.elsewhere import Elsewhere

        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        cursor = Elsewhere(partial(self.engine.cursor, self.id, offset, tail=tail, line=line, stream=_STREAMS[stream]))
        is_watching = False
        try:
            while True:
                changed.clear()
                seen = await cursor.look()
                if isinstance(seen, End):
                    return
                if isinstance(seen, Gap):
                    check_gap(self.id, seen)
                elif seen is not None:
                    for chunk in seen:
                        yield chunk
                elif is_watching:
                    await changed.wait()
                else:
                    cursor.on_change(lambda: _ring(loop, changed))
                    is_watching = True
        finally:
            cursor.close()

    def events(
        self,
        offset: int = 0,
        *,
        tail: int | None = None,
        line: int | None = None,
        stream: str | None = None,
        timeout_s: float | None = None,
    ) -> Iterator[Chunk | Gap | End | None]:
        """Yield chunks, gaps and the end as they come; None whenever `timeout_s` passed without any.

        Raises:
            UnknownRun, OffsetBeyondEnd: at the first step.
        """
        with closing(self.engine.cursor(self.id, offset, tail=tail, line=line, stream=_STREAMS[stream])) as cursor:
            yield from _events(cursor, timeout_s)

    def wait(self, timeout: float | None = None) -> RunInfo:
        """Wait until the run has ended, and return it.

        Raises:
            TimeoutError: it has not ended within `timeout` seconds; it goes on. (Python's own.)
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        info = self.info()
        with closing(Bell()) as bell, closing(self.engine.cursor(self.id, info.size)) as cursor:
            cursor.on_change(bell.ring)
            while True:
                bell.clear()
                seen = cursor.look()
                if isinstance(seen, End):
                    return seen.run
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError(f"run {self.id} has not ended within {timeout:g} s")
                if seen is None:
                    readable([bell.fd], left)

    def stop(self, *, by: str | None = None, now: bool = False) -> None:
        """Begin the stop ladder; repeated with `now`, go to its next rung at once. A queued run is cancelled.

        Raises:
            UnknownRun, EngineUnavailable. A finished run is left as it is.
        """
        self._ask(Stop(by, now))

    def signal(self, number: int) -> None:
        """Send one signal to the command alone.

        Raises:
            WrongState: it does not run.
        """
        self._ask(Signal(number))

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Write to the command's standard input; returns when the command's pipe has taken everything.

        Raises:
            WrongState: it was started without input, or takes no more.
            InvalidInput: this is not bytes.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise InvalidInput(
                f"input must be bytes, not {type(data).__name__}",
                op="send",
                subject=self.id,
                hint='for example b"yes", or text.encode()',
            )
        for begin in range(0, len(data), INPUT_BYTES):
            self._ask(Input(bytes(data[begin : begin + INPUT_BYTES])))

    def close_input(self) -> None:
        """End the command's standard input; at a terminal, type its end-of-file character.

        A terminal takes that for the end only at the beginning of a line: after half a line, do it twice.

        Raises:
            WrongState: it has none.
        """
        self._ask(CloseInput())

    def resize(self, rows: int, columns: int) -> None:
        """Tell the run's terminal its size.

        Raises:
            WrongState: it has no terminal.
        """
        self._ask(Resize(rows, columns))

    def pin(self, on: bool = True) -> None:  # noqa: FBT001, FBT002
        """Protect the run from retention, or no longer."""
        self._ask(Pin(on))

    def _ask(self, request: Request) -> None:
        self.engine.control(self.id, request)


LIMIT_GAP = "not kept: the output limit was reached"


def check_gap(run_id: str, gap: Gap) -> None:
    """Let a gap pass that an output limit made on purpose.

    Raises:
        StreamBroken: any other.
    """
    if gap.why != LIMIT_GAP:
        raise StreamBroken(
            f"bytes {gap.begin} to {gap.end} are missing: {gap.why}",
            op="follow",
            subject=run_id,
            hint=f"what comes after the gap can be had from offset {gap.end} on",
        )


def _events(cursor: Cursor, timeout_s: float | None) -> Iterator[Chunk | Gap | End | None]:
    """Yield what the cursor gives, waiting in between; nothing is watched as long as there is something to read."""
    bell: Bell | None = None
    try:
        while True:
            seen = cursor.look()
            if isinstance(seen, list):
                yield from seen
            elif seen is not None:
                yield seen
                if isinstance(seen, End):
                    return
            elif bell is None:
                bell = Bell()
                cursor.on_change(bell.ring)
            else:
                if not readable([bell.fd], timeout_s):
                    yield None
                bell.clear()
    finally:
        if bell is not None:
            cursor.close()
            bell.close()


def _ring(loop: "asyncio.AbstractEventLoop", changed: "asyncio.Event") -> None:
    try:
        loop.call_soon_threadsafe(changed.set)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
