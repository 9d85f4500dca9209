"""Cuts output into pieces of text, each of one stream and at most 64 KiB, for the wires that send JSON.

Complete lines go at once. Text without its newline waits for it, so that a line does not come in scraps; it is let go
by 50 ms of silence, a change of stream or of the terminal's size, a gap, the end, or 64 KiB. Silence is also seen in
the chunks' own times, so that a viewer who reads an old log gets the prompt and the answer at their own times, as a
live one does.

Characters: pieces end on borders of UTF-8, so the text of all pieces is the decoding of all bytes, whatever the chunks.
There is one place where this must give way. If a stream is interrupted by the other one in the middle of a character,
its two halves are not neighbours, and one offset to resume from cannot stand before the first half and behind the
interruption. So what the stream had at that point is decided there: each half becomes U+FFFD. In other words, each
stretch of bytes of one stream is decoded by itself. Where one stream is shown alone, nothing interrupts it and its
characters are whole.
"""

from typing import NamedTuple

from tailrace.core.piece import Chunk
from tailrace.core.timeline import Stream, TerminalSize
from tailrace.core.wires.base import LIMIT_BYTES
from tailrace.core.wires.held import Held, whole_characters, whole_ends
from tailrace.core.wires.objects import Output

SILENCE_S = 0.05
"""after this long without output, text is shown without its newline"""

_LF = b"\n"


class Piece(NamedTuple):
    """An object to send, and the offset after it."""

    output: Output
    end: int


class Gatherer:
    """Takes chunks, gives pieces. Holds at most 64 KiB between two calls."""

    def __init__(self) -> None:
        self._held = Held()
        self._stream = Stream.STDOUT
        self._time_s: float | None = None
        """when the first byte in `_held` came"""
        self._latest_s: float | None = None
        """when the last byte in `_held` came"""
        self._terminal: TerminalSize | None = None
        """the size of the terminal at which these bytes were written"""
        self._told: TerminalSize | None = None
        """the size that the last piece with one told"""

    def add(self, chunk: Chunk) -> list[Piece]:
        """Return the pieces that this chunk completes."""
        pieces = self._before(chunk)
        if not self._held:
            self._stream, self._time_s = chunk.stream, chunk.time_s
        self._held.append(chunk.offset, chunk.data)
        self._latest_s = chunk.time_s
        self._terminal = chunk.terminal or self._terminal
        if _LF in chunk.data or len(self._held) > LIMIT_BYTES:
            pieces += self._complete()
        return pieces

    def flush(self) -> list[Piece]:
        """Return what is held but for the beginning of a character."""
        return self._take(whole_characters(self._held.data, len(self._held)))

    def release(self) -> list[Piece]:
        """Return what is held; the beginning of a character becomes U+FFFD."""
        return self._take(len(self._held))

    def _before(self, chunk: Chunk) -> list[Piece]:
        """Let go what must not be in one piece with the chunk."""
        if not self._held:
            return []
        if chunk.stream is not self._stream:
            return self.release()
        is_resized = chunk.terminal not in (None, self._terminal)
        return self.flush() if is_resized or self._was_silent(chunk.time_s) else []

    def _was_silent(self, now_s: float | None) -> bool:
        return now_s is not None and self._latest_s is not None and now_s - self._latest_s > SILENCE_S

    def _complete(self) -> list[Piece]:
        """Take out whole lines, and what is too long to wait for its end."""
        pieces: list[Piece] = []
        while size := self._next_size():
            pieces += self._take(size, is_continued=self._held.data[size - 1] != _LF[0])
            self._time_s = self._latest_s
        return pieces

    def _next_size(self) -> int:
        data = self._held.data
        whole_lines = data.rfind(_LF, 0, LIMIT_BYTES) + 1
        if whole_lines or len(data) <= LIMIT_BYTES:
            return whole_lines
        return whole_ends(data, LIMIT_BYTES)

    def _take(self, size: int, *, is_continued: bool = False) -> list[Piece]:
        if not size:
            return []
        begin, end = self._held.begin(), self._held.end_of(size)
        text = str(self._held.take(size), "utf-8", "replace")
        return [Piece(Output(begin, self._time_s, self._stream.label, text, is_continued, *self._news()), end)]

    def _news(self) -> tuple[int | None, int | None]:
        """Return the terminal's rows and columns, if they are to be told."""
        if self._terminal == self._told or self._terminal is None:
            return None, None
        self._told = self._terminal
        return self._terminal
