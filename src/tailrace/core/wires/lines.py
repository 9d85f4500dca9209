r"""The lines wire: one line an event, for a plain `onmessage`.

A line of output ends at LF and only there; a CR before the LF goes with it. A CR elsewhere ends a line *within* the
event: the client sees "\n" there (a raw CR would end the field and lose what follows). Streams are not told apart:
lines are those of the output, as in every number and permalink.

A line waits for its end, however long that takes: 50 ms of silence let nothing go, since a client of this wire would
take half a line for a whole one. An unterminated last line comes at the end of the run, or before a gap. A line longer
than 64 KiB comes in successive events, cut between characters. It is cut only when it is certain that more than its
CRLF follows, so a cut never makes an empty event.

Speed: lines are framed as text decoded from Latin-1, which maps each byte to one character and back; that costs next to
nothing, and formatting str is faster than formatting bytes. Only what is not UTF-8 is truly decoded.
"""

from collections.abc import Iterable
from itertools import accumulate

from tailrace.core.piece import Chunk
from tailrace.core.wires.base import LIMIT_BYTES
from tailrace.core.wires.eventstream import EventStreamFramer
from tailrace.core.wires.held import Held, whole_characters

_LF = b"\n"
_PENDING_BYTES = LIMIT_BYTES + 1
"""what an unterminated line may hold: if its last byte is the CR of a CRLF, the line still fits into one event"""


class LinesFramer(EventStreamFramer):
    """Frames lines as events. Holds at most a line of 64 KiB between two calls."""

    name = "lines"
    shows_labels = False

    def __init__(self, run_id: str, offset: int) -> None:
        super().__init__(run_id, offset)
        self._held = Held()

    def output(self, chunk: Chunk) -> bytes:
        """Return an event for each line that is complete."""
        self._take(chunk.offset, chunk.end)
        if chunk.data.endswith(_LF) and not self._held.data:
            return self._whole_lines(chunk.offset, chunk.data)
        begin = chunk.data.find(_LF) + 1 if self._held else 0
        rest = chunk.data.rfind(_LF) + 1
        events = self._held_and(chunk.offset, chunk.data[:begin])
        if begin < rest:
            events += self._whole_lines(chunk.offset + begin, chunk.data[begin:rest])
        self._held.append(chunk.offset + rest, chunk.data[rest:])
        return events + self._pieces(len(self._held), _PENDING_BYTES)

    def flush(self) -> bytes:
        """Return nothing: half a line is not a line."""
        return b""

    def _release(self) -> bytes:
        return self._line(len(self._held)) if self._held else b""

    def _whole_lines(self, offset: int, lines: bytes) -> bytes:
        """Return the events of lines that have all their LF."""
        contents = str(lines, "latin-1").split("\n")
        contents.pop()
        if len(lines) > LIMIT_BYTES and max(map(len, contents)) > LIMIT_BYTES:
            return self._one_by_one(offset, lines)
        ends = accumulate([len(content) + 1 for content in contents], initial=offset)
        next(ends)
        self._returned = offset + len(lines)
        if b"\r" in lines:
            contents = [content.removesuffix("\r") for content in contents]
        return self._events(ends, _shown(lines, contents))

    def _one_by_one(self, offset: int, lines: bytes) -> bytes:
        """Return the events of lines of which some are too long."""
        events = []
        for line in lines.split(_LF)[:-1]:
            events.append(self._held_and(offset, line + _LF))
            offset += len(line) + 1
        return b"".join(events)

    def _held_and(self, offset: int, rest: bytes) -> bytes:
        """Return the events of what is held and of the rest of its line, its LF included; nothing without a rest."""
        if not rest:
            return b""
        self._held.append(offset, rest)
        return self._line(len(self._held.data.removesuffix(b"\n").removesuffix(b"\r")))

    def _line(self, size: int) -> bytes:
        """Return the events of what is held: one line, of which `size` bytes are to be seen."""
        line_end = len(self._held) - size
        pieces = self._pieces(size, LIMIT_BYTES)
        return pieces + self._event_of(len(self._held), line_end)

    def _pieces(self, size: int, limit: int) -> bytes:
        """Return events of 64 KiB each until no more than `limit` of the first `size` bytes held are left."""
        events = []
        while size > limit:
            piece = whole_characters(self._held.data, LIMIT_BYTES)
            events.append(self._event_of(piece))
            size -= piece
        return b"".join(events)

    def _event_of(self, size: int, line_end: int = 0) -> bytes:
        """Return one event of the first `size` bytes held; of these, the last `line_end` are not shown."""
        self._returned = self._held.end_of(size)
        shown = self._held.take(size)[: size - line_end]
        return self._events([self._returned], _shown(shown, [str(shown, "latin-1")]))

    def _events(self, ends: Iterable[int], texts: list[str]) -> bytes:
        head = f"id: {self._run_id}/"
        events = [f"{head}{end}\ndata: {text}\n\n" for end, text in zip(ends, texts, strict=True)]
        return "".join(events).encode("latin-1")


def _shown(raw: bytes, contents: list[str]) -> list[str]:
    """Return the contents, which `raw` consists of, as UTF-8 without a CR; all as text decoded from Latin-1."""
    if not _is_utf8(raw):
        contents = [_repaired(content) for content in contents]
    if b"\r" in raw:
        contents = [content.replace("\r", "\ndata: ") for content in contents]
    return contents


def _is_utf8(raw: bytes) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _repaired(content: str) -> str:
    """Put U+FFFD for what is not UTF-8."""
    return content.encode("latin-1").decode("utf-8", "replace").encode().decode("latin-1")
