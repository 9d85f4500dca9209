"""Outputs to frame, strategies for awkward ones, and the objects that come back."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec
from hypothesis import strategies as st

from tailrace.core.piece import Chunk
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.timeline import Stream
from tailrace.core.wires import Framer

RUN = "01jd3v5w8x9" + "abcdefghjkmnpqrs"
RUNNING = RunInfo(id=RUN, command=None, argv=("make",), state=State.RUNNING, outcome=None, created=None)
OUT, ERR = Stream.STDOUT, Stream.STDERR

T = TypeVar("T")

TOKENS = (
    b"a",
    b"bc ",
    b" ",
    b"\n",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\x1b[1m",
    b":",
    b"data: ",
    "é".encode(),
    "€".encode(),
    "😀".encode(),
    "\ufeff".encode(),
    "\u2028".encode(),
    "\x85".encode(),
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xf0",
    b"\x80",
    b"\xac",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf4\x90",
)
"""what borders and decoders stumble over"""

texts = st.lists(st.sampled_from(TOKENS), max_size=24).map(b"".join) | st.binary(max_size=24)
extents = st.lists(st.tuples(st.sampled_from([OUT, ERR]), texts), max_size=6)
"""an output: who wrote what, in order"""


class OutputObject(msgspec.Struct, forbid_unknown_fields=True):
    """An `output` as a client reads it."""

    offset: int
    time: float | None
    stream: str
    text: str
    continued: bool = False
    rows: int | None = None
    columns: int | None = None


class GapObject(msgspec.Struct, forbid_unknown_fields=True):
    """A `gap` as a client reads it."""

    from_: int = msgspec.field(name="from")
    to: int
    why: str


class Output(NamedTuple):
    """A whole output and the stream of each of its bytes."""

    data: bytes
    streams: tuple[Stream, ...]

    def chunks(self, begin: int, draw_size: Callable[[int], int]) -> list[Chunk]:
        """Return it from `begin` on in chunks of one stream each; `draw_size` is told the most and gives the size."""
        chunks = []
        while begin < len(self.data):
            stream = self.streams[begin]
            most = next((i for i in range(begin, len(self.data)) if self.streams[i] is not stream), len(self.data))
            size = draw_size(most - begin)
            chunks.append(Chunk(begin, self.data[begin : begin + size], stream, None))
            begin += size
        return chunks

    def decoded(self, begin: int, end: int) -> str:
        """Return the text of [`begin`, `end`), each stretch of one stream decoded by itself."""
        text = ""
        while begin < end:
            most = next((i for i in range(begin, end) if self.streams[i] is not self.streams[begin]), end)
            text += self.data[begin:most].decode("utf-8", "replace")
            begin = most
        return text


outputs = extents.map(
    lambda rows: Output(b"".join(data for _, data in rows), tuple(stream for stream, data in rows for _ in data))
)


def chunk(offset: int, data: bytes, stream: Stream = OUT, time_s: float | None = None) -> Chunk:
    """Return a chunk, of stdout unless said otherwise."""
    return Chunk(offset, data, stream, time_s)


def frame(framer: Framer, *pieces: bytes, offset: int = 0) -> bytes:
    """Return what the framer makes of the pieces, which follow each other from `offset` on."""
    framed = b""
    for piece in pieces:
        framed += framer.output(chunk(offset, piece))
        offset += len(piece)
    return framed
