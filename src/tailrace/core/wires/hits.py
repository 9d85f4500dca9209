"""Search as a stream: the hits in an output, as they come, on the wires that send JSON.

In place of `output` stand `hit`, a line with its matches, and, after every 4 MiB without one, and when nothing comes
for a while, `searched`: nothing was found before its `offset`, so nobody who comes back has to begin anew, and all
know how far it is. Everything else is as on sse and ndjson. A line is searched when it is complete.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from tailrace.core.piece import Chunk, Gap, Spot
from tailrace.core.search import Found, Searcher
from tailrace.core.wires.base import Framer
from tailrace.core.wires.eventstream import EventStreamFramer
from tailrace.core.wires.ndjson import NdjsonFramer, typed

PROGRESS_BYTES = 4 << 20
"""after so many without a hit, the client is told; a connection that nobody reads any more shows then, too"""


class Searched(msgspec.Struct, frozen=True):
    """There is no hit between the one before and `offset`."""

    offset: int


class _News(NamedTuple):
    """What is to be sent, and where a client that has it goes on: the offset, and the line that this lies in."""

    name: bytes
    data: bytes
    end: int
    line: Spot


class _Search:
    """What both wires do with a searcher."""

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher
        self.line = searcher.line
        self._told = searcher.searched

    def add(self, chunk: Chunk) -> Iterator[_News]:
        yield from self._hits(self.searcher.add(chunk))
        yield from self.progress(PROGRESS_BYTES)

    def progress(self, least: int) -> Iterator[_News]:
        """Tell how far the search is, if that is so many bytes beyond what the client knows."""
        searched = self.searcher.searched
        if searched - self._told >= least:
            self._told, self.line = searched, self.searcher.line
            yield _News(b"searched", msgspec.json.encode(Searched(searched)), searched, self.line)

    def release(self) -> Iterator[_News]:
        yield from self._hits(self.searcher.release())

    def again(self, offset: int) -> Searcher:
        """Return one that goes on where a client stands that has all that was sent."""
        return Searcher(self.searcher.matcher, self.line, offset)

    def _hits(self, found: Iterable[Found]) -> Iterator[_News]:
        for each in found:
            self._told, self.line = each.end, each.line
            yield _News(b"hit", msgspec.json.encode(each.hit), each.end, each.line)


class HitsFramer(Framer):
    """What both wires frame in the same way; beside it stands the framer of the wire. Holds what its searcher holds.

    Args:
        run_id: the run whose output is searched.
        searcher: where the search begins.
    """

    name = "hits"

    def __init__(self, run_id: str, searcher: Searcher) -> None:
        super().__init__(run_id, searcher.searched)
        self._taken = 0
        self._search = _Search(searcher)

    def at(self, offset: int) -> "HitsFramer":
        """Return one that goes on with the same search."""
        return type(self)(self._run_id, self._search.again(offset))

    def output(self, chunk: Chunk) -> bytes:
        """Return each hit."""
        self._take(chunk.offset, chunk.end)
        return self._told(self._search.add(chunk))

    def flush(self) -> bytes:
        """Return how far the search is, since all that there is was searched; half a line is not."""
        return self._told(self._search.progress(1))

    def gap(self, gap: Gap) -> bytes:
        """Return the hits in what was held back, then the gap."""
        told = super().gap(gap)  # type: ignore[safe-super]  # the wire's own, which stands behind this
        self._search.searcher.skip(gap.end)
        return told

    @abstractmethod
    def _framed(self, news: _News) -> bytes:
        """Return one piece of news as the wire has it."""

    def _release(self) -> bytes:
        told = self._told(self._search.release())
        self._returned = max(self._returned, self._taken)
        return told

    def _told(self, news: Iterable[_News]) -> bytes:
        framed = []
        for each in news:
            self._returned = each.end
            framed.append(self._framed(each))
        return b"".join(framed)


class HitsSseFramer(HitsFramer, EventStreamFramer):
    """Frames hits as events."""

    def _framed(self, news: _News) -> bytes:
        return self._event(news.name, news.data)


class HitsNdjsonFramer(HitsFramer, NdjsonFramer):
    """Frames hits as lines of JSON."""

    def _framed(self, news: _News) -> bytes:
        return typed(news.name, news.data)
