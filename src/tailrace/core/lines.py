"""Lines out of chunks, for who wants them as values: numbered, each with its place, time and stream.

A line's text is at most 64 KiB; of a longer one, the rest is passed over and not held.
"""

from collections.abc import Iterator

import msgspec

from tailrace.core.piece import Chunk, Spot
from tailrace.core.wires.base import LIMIT_BYTES
from tailrace.core.wires.held import whole_characters

_LF = b"\n"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line, without its LF; `time` and `stream` are those of its first byte.

    `continued` is true where the line is longer than its text, and `rest` is then the offset of what is not shown.
    `partial` is true where the line has no LF: the last one, so far. `inside` is true where the line begins somewhere
    before `offset`, too far away for anybody to have looked for it.

    A `number` below 0 counts from the end, -1 being the last line so far; 0 is a number that is not known yet.
    """

    number: int
    offset: int
    time: float | None
    stream: str
    text: str
    continued: bool = False
    rest: int | None = None
    partial: bool = False
    inside: bool = False


def following(number: int) -> int:
    """Return the number of the next line; 0 if it is not known, as behind the last one that is counted from the end."""
    return number + 1 if number else 0


class Splitter:
    """Takes chunks, gives lines. Holds 64 KiB of a line, and one chunk.

    Args:
        spot: the line that the first chunk begins.
    """

    def __init__(self, spot: Spot) -> None:
        self.line = spot
        """the line that comes next, or has begun to come"""
        self._held = bytearray()
        self._first: Chunk | None = None
        """the chunk in which the line begins"""

    @property
    def is_long(self) -> bool:
        """Whether more of the line has come than can be shown."""
        return len(self._held) > LIMIT_BYTES

    def add(self, chunk: Chunk) -> Iterator[Line]:
        """Yield the lines that this chunk completes."""
        at = 0
        while end := chunk.data.find(_LF, at) + 1:
            self._hold(chunk, at, end - 1)
            line = self._line(partial=False)
            self.line = Spot(following(self.line.line), chunk.offset + end)
            at = end
            yield line
        if at < len(chunk.data):
            self._hold(chunk, at, len(chunk.data))

    def rest(self) -> Line | None:
        """Return the line that has begun and has no LF; None if there is none."""
        return None if self._first is None else self._line(partial=True)

    def cut(self) -> Line:
        """Return the long line as far as it is shown, and forget it; another splitter goes on behind it."""
        return self._line(partial=False)

    def _hold(self, chunk: Chunk, begin: int, end: int) -> None:
        if self._first is None:
            self._first = chunk
        self._held += chunk.data[begin : min(end, begin + LIMIT_BYTES + 1 - len(self._held))]

    def _line(self, *, partial: bool) -> Line:
        first, is_long = self._first, self.is_long
        assert first is not None  # noqa: S101  # nosec B101 # for mypy
        size = whole_characters(self._held, LIMIT_BYTES) if is_long else len(self._held)
        line = Line(
            number=self.line.line,
            offset=self.line.offset,
            time=first.time_s,
            stream=first.stream.label,
            text=str(self._held[:size], "utf-8", "replace"),
            continued=is_long,
            rest=self.line.offset + size if is_long else None,
            partial=partial,
        )
        self._held.clear()
        self._first = None
        return line
