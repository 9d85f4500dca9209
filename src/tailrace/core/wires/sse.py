"""The sse wire: `output` events with JSON, faithful to CR and control bytes; `state`, `gap` and `end` beside them."""

import msgspec

from tailrace.core.piece import Chunk
from tailrace.core.wires.eventstream import EventStreamFramer
from tailrace.core.wires.gather import Gatherer, Piece
from tailrace.core.wires.objects import lagging_object


class SseFramer(EventStreamFramer):
    """Frames pieces of text as events."""

    name = "sse"
    tells_lag = True

    def __init__(self, run_id: str, offset: int) -> None:
        super().__init__(run_id, offset)
        self._gatherer = Gatherer()

    def output(self, chunk: Chunk) -> bytes:
        """Return an event for each piece that is complete."""
        self._take(chunk.offset, chunk.end)
        return self._events(self._gatherer.add(chunk))

    def flush(self) -> bytes:
        """Return the text that waits for its newline."""
        return self._events(self._gatherer.flush())

    def lagging(self, behind_bytes: int) -> bytes:
        """Return a `lagging` event, with the id of where the viewer is: it resumes there, or comes back with `tail`."""
        return self._event(b"lagging", lagging_object(self._returned, behind_bytes))

    def _release(self) -> bytes:
        return self._events(self._gatherer.release())

    def _events(self, pieces: list[Piece]) -> bytes:
        return b"".join([self._output_event(piece) for piece in pieces])

    def _output_event(self, piece: Piece) -> bytes:
        self._returned = piece.end
        return self._event(b"output", msgspec.json.encode(piece.output))
