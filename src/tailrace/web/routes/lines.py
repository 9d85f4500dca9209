"""Lines of an output by number, for who scrolls in it: a page of them, from anywhere, at once.

Nobody waits until a long output has been counted. A request counts `COUNTED_BYTES` at most, and has the rest counted
behind it. Until that is done, lines are found by looking backwards, a few MiB at most: where they begin is known then,
and their numbers are not. Those of the last lines count from the end, below 0; elsewhere they are 0.
"""

from contextlib import closing
from typing import NamedTuple

import msgspec

from tailrace.core.errors import OffsetBeyondEnd
from tailrace.core.lines import Line
from tailrace.core.piece import Counted, Spot
from tailrace.core.wires import LIMIT_BYTES
from tailrace.engine.base import Cursor, Engine
from tailrace.web.aside import found_aside
from tailrace.web.excerpt import BACK_BYTES, MOST_PIECES, TEXT_CHARS, Excerpt, cell_of, first_piece, has_end
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, json_response
from tailrace.web.routes.query import MAX, Asked, asked_of

COUNT = 1000
MOST = 5000
"""lines in a page"""
COUNTED_BYTES = 64 << 20
"""that nobody had counted before, and one request counts: some 50 ms of what is in memory, which nobody notices"""
PLACES = ("start", "last", "at", "before", "time")


class LinePage(msgspec.Struct, frozen=True):
    """Some lines, and where they stand among the others."""

    start: int
    """the number of the first one; below 0: counted from the end of `size`; 0: not known yet"""
    lines: list[Line]
    next: int | None
    """where the next page starts; 0: not known yet, go on by `at`; None: there is none, and never will be"""
    begin: int | None
    """the offset of the first line; None: where it is will be known when more has been counted"""
    end: int | None
    """the offset behind the last one, its LF included"""
    total: int | None
    """lines so far; None: not all have been counted yet"""
    counted: int
    """bytes in which lines have been counted"""
    size: int
    """bytes so far"""
    complete: bool
    """whether the run is finished, and will have no more"""


class _Start(NamedTuple):
    """Where a page begins."""

    spot: Spot
    most: int
    """lines"""
    in_pieces: bool = False
    """whether the line begins nowhere near, and pieces of it are to be shown"""


def show_lines(call: Call) -> Response:
    """Return lines by number, by offset, by time or from the end, and how many there are.

    Raises:
        InvalidInput: the query makes no sense.
        OffsetBeyondEnd: there is no such line or offset.
    """
    asked = asked_of(call.query, "read", (*PLACES, "count"))
    asked.only_one(*PLACES)
    count = asked.number("count", COUNT, least=0, most=MOST)
    run, info = call.run, call.info
    is_finished = info is not None and info.is_finished
    return json_response(found_aside(lambda: _page(run.engine, run.id, asked, count, is_finished=is_finished)))


def _page(engine: Engine, run_id: str, asked: Asked, count: int, *, is_finished: bool) -> LinePage:
    with closing(engine.cursor(run_id)) as cursor:
        finder = _Finder(cursor, count)
        start = finder.find(asked)
        cursor.count_behind()
        counted = finder.counted
        page = _nothing(asked, counted) if start is None else _read(cursor, start, counted)
        is_over = is_finished and page.end is not None and page.end >= counted.size
        return msgspec.structs.replace(page, complete=is_finished, next=None if is_over else page.next)


def _read(cursor: Cursor, start: _Start, counted: Counted) -> LinePage:
    excerpt = Excerpt(cursor, counted, start.most)
    begin = start.spot.offset
    if start.in_pieces:
        begin = excerpt.read_pieces(start.spot)
    else:
        excerpt.read(start.spot)
    return LinePage(
        start=start.spot.line,
        lines=excerpt.lines,
        next=excerpt.following if start.spot.line > 0 else 0,
        begin=begin,
        end=excerpt.end,
        total=counted.lines if counted.is_all else None,
        counted=counted.end,
        size=counted.size,
        complete=False,
    )


def _nothing(asked: Asked, counted: Counted) -> LinePage:
    """Return the answer while nobody knows where the line is: ask again, and see how far it has been counted."""
    start = _number(asked)
    return LinePage(
        start=start,
        lines=[],
        next=start,
        begin=None,
        end=None,
        total=None,
        counted=counted.end,
        size=counted.size,
        complete=False,
    )


def _number(asked: Asked) -> int:
    """Return the line that is asked for by its number; below 0, from the end.

    Raises:
        InvalidInput: there is no such number.
    """
    number = asked.number("start", 1, least=-MAX) if not asked.has("last") else -asked.number("last", 1, least=1)
    if number == 0:
        raise asked.bad("start", "cannot be '0'", "lines are counted from 1; -1 is the last one")
    return number


