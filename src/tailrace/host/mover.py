"""From the command's streams into the output and the timeline.

Two ways to move bytes, under the same tests: `splice` (pipe to file inside the kernel: a kill between reading and
writing can lose nothing) and `copy` (read, then write), which a terminal needs, and which takes over where splice
answers EINVAL.

Records of the timeline are written before their bytes: when the stream changes or the terminal's size, after 1 ms,
after 64 KiB. Where the
streams alternate faster than 2,000 times a second, the mover waits out the half millisecond before it switches, while
the other pipe fills: order within each stream stays exact, every byte keeps its label, and the timeline stays small.

When the file system is full, nothing is taken from the streams (the command waits in its write) and `move` says so.
"""

import array
import errno
import fcntl
import os
import termios
import time
from enum import Enum

from tailrace.core.timeline import RECORD_BYTES, Record, Stream, TerminalSize, encode

PIECE_BYTES = 64 << 10
RECORD_US = 1_000
SWITCH_US = 500
PIPE_BYTES = 1 << 20
"""what a flooding command's pipe grows to"""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNSPLICEABLE = (errno.EINVAL, errno.ENOSYS, errno.EPERM)


class Moved(Enum):
    """What came of one look at a stream."""

    SOME = "some"
    NONE = "none"
    END = "end"
    FULL = "full"
    """the disk is: nothing was taken"""


class Mover:
    """The one writer of a run's output. Not thread-safe; counts only what is in the file."""

    def __init__(self, output: int, timeline: int, *, limit: int | None, way: str, begun_ns: int) -> None:
        """Take over the open files; `way` is `splice` or `copy`; times count from the monotonic instant `begun_ns`."""
        self.size = 0
        self.dropped = 0
        self.failed: OSError | None = None
        """set when the disk failed otherwise than by being full; from then on bytes are dropped and counted"""
        self.last_ns = begun_ns
        """when the last bytes came"""
        self.terminal: TerminalSize | None = None
        """the size of the terminal that writes; None: none does"""
        self._output = output
        self._timeline = timeline
        self._limit = limit
        self._way = way
        self._begun_ns = begun_ns
        self._records = 0
        self._record = Record(-PIECE_BYTES, -RECORD_US, Stream.STDOUT)
        self._pending = b""
        self._null = -1
        self._grown: set[int] = set()

    @property
    def is_over_limit(self) -> bool:
        """Whether bytes came that the output limit did not take."""
        return self.dropped > 0 and self.failed is None

    def move(self, source: int, stream: Stream) -> Moved:
        """Move what is there, at most one piece, from the descriptor into the output."""
        room = PIECE_BYTES if self._limit is None else min(PIECE_BYTES, self._limit - self.size)
        if room <= 0 or self.failed is not None:
            return self._drop(source)
        try:
            if not self._pending:
                self._announce(source, stream)
            count = self._splice(source, room) if self._way == "splice" else self._copy(source, room)
        except BlockingIOError:
            return Moved.NONE
        except OSError as error:
            return self._trouble(error, source)
        if count == 0:
            return Moved.END
        self.size += count
        self.last_ns = time.monotonic_ns()
        if count == PIECE_BYTES:
            self._grow(source)
        return Moved.SOME

    def flush(self) -> Moved:
        """Store what is held back: nothing follows that would be kept. `FULL`: the disk is; call again."""
        return Moved.END

    def drain(self, source: int) -> Moved:
        """Take what is there and keep none of it, but count."""
        return self._drop(source)

    def sync(self) -> None:
        """Put the bytes on the disk.

        Raises:
            OSError: the disk failed.
        """
        os.fdatasync(self._output)

    def close(self) -> None:
        """Let go of the files."""
        for fd in (self._output, self._timeline, self._null):
            if fd >= 0:
                os.close(fd)

    def elapsed_us(self) -> int:
        """Return the microseconds since the start."""
        return max(0, (time.monotonic_ns() - self._begun_ns) // 1000)

    def _announce(self, source: int, stream: Stream) -> None:
        """Write the record of the bytes to come, if one is due."""
        now = self.elapsed_us()
        last = self._record
        since = now - last.time_us
        if stream is not last.stream:
            if since < SWITCH_US and self.size > 0 and waiting(source) < PIECE_BYTES // 2:
                time.sleep((SWITCH_US - since) / 1e6)
                now = self.elapsed_us()
        elif self._holds(last, since):
            return
        record = Record(self.size, now, stream, self.terminal)
        place = self._records * RECORD_BYTES
        if os.pwrite(self._timeline, encode(record), place) != RECORD_BYTES:
            raise OSError(errno.ENOSPC, "the timeline's record was cut short")
        self._records += 1
        self._record = record

    def _holds(self, last: Record, since_us: int) -> bool:
        """Tell whether the last record is true of the next bytes of its stream."""
        is_near = since_us < RECORD_US and self.size - last.offset < PIECE_BYTES
        return is_near and last.terminal == self.terminal

    def _splice(self, source: int, room: int) -> int:
        return os.splice(
            source, self._output, room, offset_dst=self.size, flags=os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
        )

    def _copy(self, source: int, room: int) -> int:
        """Read, and write all that was read; what a full disk did not take is kept and written first, later."""
        data = self._pending or os.read(source, room)
        self._pending = data
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._output, data[written:], self.size + written)
        except OSError as error:
            if error.errno not in _FULL or not written:
                raise
        self._pending = data[written:]
        return written

    def _trouble(self, error: OSError, source: int) -> Moved:
        if error.errno in _FULL:
            return Moved.FULL
        if self._way == "splice" and error.errno in _UNSPLICEABLE:
            self._way = "copy"
            return Moved.SOME
        if error.errno == errno.EIO and not self._pending and os.isatty(source):
            return Moved.END
        self.failed = error
        self.dropped += len(self._pending)
        self._pending = b""
        return Moved.SOME

    def _drop(self, source: int) -> Moved:
        try:
            count = self._discard(source)
        except BlockingIOError:
            return Moved.NONE
        except OSError:
            return Moved.END  # EIO of a terminal that nobody has open any more
        if count == 0:
            return Moved.END
        self.dropped += count
        self.last_ns = time.monotonic_ns()
        return Moved.SOME

    def _discard(self, source: int) -> int:
        if self._way != "splice":
            return len(os.read(source, PIECE_BYTES))
        if self._null < 0:
            self._null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        return os.splice(source, self._null, PIECE_BYTES, flags=os.SPLICE_F_NONBLOCK)

    def _grow(self, source: int) -> None:
        """Give a flooding command a larger pipe; where the user's share of pipe memory is used up, it stays."""
        if source in self._grown or self._way != "splice":
            return
        self._grown.add(source)
        try:
            fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass  # EPERM or EBUSY: the pipe keeps its size, which is only slower


def waiting(fd: int) -> int:
    """Return how many bytes are there to be read."""
    count = array.array("i", [0])
    try:
        fcntl.ioctl(fd, termios.FIONREAD, count)
    except OSError:
        return 0
    return count[0]
