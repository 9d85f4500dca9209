"""Search in an output as it comes: chunks in, hits out, whatever the chunks.

A match lies within one line. Lines that are complete are searched many at a time; a line of which only the beginning is
here waits for its LF, or the end of the run.

A line longer than 64 KiB does not wait: it is searched in pieces of 64 KiB, counted from its own beginning, so that the
hits do not depend on how the bytes came. A piece has the matches that begin in it. 4 KiB behind it are seen too, and
1 KiB before it: a match of more than 4 KiB may be cut at a border, and nothing else changes there.

A hit is a line with its matches. Its text is at most 4 KiB; where a long line has matches further on, it has more hits.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import msgspec

from tailrace.core.lines import following
from tailrace.core.piece import Chunk, Spot
from tailrace.core.timeline import Stream
from tailrace.core.wires.base import LIMIT_BYTES
from tailrace.core.wires.held import whole_characters

PIECE_BYTES = LIMIT_BYTES
"""of a long line, that are searched at once"""
AHEAD_BYTES = 4 << 10
"""that are seen behind a piece"""
BEFORE_BYTES = 1 << 10
"""that are seen before a piece, and shown before a match"""
TEXT_BYTES = 4 << 10
"""of a hit's text"""
MATCHES = 100
"""that one hit tells of"""
_LF = b"\n"


class Span(NamedTuple):
    """The bytes of [`begin`, `end`)."""

    begin: int
    end: int


class Matcher(Protocol):
    """What is looked for."""

    wants_lines: bool
    """whether it must be given each line alone, without its LF; else it may be given many"""

    def find(self, data: bytes, begin: int, end: int) -> Span | None:
        """Return the first match in [`begin`, `end`), in time linear in that; what lies around it is its context."""


class Hit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line with matches. Columns are counted in characters of `text`, from 0; the end is behind the match.

    `offset` is where the line begins, `match` where the first match does. A `number` of 0 is not known yet. `skipped`
    bytes of a long line come before the text, and `continued` is true where the line goes on behind it.
    """

    number: int
    offset: int
    time: float | None
    stream: str
    text: str
    columns: list[Span]
    match: int
    skipped: int = 0
    continued: bool = False


class Found(NamedTuple):
    """A hit, and the offset from which the search goes on behind it."""

    hit: Hit
    end: int
    is_last: bool
    """whether that is behind the line"""

    @property
    def line(self) -> Spot:
        """The line in which the search goes on."""
        number = self.hit.number
        return Spot(following(number), self.end) if self.is_last else Spot(number, self.hit.offset)


class Label(NamedTuple):
    """Who wrote a line's first byte, and when."""

    stream: Stream
    time_s: float | None


def read_from(spot: Spot, offset: int) -> int:
    """Return where to begin to read, for a search that begins at the offset, in this line."""
    piece = (offset - spot.offset) // PIECE_BYTES
    return spot.offset + max(0, piece * PIECE_BYTES - BEFORE_BYTES)


