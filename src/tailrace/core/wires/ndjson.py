"""The ndjson wire: the objects of sse, one a line, each with its `type`; complete only with its `end`.

To resume, ask for `?from=` the `offset` of the last object and put what comes in its place.
"""

import msgspec

from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.wires.base import Framer
from tailrace.core.wires.gather import Gatherer, Piece
from tailrace.core.wires.objects import gap_object, tagged


class NdjsonFramer(Framer):
    """Frames pieces of text as lines of JSON."""

    name = "ndjson"
    content_type = "application/x-ndjson"
    aborts = True

    def __init__(self, run_id: str, offset: int) -> None:
        super().__init__(run_id, offset)
        self._gatherer = Gatherer()

    def begin(self, info: RunInfo) -> bytes:
        """Return the run as it is now."""
        return self.state(info)

    def output(self, chunk: Chunk) -> bytes:
        """Return a line for each piece that is complete."""
        self._take(chunk.offset, chunk.end)
        return self._lines(self._gatherer.add(chunk))

    def flush(self) -> bytes:
        """Return the text that waits for its newline."""
        return self._lines(self._gatherer.flush())

    def state(self, info: RunInfo) -> bytes:
        """Return the run as it is now."""
        return typed(b"state", msgspec.json.encode(info))

    def gap(self, gap: Gap) -> bytes:
        """Return what was held back, then the gap."""
        rest = self._release()
        self._take(gap.begin, gap.end)
        self._returned = gap.end
        return rest + typed(b"gap", gap_object(gap))

    def end(self, info: RunInfo) -> bytes:
        """Return what was held back, then the run as it ended."""
        return self._release() + typed(b"end", msgspec.json.encode(info))

    def heartbeat(self) -> bytes:
        """Return nothing: every line is an object."""
        return b""

    def interval(self, text: str) -> bytes:
        """Return an `interval` object."""
        return typed(b"interval", msgspec.json.encode({"text": text}))

    def _release(self) -> bytes:
        return self._lines(self._gatherer.release())

    def _lines(self, pieces: list[Piece]) -> bytes:
        return b"".join([self._output_line(piece) for piece in pieces])

    def _output_line(self, piece: Piece) -> bytes:
        self._returned = piece.end
        return typed(b"output", msgspec.json.encode(piece.output))


def typed(name: bytes, fields: bytes) -> bytes:
    """Return a line: an object, its type put in front of its fields; it must have some."""
    return tagged(name, fields) + b"\n"
