"""Where the lines of an output begin: by the line index where there is one, by counting where there is not.

Whoever counts writes down what it counted (`tailrace.core.lineindex`), so that nobody counts the same bytes again. The
index is made lazily, behind the tail, by any process that asks; it is never needed. Where it cannot be written (a full
disk, a directory that is read-only, another user's) everything is found all the same, only slower.

Counting reads one stride at a time. A line ends at LF, and only there; bytes behind the last LF are a line too.
"""

import os
from collections.abc import Callable, Iterator

from tailrace.core.errors import InvalidInput, OffsetBeyondEnd
from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES, Codec
from tailrace.core.piece import Counted, Spot
from tailrace.host.rundir import RunDir
from tailrace.host.wait import give_way

NOTED_AT_ONCE = 256
"""records; more than that wait for nobody"""
_SEARCHED_BYTES = 1024
_LF = b"\n"


class Lines:
    """The lines of one run's output. Holds one descriptor at most; not for several threads at once.

    Args:
        run: the run; it must stay open.
        output: a descriptor of its output, which must stay open too; -1: it has none.
        end: tells how many bytes of it there are now.
        when: tells at which offset the output was so many seconds after the start.
    """

    def __init__(self, run: RunDir, output: int, end: Callable[[], int], when: Callable[[float], int]) -> None:
        self._run = run
        self._output = output
        self._end = end
        self._when = when
        self._codec = Codec(run.id)
        self._index = _opened(run, os.O_RDONLY)
        self._is_writable: bool | None = None
        """None: not tried yet"""

    def close(self) -> None:
        """Let go of the index; safe to repeat."""
        if self._index >= 0:
            os.close(self._index)
            self._index = -1

    def size(self) -> int:
        """Return how many bytes there are now."""
        return self._end()

    def begin(self, line: int) -> int:
        """Return the offset at which the line begins; the one behind the last begins at the end.

        Raises:
            InvalidInput: there is no such number.
            OffsetBeyondEnd: there are not so many lines.
        """
        if line < 1:
            raise InvalidInput("lines are counted from 1", op="find", subject="line", hint="the first one is line 1")
        if line == 1:
            return 0
        end, ends = self._end(), line - 1
        place, lines = self._last_below(ends, end // STRIDE_BYTES)
        for begin, block, found in self._strides(place, lines, end):
            if lines + found >= ends:
                return begin + _behind(block, ends - lines)
            lines += found
        raise OffsetBeyondEnd(
            f"there is no line {line}: the output has {lines} ends of lines",
            op="find",
            subject=str(line),
            hint="ask for an earlier line, or for the last ones",
        )

    def at(self, offset: int) -> Spot:
        """Return the line that has the byte at this offset; at the end, the one that the next byte will belong to.

        Raises:
            InvalidInput: the offset is below 0.
            OffsetBeyondEnd: the output has not so many bytes.
        """
        end = self._end()
        if offset < 0:
            raise InvalidInput("the offset is below 0", op="find", subject="offset", hint="it counts from the start")
        if offset > end:
            raise OffsetBeyondEnd(
                f"offset {offset} is beyond the output, which has {end} bytes",
                op="find",
                subject=str(offset),
                hint="ask for an earlier one",
            )
        line = self._ends_before(offset) + 1
        return Spot(line, self.begin(line))

    def at_time(self, time_s: float) -> Spot:
        """Return the line that the output had come to so many seconds after the command's start."""
        return self.at(min(self._when(time_s), self._end()))

    def count(self, limit_bytes: int | None = None) -> Counted:
        """Count the lines, and note for others where they are.

        Args:
            limit_bytes: read at most about so many bytes that nobody has counted before; the answer may then end before
                the output does, and the next call goes on from there.
        """
        end = size = self._end()
        known = self._last_known(end // STRIDE_BYTES)[0] * STRIDE_BYTES
        if limit_bytes is not None and end - known > limit_bytes:
            end = min(end, known + max(1, limit_bytes // STRIDE_BYTES) * STRIDE_BYTES)
        ends = self._ends_before(end)
        is_open = end > 0 and self._read(1, end - 1) not in (_LF, b"")
        return Counted(ends + is_open, end, size)

    # Counting

    def _ends_before(self, offset: int) -> int:
        place, lines = self._last_known(offset // STRIDE_BYTES)
        return lines + sum(found for _begin, _block, found in self._strides(place, lines, offset))

    def _strides(self, place: int, lines: int, end: int) -> Iterator[tuple[int, bytes, int]]:
        """Yield (offset, bytes, LFs in them) from the place on, before which there are `lines` LFs; note them."""
        first, records = place, bytearray()
        try:
            while block := self._read(min(STRIDE_BYTES, end - place * STRIDE_BYTES), place * STRIDE_BYTES):
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
                give_way()
        finally:
            self._note(first, records)

    def _read(self, size: int, offset: int) -> bytes:
        return os.pread(self._output, size, offset) if self._output >= 0 and size > 0 else b""

    # The index

    def _last_known(self, limit: int) -> tuple[int, int]:
        """Return the last place up to the limit that has a good record, and what that tells; place 0 needs none."""
        for place in range(min(limit, self._places()), 0, -1):
            if (lines := self._record(place)) is not None:
                return place, lines
        return 0, 0

    def _last_below(self, ends: int, limit: int) -> tuple[int, int]:
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
        return os.fstat(self._index).st_size // RECORD_BYTES if self._index >= 0 else 0

    def _record(self, place: int) -> int | None:
        try:
            return self._codec.decode(place, os.pread(self._index, RECORD_BYTES, (place - 1) * RECORD_BYTES))
        except OSError:
            return None

    def _note(self, first: int, records: bytearray) -> None:
        """Write the records behind the place; where that is not possible, whoever comes next counts again."""
        if not records or not self._may_write():
            return
        try:
            os.pwrite(self._index, records, first * RECORD_BYTES)
        except OSError:
            self._is_writable = False

    def _may_write(self) -> bool:
        if self._is_writable is None:
            index = _opened(self._run, os.O_RDWR | os.O_CREAT)
            self._is_writable = index >= 0
            if index >= 0:
                self.close()
                self._index = index
        return self._is_writable


def _opened(run: RunDir, flags: int) -> int:
    """Open the index; -1 if it is not there, or not ours to have."""
    try:
        return run.open("lines", flags)
    except OSError:
        return -1


def _behind(block: bytes, count: int) -> int:
    """Return where the block goes on behind its `count`-th LF; it has so many."""
    low, high = 0, len(block)
    while high - low > _SEARCHED_BYTES:
        middle = (low + high) // 2
        found = block.count(_LF, low, middle)
        if found >= count:
            high = middle
        else:
            low, count = middle, count - found
    for _ in range(count):
        low = block.index(_LF, low) + 1
    return low