class _Finder:
    """Finds where a page begins, and counts no more for it than one request may."""

    def __init__(self, cursor: Cursor, count: int) -> None:
        self._cursor = cursor
        self._lines = cursor.lines()
        self._count = count
        self.counted = self._lines.count(0)
        if self.counted.size - self.counted.end <= COUNTED_BYTES:
            self._count_on()

    def find(self, asked: Asked) -> _Start | None:
        """Return it; None: nobody knows yet where that line is.

        Raises:
            InvalidInput, OffsetBeyondEnd: see `show_lines`.
        """
        if asked.has("at"):
            return self._at(self._checked(asked.number("at", 0, least=0)))
        if asked.has("time"):
            return self._at(min(self._lines.offset_at(asked.seconds("time")), self.counted.size))
        if asked.has("before"):
            return self._before(self._checked(asked.number("before", 0, least=0)), self._count, from_end=False)
        number = _number(asked)
        return self._by_number(number) if number > 0 else self._from_end(-number)

    def _count_on(self) -> None:
        self.counted = self._lines.count(COUNTED_BYTES)

    def _checked(self, offset: int) -> int:
        if offset > self.counted.size:
            raise OffsetBeyondEnd(
                f"offset {offset} is beyond the output, which has {self.counted.size} bytes",
                op="read",
                subject=str(offset),
                hint="ask for an earlier one",
            )
        return offset

    def _is_counted(self, offset: int) -> bool:
        """Tell whether all that lies before the offset has been counted, now at the latest."""
        if self.counted.end < offset <= self.counted.end + COUNTED_BYTES:
            self._count_on()
        return offset <= self.counted.end

    def _by_number(self, number: int) -> _Start | None:
        if number > self.counted.lines and not self.counted.is_all:
            self._count_on()
        if number > self.counted.lines and not self.counted.is_all:
            return None
        return _Start(Spot(number, self._lines.begin(number)), self._count)

    def _from_end(self, last: int) -> _Start | None:
        size = self.counted.size
        if last <= self._count:
            return self._before(size, last, from_end=True)
        if self._is_counted(size):
            return self._by_number(max(1, self.counted.lines + 1 - last))
        reach = self._lines.back(size, last, BACK_BYTES)
        return _Start(Spot(-last, reach.offset), self._count) if reach.lines == last else None

    def _at(self, offset: int) -> _Start:
        if self._is_counted(offset):
            spot: Spot | None = self._lines.at(offset)
        else:
            spot = self._found(offset + 1, BACK_BYTES + LIMIT_BYTES)
        return self._long(spot or Spot(0, -1), offset, 1)._replace(most=self._count)

    def _before(self, offset: int, wanted: int, *, from_end: bool) -> _Start:
        """Return where the lines begin that end with the one that has the byte before the offset."""
        if offset == 0 or wanted == 0:
            return self._at(offset)._replace(most=0)
        last = self._lines.at(offset - 1) if self._is_counted(offset) else Spot(-1 if from_end else 0, -1)
        reach = self._lines.back(offset, wanted, TEXT_CHARS)
        if reach.lines:
            return _Start(Spot(last.line - reach.lines + 1 if last.line else 0, reach.offset), reach.lines)
        if last.offset < 0:
            found = self._found(offset, BACK_BYTES + TEXT_CHARS + LIMIT_BYTES)
            last = last._replace(offset=found.offset) if found is not None else last
        return self._long(last, offset - 1, min(wanted, MOST_PIECES))

    def _found(self, offset: int, limit_bytes: int) -> Spot | None:
        """Return the line that has the byte before the offset, without its number; None: it begins nowhere near."""
        reach = self._lines.back(offset, 1, limit_bytes)
        return Spot(0, reach.offset) if reach.lines else None

    def _long(self, line: Spot, offset: int, most: int) -> _Start:
        """Return where to begin to show this byte of a line: at its beginning, or, far from there, with a piece.

        Args:
            line: the byte's; its own offset is below 0 if it begins nowhere near.
            offset: of the byte.
            most: so many pieces, of which this byte's is the last.
        """
        is_known = line.offset >= 0
        if is_known and (offset - line.offset < BACK_BYTES or has_end(line.line, self.counted)):
            return _Start(line, 1)
        cell = cell_of(self._cursor, self.counted.size, offset)
        first = cell - (most - 1) * LIMIT_BYTES
        if is_known:
            first = max(first, first_piece(line.offset))
        if first > cell:
            return _Start(line, 1)
        return _Start(line._replace(offset=first), (cell - first) // LIMIT_BYTES + 1, in_pieces=True)
