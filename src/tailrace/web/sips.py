"""A cursor that gives less at a time, where little output can become a lot of something else."""

from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.engine.base import Cursor, End, Lines, Passage, Ring

SIP_BYTES = 32 << 10


class Sips:
    """See `Cursor`; a look gives one chunk, of 32 KiB at most. Closes the cursor that it takes from."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._chunks: list[Chunk] = []
        """looked at and not given, the next one last: one look at most"""

    @property
    def offset(self) -> int:
        """See `Cursor.offset`."""
        return self._chunks[-1].offset if self._chunks else self._cursor.offset

    def look(self, until: int | None = None) -> list[Chunk] | Gap | End | None:
        """See `Cursor.look`."""
        if not self._chunks:
            seen = self._cursor.look(until)
            if not isinstance(seen, list) or not seen:
                return seen
            self._chunks = seen[::-1]
        chunk = self._chunks.pop()
        if len(chunk.data) > SIP_BYTES:
            self._chunks.append(chunk._replace(offset=chunk.offset + SIP_BYTES, data=chunk.data[SIP_BYTES:]))
            chunk = chunk._replace(data=chunk.data[:SIP_BYTES])
        return [chunk]

    def more(self) -> list[Chunk] | None:
        """See `Cursor.more`."""
        if self._chunks:
            self._chunks, chunks = [], self._chunks[::-1]
            return chunks
        return self._cursor.more()

    def info(self) -> RunInfo:
        """See `Cursor.info`."""
        return self._cursor.info()

    def passage(self) -> Passage | None:
        """See `Cursor.passage`: nothing goes past a search."""
        return None

    def skip(self, count: int) -> None:
        """See `Cursor.skip`: nothing was passed on."""

    def lines(self) -> Lines:
        """See `Cursor.lines`."""
        return self._cursor.lines()

    def count_behind(self) -> None:
        """See `Cursor.count_behind`."""
        self._cursor.count_behind()

    def at(self, offset: int) -> Cursor:
        """See `Cursor.at`."""
        return Sips(self._cursor.at(offset))

    def on_change(self, ring: Ring) -> None:
        """See `Cursor.on_change`."""
        self._cursor.on_change(ring)

    def close(self) -> None:
        """See `Cursor.close`."""
        self._cursor.close()