class Searcher:
    """Takes chunks, gives hits. Holds at most a piece with what is around it, and one chunk.

    Args:
        matcher: what is looked for.
        spot: the line in which the search begins; its number may be 0, which is not known, and so are those behind it.
        offset: where in that line; no match begins before it. The first chunk begins there, or at `read_from` of both,
            so that what lies before a match can be shown.
    """

    def __init__(self, matcher: Matcher, spot: Spot, offset: int) -> None:
        self.matcher = matcher
        self._line = spot
        self.searched = offset
        """no match that begins before this offset will come"""
        self._held = bytearray()
        self._begin = offset
        self._label = Label(Stream.MIXED, None)

    @property
    def line(self) -> Spot:
        """The line in which `searched` lies."""
        return self._line

    def add(self, chunk: Chunk) -> Iterator[Found]:
        """Yield the hits that this chunk completes; it is taken when all have been."""
        data, label, done = chunk.data, Label(chunk.stream, chunk.time_s), 0
        if not self._held:
            self._begin = chunk.offset
        if self._held or self.searched > self._line.offset:
            done = data.find(_LF) + 1
            yield from self._go_on(data[:done] if done else data, label, is_ended=done > 0)
            if not done:
                return
        rest = data.rfind(_LF) + 1
        if done < rest:
            yield from self._whole_lines(data[done:rest], label)
        if rest < len(data):
            yield from self._go_on(data[rest:], label, is_ended=False)

    def release(self) -> Iterator[Found]:
        """Yield the hits in the line that has no LF, and will have none."""
        if self._held or self.searched > self._line.offset:
            yield from self._pieces(self._begin + len(self._held), after=self._begin + len(self._held))

    def skip(self, offset: int) -> None:
        """Go on at the offset: what lies between is missing."""
        self._begin_line(self._line.line, offset)

    # Lines

    def _go_on(self, data: bytes, label: Label, *, is_ended: bool) -> Iterator[Found]:
        """Take the next bytes of the line; its LF is the last of them if it is ended."""
        if not self._held:
            self._label = label
        self._held += data
        end = self._begin + len(self._held)
        if is_ended:
            yield from self._pieces(end - 1, after=end)
            self._begin_line(following(self._line.line), end)
        else:
            yield from self._pieces(None, after=end)

    def _whole_lines(self, lines: bytes, label: Label) -> Iterator[Found]:
        """Search lines that have all their LF."""
        first, at, counted, number = self._line.offset, 0, 0, self._line.line
        while at < len(lines) and (begin := self._next(lines, at)) < len(lines):
            end = lines.index(_LF, begin) + 1
            number = _further(number, lines.count(_LF, counted, begin))
            counted = at = end
            self._begin_line(number, first + begin)
            yield from self._go_on(lines[begin:end], label, is_ended=True)
            number = following(number)
        self._begin_line(_further(number, lines.count(_LF, counted)), first + len(lines))

    def _next(self, lines: bytes, at: int) -> int:
        """Return where the next line begins that may have a match."""
        if self.matcher.wants_lines:
            return at
        match = self.matcher.find(lines, at, len(lines))
        return len(lines) if match is None else max(at, lines.rfind(_LF, at, match.begin) + 1)

    def _begin_line(self, number: int, offset: int) -> None:
        self._line = Spot(number, offset)
        self._begin = self.searched = offset
        self._held.clear()

    # Pieces of a line

    def _pieces(self, end: int | None, *, after: int) -> Iterator[Found]:
        """Search the line, which ends at `end` and is over at `after`.

        With None it goes on behind what is held, at `after`, and only its whole pieces are searched.
        """
        while True:
            piece = (self.searched - self._line.offset) // PIECE_BYTES
            limit = self._line.offset + (piece + 1) * PIECE_BYTES
            seen = limit + AHEAD_BYTES
            if end is None and after < seen:
                return
            is_cut = end is None or end > seen
            if end is not None and end < limit:
                yield from self._hits(end, end + 1, after, is_cut=False)
                return
            yield from self._hits(seen if end is None else min(seen, end), limit, limit, is_cut=is_cut)
            self.searched = limit
            del self._held[: max(0, limit - BEFORE_BYTES - self._begin)]
            self._begin = max(self._begin, limit - BEFORE_BYTES)

    def _hits(self, end: int, limit: int, after: int, *, is_cut: bool) -> Iterator[Found]:
        """Yield hits whose matches begin before the limit, in what is held up to `end`.

        What is held goes on behind `end` if it is cut. The search goes on at `after` when all hits have been found.
        """
        data = bytes(self._held[: end - self._begin])
        high = len(data) - is_cut  # so that a cut does not look like the end of a line
        at = self.searched - self._begin
        while at <= high:
            match = self.matcher.find(data, at, high)
            if match is None or self._begin + match.begin >= limit:
                return
            text = self._text_around(match, data, is_cut=is_cut)
            at = text.end if text.end < len(data) or is_cut else len(data) + 1
            last = min(at, limit - self._begin)
            goes_on_at = self._begin + last
            hit = self._hit(data, text, self._matches(data, match, last, high), is_cut=is_cut)
            yield Found(hit, after if goes_on_at >= limit else goes_on_at, is_last=goes_on_at > end)

    def _matches(self, data: bytes, first: Span, last: int, high: int) -> list[Span]:
        """Return the matches that begin before `last`; empty ones only where there are no others."""
        found: list[Span] = []
        match = first
        while len(found) < MATCHES and match.begin < last:
            found.append(match)
            at = max(match.end, match.begin + 1)
            following = self.matcher.find(data, at, high) if at <= high else None
            if following is None:
                break
            match = following
        return [each for each in found if each.begin < each.end] or found[:1]

    def _text_around(self, match: Span, data: bytes, *, is_cut: bool) -> Span:
        """Return which bytes to show: the whole line if it is short."""
        if self._begin == self._line.offset and len(data) <= TEXT_BYTES and not is_cut:
            return Span(0, len(data))
        begin = max(0, match.begin - BEFORE_BYTES)
        while begin < match.begin and data[begin] & 0xC0 == 0x80:
            begin += 1
        end = min(len(data), begin + TEXT_BYTES)
        return Span(begin, max(match.begin + 1, whole_characters(data, end)) if end < len(data) else end)

    def _hit(self, data: bytes, text: Span, matches: list[Span], *, is_cut: bool) -> Hit:
        begin, end = text
        return Hit(
            number=self._line.line,
            offset=self._line.offset,
            time=self._label.time_s,
            stream=self._label.stream.label,
            text=_decoded(data[begin:end]),
            columns=[_columns(data, text, match) for match in matches],
            match=self._begin + matches[0].begin,
            skipped=self._begin + begin - self._line.offset,
            continued=is_cut or end < len(data),
        )


def _further(number: int, lines: int) -> int:
    """Return the number of the line that is so many further on; 0 if it is not known."""
    return number + lines if number else 0


def _columns(data: bytes, text: Span, match: Span) -> Span:
    before = data[text.begin : match.begin]
    matched = data[match.begin : min(match.end, text.end)]
    begin = len(before) if before.isascii() else len(_decoded(before))
    return Span(begin, begin + (len(matched) if matched.isascii() else len(_decoded(matched))))


def _decoded(data: bytes) -> str:
    return str(data, "utf-8", "replace")
