"""The cast wire: asciicast v2, which plays in asciinema at the speed of the run.

A header with the terminal's size, as it is when the recording is asked for, then `[time, "o", text]` for each stretch
of output, in seconds since the command's start, and `[time, "r", "80x24"]` where the size is another. A gap is a
marker, and so is how the run ended, last: a recording without that is not complete. See docs.asciinema.org, "asciicast
v2". The header's `tailrace` says which run it is and from which offset on; players ignore it.

A terminal's bytes are played as they are. What a command wrote to pipes has LF alone at the end of its lines, where a
terminal would have put a CR before it; so does this wire, or each line would begin below the end of the last one.
"""

import shlex

import msgspec

from tailrace.core.outcome import describe
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import Stream, TerminalSize
from tailrace.core.wires.base import Framer
from tailrace.core.wires.held import Held, whole_characters

ROWS, COLUMNS = 24, 80
"""of a run that has no terminal"""


class CastFramer(Framer):
    """Frames stretches of output as events of a recording. Holds back the beginning of a character at most."""

    name = "cast"
    content_type = "application/x-asciicast"
    aborts = True
    tells_states = False

    def __init__(self, run_id: str, offset: int, *, is_terminal: bool = False) -> None:
        super().__init__(run_id, offset)
        self._held = Held()
        self._stream = Stream.STDOUT
        self.time_s = 0.0
        """of the last event, since the command's start"""
        self._is_terminal = is_terminal
        self._told: TerminalSize | None = None
        """the size that players know of"""

    def at(self, offset: int) -> "CastFramer":
        """Return one that goes on with the same recording."""
        other = CastFramer(self._run_id, offset, is_terminal=self._is_terminal)
        if offset == self.resume_offset:
            other.time_s = self.time_s
            other._told = self._told
        return other

    def begin(self, info: RunInfo) -> bytes:
        """Return the header."""
        self._is_terminal = info.rows is not None
        self._told = TerminalSize(info.rows or ROWS, info.columns or COLUMNS)
        at = info.started or info.created
        header = {
            "version": 2,
            "width": self._told.columns,
            "height": self._told.rows,
            "timestamp": int(at.timestamp()) if at else None,
            "title": info.command or shlex.join(info.argv),
            "tailrace": {"run": self._run_id, "offset": self._taken},
        }
        return _row({name: value for name, value in header.items() if value is not None})

    def output(self, chunk: Chunk) -> bytes:
        """Return an event of the chunk's characters."""
        self._take(chunk.offset, chunk.end)
        before = self._release() if chunk.stream is not self._stream else b""
        self._stream = chunk.stream
        self.time_s = max(self.time_s, chunk.time_s or 0.0)
        before += self._resized(chunk.terminal)
        self._held.append(chunk.offset, chunk.data)
        return before + self._event(whole_characters(self._held.data, len(self._held)))

    def flush(self) -> bytes:
        """Return nothing: nothing is held back only to gather it."""
        return b""

    def state(self, info: RunInfo) -> bytes:  # noqa: ARG002  a recording is of the output
        """Return nothing."""
        return b""

    def gap(self, gap: Gap) -> bytes:
        """Return a marker."""
        rest = self._release()
        self._take(gap.begin, gap.end)
        self._returned = gap.end
        return rest + self._marker(f"bytes {gap.begin} to {gap.end} are missing: {gap.why}")

    def end(self, info: RunInfo) -> bytes:
        """Return what was held back, then how the run ended."""
        return self._release() + (self._marker(describe(info.outcome)) if info.outcome else b"")

    def heartbeat(self) -> bytes:
        """Return nothing: players take no comments."""
        return b""

    def interval(self, text: str) -> bytes:  # noqa: ARG002  a recording is of the output
        """Return nothing."""
        return b""

    def _resized(self, terminal: TerminalSize | None) -> bytes:
        """Return the news that the terminal has another size, if it has."""
        if terminal is None or terminal == self._told:
            return b""
        self._told = terminal
        return _row([self.time_s, "r", f"{terminal.columns}x{terminal.rows}"])

    def _marker(self, label: str) -> bytes:
        return _row([self.time_s, "m", label])

    def _release(self) -> bytes:
        return self._event(len(self._held))

    def _event(self, size: int) -> bytes:
        if not size:
            return b""
        self._returned = self._held.end_of(size)
        text = str(self._held.take(size), "utf-8", "replace")
        if not self._is_terminal:
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        return _row([self.time_s, "o", text])


def _row(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
