"""The line index of one run on disk: read where it is there, made where it is not.

Whoever counts writes down what it counted (`tailrace.core.lineindex`), so that nobody counts the same bytes again. The
index is made behind the tail, by any process that likes, and it is never needed. Where it cannot be written (a full
disk, a directory that is read-only, another user's) this process keeps what it counts in memory instead
(`tailrace.host.spare`).

Counting reads one stride at a time.
"""

import os
from collections.abc import Callable, Iterator

from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES, Codec
from tailrace.host import spare
from tailrace.host.rundir import RunDir

NOTED_AT_ONCE = 256
"""records; more than that wait for nobody"""
_LF = b"\n"


class LineIndex:
    """Holds one descriptor at most; not for several threads at once.

    Args:
        run: the run; it must stay open.
        output: a descriptor of its output, which must stay open too; -1: it has none.
        rest: is called after each stride that was counted.
    """

    def __init__(self, run: RunDir, output: int, rest: Callable[[], None]) -> None:
        self._run = run
        self._output = output
        self._rest = rest
        self._codec = Codec(run.id)
        self._fd = self._opened(os.O_RDONLY)
        self._is_writable = False
        self._is_tried = False
        if (kept := spare.kept(run.id)) >= 0:
            self._replace(kept)
            self._is_writable = self._is_tried = True

    def close(self) -> None:
        """Let go of the index; safe to repeat."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def ends_before(self, offset: int) -> int:
        """Return how many LFs there are before the offset; what nobody has counted is counted, and noted."""
        place, lines = self.last_known(offset // STRIDE_BYTES)
        return lines + sum(found for _begin, _block, found in self.strides(place, lines, offset))

    def strides(self, place: int, lines: int, end: int) -> Iterator[tuple[int, bytes, int]]:
        """Yield (offset, bytes, LFs in them) from the place on, before which there are `lines` LFs; note them."""
        first, records = place, bytearray()
        try:
            while block := self.read(min(STRIDE_BYTES, end - place * STRIDE_BYTES), place * STRIDE_BYTES):
                found = block.count(_LF)
                is_whole = len(block) == STRIDE_BYTES
                if is_whole:
                    records += self._codec.encode(place + 1, lines + found)
                yield place * STRIDE_BYTES, block, found
                if not is_whole:
                    return
                place, lines = place + 1, lines + found
                if place - first >= NOTED_AT_ONCE:
                    self._note(first, records)
                    first, records = place, bytearray()
                self._rest()
        finally:
            self._note(first, records)

    def read(self, size: int, offset: int) -> bytes:
        """Return so many bytes of the output; fewer at its end."""
        return os.pread(self._output, size, offset) if self._output >= 0 and size > 0 else b""

    def last_known(self, limit: int) -> tuple[int, int]:
        """Return the last place up to the limit that has a good record, and what that tells; place 0 needs none."""
        for place in range(min(limit, self._places()), 0, -1):
            if (lines := self._record(place)) is not None:
                return place, lines
        return 0, 0

    def last_below(self, ends: int, limit: int) -> tuple[int, int]:
        """Return, in the same way, the last place before which there are fewer than `ends` LFs; by halving."""
        known, high = (0, 0), min(limit, self._places()) + 1
        while high - known[0] > 1:
            middle = (known[0] + high) // 2
            place, lines = self._first_known(middle, high)
            if lines is None or lines >= ends:
                high = middle
            else:
                known = place, lines
        return known

    def _first_known(self, place: int, high: int) -> tuple[int, int | None]:
        """Return the first good record of the places [place, high), past damaged ones."""
        while place < high:
            if (lines := self._record(place)) is not None:
                return place, lines
            place += 1
        return high, None

    def _places(self) -> int:
        return os.fstat(self._fd).st_size // RECORD_BYTES if self._fd >= 0 else 0

    def _record(self, place: int) -> int | None:
        try:
            return self._codec.decode(place, os.pread(self._fd, RECORD_BYTES, (place - 1) * RECORD_BYTES))
        except OSError:
            return None

    # Writing

    def _note(self, first: int, records: bytearray) -> None:
        """Write the records behind the place; where nothing takes them, whoever comes next counts again."""
        if not records or not self._may_write():
            return
        try:
            os.pwrite(self._fd, records, first * RECORD_BYTES)
        except OSError:
            if not self._turn_to_spare():
                return
            try:
                os.pwrite(self._fd, records, first * RECORD_BYTES)
            except OSError:  # a limit on the size of files holds in memory too
                self._is_writable = False

    def _may_write(self) -> bool:
        if not self._is_tried:
            self._is_tried = True
            index = self._opened(os.O_RDWR | os.O_CREAT)
            if index >= 0:
                self._replace(index)
                self._is_writable = True
            else:
                self._is_writable = self._turn_to_spare()
        return self._is_writable

    def _turn_to_spare(self) -> bool:
        """Keep what is counted in memory from now on; False if that is not possible."""
        index = spare.make(self._run.id, self._fd)
        if index >= 0:
            self._replace(index)
        self._is_writable = index >= 0
        return self._is_writable

    def _replace(self, index: int) -> None:
        self.close()
        self._fd = index

    def _opened(self, flags: int) -> int:
        """Open the index; -1 if it is not there, or not ours to have."""
        try:
            return self._run.open("lines", flags)
        except OSError:
            return -1
