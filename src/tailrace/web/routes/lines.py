"""Lines of an output by number, for who scrolls in it: a page of them, from anywhere."""

from collections.abc import Iterator
from contextlib import closing

import msgspec

from tailrace.core.errors import OffsetBeyondEnd
from tailrace.core.lines import Line, Splitter
from tailrace.core.piece import Counted, Spot
from tailrace.engine.base import Cursor, Engine, Lines
from tailrace.web.aside import found_aside
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, json_response
from tailrace.web.routes.query import MAX, Asked, asked_of

COUNT = 1000
MOST = 5000
"""lines in a page"""
TEXT_CHARS = 1 << 20
"""in a page; the line that goes beyond it is its last"""
COUNTED_BYTES = 1 << 30
"""that one request counts, at most, only to tell how many lines there are"""
PLACES = ("start", "last", "at", "time")


class LinePage(msgspec.Struct, frozen=True):
    """Some lines, and where they stand among the others."""

    start: int
    """the number of the first one"""
    lines: list[Line]
    next: int | None
    """where the next page starts; None: there is none, and never will be"""
    total: int | None
    """lines so far; None: not all have been counted yet"""
    counted: int
    """bytes in which lines have been counted"""
    size: int
    """bytes so far"""
    complete: bool
    """whether the run is finished, and will have no more"""


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
        lines = cursor.lines()
        is_from_end = asked.has("last") or asked.text("start").startswith("-")
        counted = lines.count(None if is_from_end else COUNTED_BYTES)
        start = _start(asked, lines, counted)
        page = _Page(cursor, counted.size, count)
        following = page.read(start)
    total = counted.lines if counted.is_all else None
    is_over = page.is_at_end or (total is not None and following > total)
    return LinePage(
        start=start.line,
        lines=page.lines,
        next=None if is_finished and is_over else following,
        total=total,
        counted=counted.end,
        size=counted.size,
        complete=is_finished,
    )


def _start(asked: Asked, lines: Lines, counted: Counted) -> Spot:
    """Return the line that is asked for.

    Raises:
        InvalidInput, OffsetBeyondEnd: see `show_lines`.
    """
    if asked.has("at"):
        return lines.at(asked.number("at", 0, least=0))
    if asked.has("time"):
        return lines.at_time(asked.seconds("time"))
    number = asked.number("start", -asked.number("last", -1, least=1), least=-MAX)
    if number == 0:
        raise asked.bad("start", "cannot be '0'", "lines are counted from 1; -1 is the last one")
    if number < 0:
        number = max(1, counted.lines + 1 + number)
    return Spot(number, lines.begin(number))


class _Page:
    """Reads lines up to a number of them, of characters, or the end.

    Args:
        cursor: a place in the output; it stays open.
        size: how many bytes there are, for this page.
        count: how many lines are wanted.
    """

    def __init__(self, cursor: Cursor, size: int, count: int) -> None:
        self.lines: list[Line] = []
        self.is_at_end = False
        self._cursor = cursor
        self._size = size
        self._count = count
        self._chars = 0

    @property
    def _is_full(self) -> bool:
        return len(self.lines) >= self._count or self._chars >= TEXT_CHARS

    def read(self, start: Spot) -> int:
        """Read from this line on; return the number of the line that the next page starts with."""
        spot: Spot | None = start
        following = start.line
        while spot is not None and not self._is_full:
            splitter = Splitter(spot)
            with closing(self._cursor.at(spot.offset)) as there:
                for line in self._split(there, splitter):
                    following = self._put(line)
                    if self._is_full:
                        return following
            following, spot = self._behind(splitter)
        return following

    def _split(self, there: Cursor, splitter: Splitter) -> Iterator[Line]:
        """Yield whole lines up to the end, or to one that is so long that its end is better looked up."""
        while not splitter.is_long and isinstance(seen := there.look(self._size), list):
            for chunk in seen:
                yield from splitter.add(chunk)

    def _behind(self, splitter: Splitter) -> tuple[int, Spot | None]:
        """Put the line that has no end so far; return the number of the next one, and where it is, if it is there."""
        if splitter.is_long:
            line = splitter.cut()
            try:
                spot = Spot(line.number + 1, self._cursor.lines().begin(line.number + 1))
            except OffsetBeyondEnd:
                self.is_at_end = True
                return self._put(msgspec.structs.replace(line, partial=True)), None
            return self._put(line), spot
        self.is_at_end = True
        rest = splitter.rest()
        return splitter.line.line if rest is None else self._put(rest), None

    def _put(self, line: Line) -> int:
        self.lines.append(line)
        self._chars += len(line.text)
        return line.number + (not line.partial)
