"""A place in the output of a run on a server."""

import time
import weakref

from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import Stream
from tailrace.engine.base import End, Ring
from tailrace.engine.remote.inlet import Inlet
from tailrace.engine.remote.lines import RemoteLines
from tailrace.engine.remote.source import Source
from tailrace.host.wait import readable

LOOK_BYTES = 256 << 10
LOOK_S = 5.0
"""that a look waits for what the server has said is there already, as one on a disk waits for the disk"""


class HttpCursor:
    """See `Cursor`. Both streams come over the connection; one alone is chosen here, so that offsets are true.

    A connection that breaks is made again, from where it was, without a word but `take_news`.
    """

    def __init__(self, source: Source, offset: int, *, tail: int | None = None, stream: Stream | None = None) -> None:
        """Connect.

        Raises:
            UnknownRun, OffsetBeyondEnd, NotAllowed: as the server says.
            EngineError: the server cannot be reached, or has a problem.
        """
        self._source = source
        self._only = stream
        inflow = source.open(offset, tail=tail)
        self._offset = inflow.offset
        self._inlet = Inlet(source, inflow)
        self._waited_for: RunInfo | None = None
        """the news after which a look waited in vain: half a character, say, is held back until it is whole"""
        weakref.finalize(self, self._inlet.close).atexit = False  # for those that nobody closes

    @property
    def offset(self) -> int:
        """See `Cursor.offset`."""
        return self._offset

    def look(self, until: int | None = None) -> list[Chunk] | Gap | End | None:
        """See `Cursor.look`. What the server has said is there is waited for, some seconds at most."""
        deadline = time.monotonic() + LOOK_S
        while True:
            self._inlet.bell.clear()
            if (seen := self._next(until)) is not None or (until is not None and self._offset >= until):
                return seen
            if not self._is_due():
                return None
            if not readable([self._inlet.bell.fd], deadline - time.monotonic()):
                self._waited_for = self._inlet.info
                return None

    def more(self) -> list[Chunk] | None:
        """See `Cursor.more`."""
        if self._inlet.failure() is not None:
            return None
        match self._inlet.head():
            case None:
                return []
            case Chunk():
                return self._chunks(None)
            case _:
                return None

    def passage(self) -> None:
        """See `Cursor.passage`: there is no file here."""

    def skip(self, count: int) -> None:
        """See `Cursor.skip`."""
        while count > 0 and (chunk := self._inlet.take(count)) is not None:
            self._offset = chunk.end
            count -= len(chunk.data)

    def lines(self) -> RemoteLines:
        """See `Cursor.lines`."""
        return self._source.lines()

    def count_behind(self) -> None:
        """See `Cursor.count_behind`: the server does, whenever it is asked for lines."""

    def info(self) -> RunInfo:
        """See `Cursor.info`: what the server has told last; nothing is asked."""
        return self._inlet.info

    def take_news(self) -> list[str]:
        """Return what is to be said of the connection since the last time: that it was lost, that it is there again."""
        return self._inlet.take_news()

    def at(self, offset: int) -> "HttpCursor":
        """See `Cursor.at`; a run that has been removed cannot be read any more."""
        return HttpCursor(self._source, offset, stream=self._only)

    def on_change(self, ring: Ring) -> None:
        """See `Cursor.on_change`."""
        self._inlet.listen(ring)

    def close(self) -> None:
        """See `Cursor.close`."""
        self._inlet.close()

    def _next(self, until: int | None) -> list[Chunk] | Gap | End | None:
        """Return what has come.

        Raises:
            EngineError: nothing more will.
        """
        match self._inlet.head():
            case None:
                if (failure := self._inlet.failure()) is not None:
                    raise failure
                return None
            case Gap() as gap:
                if until is not None:
                    return None
                self._inlet.drop()
                self._offset = max(self._offset, gap.end)
                return gap
            case End() as end:
                return end if until is None else None
            case Chunk():
                return self._chunks(until) if until is None or self._offset < until else None

    def _chunks(self, until: int | None) -> list[Chunk]:
        """Take out chunks, at most 256 KiB, none of it from `until` on; those of another stream are passed over."""
        chunks, left = [], LOOK_BYTES if until is None else min(LOOK_BYTES, until - self._offset)
        while left > 0 and (chunk := self._inlet.take(left)) is not None:
            self._offset = chunk.end
            left -= len(chunk.data)
            if self._only is None or chunk.stream in (self._only, Stream.MIXED):
                chunks.append(chunk)
        return chunks

    def _is_due(self) -> bool:
        """Tell whether something is on its way: output that the server spoke of, or the end."""
        info = self._inlet.info
        is_more = info.is_finished or self._offset < info.size
        return is_more and self._inlet.is_connected and info is not self._waited_for
