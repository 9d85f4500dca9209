"""What one cursor is sent: read by a thread of its own, over connections that come and go, into a buffer with a bound.

The thread reads until the run's end. When a connection breaks, the server restarts, or nothing comes for three
heartbeats, it begins again behind the last byte that it has, after a pause that doubles from 0.1 to 5 s, for as long as
it takes. What the server refuses (the run is gone, it may not be seen) is final, and told behind what came before it.

Buffer: 1 MiB. When it is full, the thread waits until the cursor is read, and the server waits in its socket.
"""

import threading
from collections import deque

from tailrace.core.errors import (
    CallerError,
    NoSpace,
    StreamBroken,
    TailraceError,
    UnknownRun,
    WrongVersion,
)  # fmt: skip
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.engine.base import End, Ring
from tailrace.engine.remote.rings import Rings
from tailrace.engine.remote.source import Cut, Inflow, Item, Source
from tailrace.follow.bell import Bell

BUFFER_BYTES = 1 << 20
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
_FINAL = (CallerError, StreamBroken, WrongVersion, NoSpace)
"""refusals that trying again does not cure"""


class Inlet:
    """Fills itself from a stream that has been opened; `take` and `close` are for whoever reads the cursor."""

    def __init__(self, source: Source, inflow: Inflow) -> None:
        self.bell = Bell()
        """rung whenever something has changed"""
        self.info = inflow.info
        """the run, as the server told of it last"""
        self.is_connected = True
        self._source = source
        self._inflow: Inflow | None = inflow
        self._changed = threading.Condition()
        self._items: deque[Chunk | Gap | End] = deque()
        self._size = 0
        self._offset = inflow.offset
        self._failure: TailraceError | None = None
        self._news: list[str] = []
        self._is_closed = False
        self._rings = Rings()
        threading.Thread(target=self._serve, args=(inflow,), name="tailrace inlet", daemon=True).start()

    # For the reader

    def head(self) -> Chunk | Gap | End | None:
        """Return what is next, without taking it."""
        with self._changed:
            return self._items[0] if self._items else None

    def take(self, limit_bytes: int) -> Chunk | None:
        """Return the next item if it is a chunk, of at most so many bytes: the rest of a longer one stays."""
        with self._changed:
            if not self._items or not isinstance(chunk := self._items[0], Chunk):
                return None
            if len(chunk.data) > limit_bytes:
                self._items[0] = chunk._replace(offset=chunk.offset + limit_bytes, data=chunk.data[limit_bytes:])
                chunk = chunk._replace(data=chunk.data[:limit_bytes])
            else:
                self._items.popleft()
            self._size -= len(chunk.data)
            self._changed.notify_all()
            return chunk

    def drop(self) -> None:
        """Take out a gap that was looked at."""
        with self._changed:
            self._items.popleft()

    def failure(self) -> TailraceError | None:
        """Return why nothing more comes, if nothing does."""
        with self._changed:
            return None if self._items else self._failure

    def take_news(self) -> list[str]:
        """Return what is to be said of the connection since the last time."""
        with self._changed:
            news, self._news = self._news, []
        return news

    def listen(self, ring: Ring) -> None:
        """Call `ring` now, and whenever something has changed."""
        self._rings.listen(ring)

    def close(self) -> None:
        """End the thread and the connection; the ring is not called any more. Safe to repeat."""
        self._rings.close()
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._items.clear()
            if self._inflow is not None:
                self._inflow.cut()
            self._changed.notify_all()
            self.bell.close()

    # The thread

    def _serve(self, inflow: Inflow | None) -> None:
        while inflow is not None:
            try:
                why = self._fill(inflow)
            finally:
                with self._changed:
                    self._inflow = None
                inflow.close()
            inflow = None if why is None else self._resume(why)

    def _fill(self, inflow: Inflow) -> str | None:
        """Put what comes into the buffer; return why it stopped early, or None if nothing more is to come."""
        try:
            while True:
                for item in inflow.next():
                    if not self._put(item) or isinstance(item, End):
                        return None
        except Cut as cut:
            return str(cut)
        except TailraceError as error:
            return self._judge(error)
        except Exception as error:  # noqa: BLE001  whatever it is, the viewer must not wait for ever
            return self._judge(_bug(self._source.run_id, error))

    def _put(self, item: Item) -> bool:
        """Add the item, when there is room; false: nobody wants it any more."""
        with self._changed:
            if isinstance(item, RunInfo):
                self.info = item
            else:
                self._changed.wait_for(lambda: self._is_closed or self._size < BUFFER_BYTES)
                self._hold(item)
        self._tell()
        return not self._is_closed

    def _hold(self, item: Chunk | Gap | End) -> None:
        if self._is_closed:
            return
        self._items.append(item)
        match item:
            case Chunk():
                self._size += len(item.data)
                self._offset = item.end
            case Gap():
                self._offset = item.end
            case End(run):
                self.info = run

    def _judge(self, error: TailraceError) -> str | None:
        """Return why it stopped, if trying again may help; else note the failure, and return None."""
        if not isinstance(error, _FINAL):
            return error.message
        with self._changed:
            self._failure = _refused(self._source.run_id, error) if isinstance(error, CallerError) else error
        self._tell()
        return None

    def _resume(self, why: str) -> Inflow | None:
        """Return a new stream from where the last one stopped, however long that takes; None: it is not to be had."""
        with self._changed:
            if self._is_closed:
                return None
            self.is_connected = False
            self._news.append(f"connection lost at byte {self._offset} ({why}); trying again")
        self._tell()
        pause_s = FIRST_PAUSE_S
        while self._rests(pause_s):
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            try:
                inflow = self._source.open(self._offset)
            except TailraceError as error:
                if self._judge(error) is None:
                    return None
                continue
            return self._connected(inflow)
        return None

    def _connected(self, inflow: Inflow) -> Inflow | None:
        with self._changed:
            if self._is_closed:
                inflow.close()
                return None
            self._inflow, self.info, self.is_connected = inflow, inflow.info, True
            self._news.append(f"resumed at byte {self._offset}")
        self._tell()
        return inflow

    def _rests(self, pause_s: float) -> bool:
        """Wait; false: nobody wants anything any more."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._is_closed, pause_s)

    def _tell(self) -> None:
        with self._changed:
            if not self._is_closed:
                self.bell.ring()
        self._rings.ring()


def _bug(run_id: str, error: Exception) -> StreamBroken:
    return StreamBroken(
        f"{type(error).__name__}: {error}",
        op="follow",
        subject=run_id,
        hint="this is a bug in Tailrace; please report it",
    )


def _refused(run_id: str, error: CallerError) -> StreamBroken:
    """Return what it means to be refused in the middle: what was given is not the whole."""
    if not isinstance(error, UnknownRun):
        return StreamBroken(
            f"the server does not let run {run_id} be followed any more: {error.message}",
            op="follow",
            subject=run_id,
            hint=error.hint,
        )
    return StreamBroken(
        f"run {run_id} has been removed, and how it ended with it",
        op="follow",
        subject=run_id,
        hint="what is watched for long can be pinned: `tailrace pin`",
    )
