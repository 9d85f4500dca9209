"""Where the lines of an output begin: by the line index where there is one, by counting where there is not.

See `tailrace.host.lineindex` for the index. A line ends at LF, and only there; bytes behind the last LF are a line too.

Whoever cannot wait until all that lies before has been counted bounds what is counted, and finds lines by looking
backwards: where they begin is known then, and their numbers are not.
"""

from collections.abc import Callable

from tailrace.core.errors import InvalidInput, OffsetBeyondEnd
from tailrace.core.lineindex import STRIDE_BYTES
from tailrace.core.piece import Counted, Reach, Spot
from tailrace.follow.tail import lines_before
from tailrace.host.lineindex import LineIndex
from tailrace.host.rundir import RunDir
from tailrace.host.wait import give_way

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
        self._output = output
        self._end = end
        self._when = when
        self._index = LineIndex(run, output, give_way)

    def close(self) -> None:
        """Let go of the index; safe to repeat."""
        self._index.close()

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
        place, lines = self._index.last_below(ends, end // STRIDE_BYTES)
        for begin, block, found in self._index.strides(place, lines, end):
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
        line = self._index.ends_before(offset) + 1
        return Spot(line, self.begin(line))

    def at_time(self, time_s: float) -> Spot:
        """Return the line that the output had come to so many seconds after the command's start."""
        return self.at(self.offset_at(time_s))

    def count(self, limit_bytes: int | None = None) -> Counted:
        """Count the lines, and note for others where they are.

        Args:
            limit_bytes: read at most about so many bytes that nobody has counted before; the answer may then end before
                the output does, and the next call goes on from there. 0: only tell what is known.
        """
        end = size = self._end()
        known = self._index.last_known(end // STRIDE_BYTES)[0] * STRIDE_BYTES
        if limit_bytes is not None and end - known > limit_bytes:
            end = min(end, known + -(-limit_bytes // STRIDE_BYTES) * STRIDE_BYTES)
        ends = self._index.ends_before(end)
        is_open = end > 0 and self._index.read(1, end - 1) not in (_LF, b"")
        return Counted(ends + is_open, end, size)

    def back(self, offset: int, lines: int, limit_bytes: int) -> Reach:
        """See `tailrace.engine.base.Lines.back`."""
        return lines_before(self._output, offset, lines, limit_bytes)

    def offset_at(self, time_s: float) -> int:
        """Return the offset that the output had come to so many seconds after the command's start."""
        return min(self._when(time_s), self._end())


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
