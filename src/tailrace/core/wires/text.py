"""The text wire: the exact bytes, nothing added.

Nothing added means: no heartbeat, no state, no end, and no way to tell of a gap. So the connection itself must tell: it
is aborted wherever it stops before the recorded end. (Interval messages are added only where a route asks for them.)
"""

from typing import NoReturn

from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.wires.base import Framer


class TextFramer(Framer):
    """Passes the bytes on."""

    name = "text"
    content_type = "text/plain; charset=utf-8"
    aborts = True
    passes = True
    shows_labels = False
    tells_states = tells_end = False

    def __init__(self, run_id: str, offset: int) -> None:
        super().__init__(run_id, offset)
        self._is_within_line = False

    def begin(self, info: RunInfo) -> bytes:  # noqa: ARG002  the wire has no preamble
        """Return nothing."""
        return b""

    def output(self, chunk: Chunk) -> bytes:
        """Return the chunk's bytes."""
        self._take(chunk.offset, chunk.end)
        self._returned = chunk.end
        if chunk.data:
            self._is_within_line = not chunk.data.endswith(b"\n")
        return chunk.data

    def flush(self) -> bytes:
        """Return nothing: nothing is ever held back."""
        return b""

    def state(self, info: RunInfo) -> bytes:  # noqa: ARG002  the wire has no events
        """Return nothing."""
        return b""

    def gap(self, gap: Gap) -> NoReturn:
        """Refuse.

        Raises:
            StreamBroken: always; text cannot say that something is missing, so it must not look complete.
        """
        raise StreamBroken(
            f"bytes {gap.begin} to {gap.end} of the output are missing: {gap.why}",
            op="follow",
            subject=self._run_id,
            hint=f"read on from offset {gap.end}, or take a wire that tells of gaps: sse, lines or ndjson",
        )

    def end(self, info: RunInfo) -> bytes:  # noqa: ARG002  the connection's proper end is the end
        """Return nothing."""
        return b""

    def heartbeat(self) -> bytes:
        """Return nothing."""
        return b""

    def interval(self, text: str) -> bytes:
        """Return the text as a line of its own: the one thing that is ever added, where a route wants it."""
        start, self._is_within_line = "\n" if self._is_within_line else "", False
        return f"{start}{text}\n".encode()
