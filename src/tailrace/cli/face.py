"""What a viewer at the shell sees of a run: its two streams as they are, or one of the wires."""

from typing import Protocol, TypeAlias

from tailrace.cli.sink import Sink
from tailrace.cli.terminal import Modes
from tailrace.core.escapes import Stripper
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import Stream
from tailrace.core.wires import Framer

Piece: TypeAlias = tuple[Sink, bytes]
STDOUT, STDERR = 1, 2


class Face(Protocol):
    """Turns what happens to a run into bytes for our descriptors."""

    tells: bool
    """whether states, gaps and the end are part of it, so that nothing need be said beside it"""

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """Where it goes."""

    def begin(self, info: RunInfo) -> list[Piece]:
        """Return what comes first."""

    def output(self, chunk: Chunk) -> list[Piece]:
        """Return what is to be written now that this is here."""

    def silence(self) -> list[Piece]:
        """Return what waited for more that has not come."""

    def state(self, info: RunInfo) -> list[Piece]:
        """Return the news of a state."""

    def gap(self, gap: Gap) -> list[Piece]:
        """Return the news of missing bytes."""

    def end(self, info: RunInfo) -> list[Piece]:
        """Return what is left."""


class Streams:
    """Stdout on ours, stderr on ours, byte for byte; filtered where that is a terminal, unless `raw`.

    `is_plain` leaves out escape sequences wherever it goes.
    """

    tells = False

    def __init__(self, *, raw: bool = False, is_plain: bool = False) -> None:
        self._stripper = Stripper() if is_plain else None
        self._out, self._err = Sink(STDOUT, raw=raw), Sink(STDERR, raw=raw)
        self._modes = Modes() if raw and self._out.is_terminal else None
        self.sinks: tuple[Sink, ...] = (self._out, self._err)

    def begin(self, info: RunInfo) -> list[Piece]:  # noqa: ARG002  only the wires tell of states
        """Return nothing."""
        return []

    def output(self, chunk: Chunk) -> list[Piece]:
        """Return the chunk's bytes, or what is left of them."""
        data = chunk.data
        if self._stripper is not None:
            data = b"".join([stretch.data for stretch in self._stripper.strip(chunk)])
        if self._modes is not None:
            self._modes.feed(data)
        sink = self._err if chunk.stream is Stream.STDERR else self._out
        return [(sink, sink.fit(data))]

    def silence(self) -> list[Piece]:
        """Return nothing: nothing waits."""
        return []

    def state(self, info: RunInfo) -> list[Piece]:  # noqa: ARG002  as above
        """Return nothing."""
        return []

    def gap(self, gap: Gap) -> list[Piece]:  # noqa: ARG002  as above
        """Return nothing; it is said on stderr."""
        return []

    def end(self, info: RunInfo | None = None) -> list[Piece]:  # noqa: ARG002  as above
        """Return half characters, and what gives the terminal back as it was."""
        undo = b"" if self._modes is None else self._modes.undo()
        return [(self._out, self._out.rest() + undo), (self._err, self._err.rest())]


class Wire:
    """A wire of the web, on standard output."""

    tells = True

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._out = Sink(STDOUT)
        self.sinks: tuple[Sink, ...] = (self._out,)

    def begin(self, info: RunInfo) -> list[Piece]:
        """Return the wire's beginning."""
        return self._piece(self._framer.begin(info))

    def output(self, chunk: Chunk) -> list[Piece]:
        """Return the events that are complete."""
        return self._piece(self._framer.output(chunk))

    def silence(self) -> list[Piece]:
        """Return text that waited for its newline."""
        return self._piece(self._framer.flush())

    def state(self, info: RunInfo) -> list[Piece]:
        """Return a state event."""
        return self._piece(self._framer.state(info))

    def gap(self, gap: Gap) -> list[Piece]:
        """Return a gap event."""
        return self._piece(self._framer.gap(gap))

    def end(self, info: RunInfo) -> list[Piece]:
        """Return the end event."""
        return self._piece(self._framer.end(info) + self._out.rest())

    def _piece(self, data: bytes) -> list[Piece]:
        return [(self._out, self._out.fit(data))] if data else []
