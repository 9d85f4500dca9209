"""Some lines of an output, read forward from a place, as a page shows them.

A line is shown up to 64 KiB. Where a longer one ends is looked up if that part of the output has been counted; else it
is looked for, `BACK_BYTES` far. If it does not end there, the excerpt ends with it, at a border of the grid of 64 KiB
(`first_piece`), and from that border on the line is shown in pieces, one for each 64 KiB of the grid, as if each were a
line. Borders are moved behind the character that lies over them.

Whoever looks backwards from there follows the same rule: a byte before that border belongs to the line as it is shown
from its beginning, one behind it to its piece, and no beginning is looked for any farther. So whoever asks for the
place where a page ends, or for what lies before the place where it begins, gets its neighbour: nothing is shown twice,
or left out.
"""

from collections.abc import Iterator
from contextlib import closing

import msgspec

from tailrace.core.errors import OffsetBeyondEnd
from tailrace.core.lines import Line, Splitter, following
from tailrace.core.piece import Chunk, Counted, Spot
from tailrace.core.timeline import Stream
from tailrace.core.wires.base import LIMIT_BYTES
from tailrace.engine.base import Cursor

TEXT_CHARS = 1 << 20
"""in a page; the line that goes beyond it is its last"""
BACK_BYTES = 4 << 20
"""that the beginning or the end of one line is looked for: a few ms"""
MOST_PIECES = TEXT_CHARS // LIMIT_BYTES
"""of one line, in a page"""
_CHARACTER_BYTES = 4
_LF = b"\n"


def first_piece(begin: int) -> int:
    """Return where in the grid the first piece lies of a line that begins there, and whose end is not known."""
    return (begin + BACK_BYTES + LIMIT_BYTES - 1) // LIMIT_BYTES * LIMIT_BYTES


def cell_of(cursor: Cursor, size: int, offset: int) -> int:
    """Return where in the grid the piece lies that shows this byte.

    Args:
        cursor: of the output.
        size: how many bytes there are, for this page.
        offset: of the byte.
    """
    cell = offset // LIMIT_BYTES * LIMIT_BYTES
    return cell if _border(cursor, size, cell) <= offset else cell - LIMIT_BYTES


class Excerpt:
    """Reads lines up to a number of them, of characters, or the end.

    Args:
        cursor: a place in the output; it stays open.
        counted: how far lines have been counted; nothing behind the bytes that it tells of is read.
        count: how many lines are wanted.
    """

    def __init__(self, cursor: Cursor, counted: Counted, count: int) -> None:
        self.lines: list[Line] = []
        self.end = 0
        """where what was read ends: behind the last line, its LF included"""
        self.following = 0
        """the number of the line that comes next, or of the last one again if it has no LF yet"""
        self._cursor = cursor
        self._counted = counted
        self._size = counted.size
        self._count = count
        self._chars = 0

    @property
    def _is_full(self) -> bool:
        return len(self.lines) >= self._count or self._chars >= TEXT_CHARS

    def read(self, start: Spot) -> None:
        """Read from this line on."""
        self.end, self.following = start.offset, start.line
        spot: Spot | None = start
        while spot is not None and not self._is_full:
            splitter = Splitter(spot)
            with closing(self._cursor.at(spot.offset)) as there:
                for line in self._split(there, splitter):
                    self._put(line, splitter.line.offset)
                    if self._is_full:
                        return
                spot = self._behind(there, splitter)

    def read_pieces(self, start: Spot) -> int:
        """Read pieces of a line from one of the grid on, and what comes behind it; return where they begin."""
        cell, number = start.offset, start.line
        begin = at = _border(self._cursor, self._size, cell)
        self.end, self.following = at, number
        while not self._is_full and at < self._size:
            cell += LIMIT_BYTES
            line, at = self._piece(Spot(number, at), _border(self._cursor, self._size, cell))
            self._put(line, at)
            if not line.continued:
                if not line.partial:
                    self.read(Spot(following(number), at))
                break
        return begin

    # Whole lines

    def _split(self, there: Cursor, splitter: Splitter) -> Iterator[Line]:
        """Yield whole lines up to the end, or to one that is so long that its end is better looked up."""
        while not splitter.is_long and isinstance(seen := there.look(self._size), list):
            for chunk in seen:
                yield from splitter.add(chunk)

    def _behind(self, there: Cursor, splitter: Splitter) -> Spot | None:
        """Put the line that has no end so far; return the next one, if it is there and can be reached."""
        number = splitter.line.line
        if not splitter.is_long:
            if (rest := splitter.rest()) is not None:
                self._put(rest, self._size)
            return None
        line = splitter.cut()
        end = self._end_of(there, line)
        if end is not None:
            self._put(line, end)
            return Spot(following(number), end)
        is_last = there.offset >= self._size or (self._counted.is_all and number > 0)
        end = self._size if is_last else _border(self._cursor, self._size, first_piece(line.offset))
        self._put(msgspec.structs.replace(line, partial=is_last), end)
        return None

    def _end_of(self, there: Cursor, line: Line) -> int | None:
        """Return where a long line ends, of which the cursor has read some; None: nowhere near, as far as is known."""
        limit = min(self._size, first_piece(line.offset) + _CHARACTER_BYTES)
        while isinstance(seen := there.look(limit) if there.offset < limit else None, list):
            for chunk in seen:
                if (end := chunk.data.find(_LF) + 1) > 0:
                    return chunk.offset + end
        if not has_end(line.number, self._counted):
            return None
        try:
            return self._cursor.lines().begin(line.number + 1)
        except OffsetBeyondEnd:
            return None

    # Pieces

    def _piece(self, spot: Spot, border: int) -> tuple[Line, int]:
        """Return what there is of a line from here up to the border, or to its end if that comes before."""
        chunks = _chunks(self._cursor, spot.offset, min(border, self._size))
        data = b"".join([chunk.data for chunk in chunks])
        text, lf, _ = data.partition(_LF)
        end = spot.offset + len(text) + len(lf)
        is_continued = not lf and end < self._size
        line = Line(
            number=spot.line,
            offset=spot.offset,
            time=chunks[0].time_s if chunks else None,
            stream=(chunks[0].stream if chunks else Stream.MIXED).label,
            text=str(text, "utf-8", "replace"),
            continued=is_continued,
            rest=end if is_continued else None,
            partial=not lf and not is_continued,
            inside=True,
        )
        return line, end

    def _put(self, line: Line, end: int) -> None:
        self.lines.append(line)
        self._chars += len(line.text)
        self.end = end
        self.following = line.number if line.partial or (line.continued and line.inside) else following(line.number)


def has_end(number: int, counted: Counted) -> bool:
    """Tell whether it can be looked up where the line of this number ends, or that it does not end yet."""
    return 0 < number < counted.lines + counted.is_all


def _border(cursor: Cursor, size: int, offset: int) -> int:
    """Return where the first character begins that is not before the offset."""
    chunks = _chunks(cursor, offset, min(offset + _CHARACTER_BYTES - 1, size))
    data = b"".join([chunk.data for chunk in chunks])
    return offset + next((at for at, byte in enumerate(data) if byte & 0xC0 != 0x80), len(data))


def _chunks(cursor: Cursor, begin: int, end: int) -> list[Chunk]:
    found: list[Chunk] = []
    if begin < end:
        with closing(cursor.at(begin)) as there:
            while isinstance(seen := there.look(end), list):
                found += seen
    return found
