"""Lines as values: against splitting the whole, whatever the chunks."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.lines import Line, Splitter
from tailrace.core.piece import Chunk, Spot
from tailrace.core.timeline import Stream
from tailrace.core.wires.base import LIMIT_BYTES
from tests.unit.core.test_search import chunks_of, split

BYTES = st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xff", "é".encode(), b"\xc3", b"\0"]), max_size=60).map(
    b"".join
)


class Shown(NamedTuple):
    """What of a line does not depend on the chunks."""

    number: int
    offset: int
    text: str
    partial: bool


def shown(line: Line) -> Shown:
    """Return that of the line."""
    return Shown(line.number, line.offset, line.text, line.partial)


@given(BYTES, st.lists(st.integers(0, 1000), max_size=8))
def test_lines_are_those_of_the_whole(data: bytes, cuts: list[int]) -> None:
    """Each with its number, its place, and the label of its first byte; the last one may lack its LF."""
    chunks = list(chunks_of(data, cuts))
    splitter = Splitter(Spot(1, 0))
    lines = [line for chunk in chunks for line in splitter.add(chunk)]
    assert splitter.line == Spot(data.count(b"\n") + 1, data.rfind(b"\n") + 1)
    if (rest := splitter.rest()) is not None:
        lines.append(rest)
    wanted = split(data)
    assert [shown(line) for line in lines] == [
        Shown(number, offset, text.decode(errors="replace"), partial=offset + len(text) == len(data))
        for number, (offset, text) in enumerate(wanted, 1)
    ]
    for line in lines:
        chunk = next(chunk for chunk in chunks if chunk.offset <= line.offset < chunk.end)
        assert (line.time, line.stream) == (chunk.time_s, chunk.stream.label)
        assert (line.continued, line.rest) == (False, None)


def test_a_long_line_is_cut_between_characters() -> None:
    """What is not shown is passed over, and its place told; the next line is whole."""
    text = "é" * 40_000
    data = b"x" + text.encode() + b"\nnext\n"
    for size in (1, 2, 1000, 65_537, len(data)):
        splitter = Splitter(Spot(5, 100))
        lines: list[Line] = []
        for begin in range(0, len(data), size):
            lines += splitter.add(Chunk(100 + begin, data[begin : begin + size], Stream.STDOUT, None))
            assert len(splitter._held) <= LIMIT_BYTES + 1
        cut, following = lines
        assert (cut.number, cut.offset, cut.continued, cut.rest) == (5, 100, True, 100 + LIMIT_BYTES - 1)
        assert cut.text == "x" + text[: LIMIT_BYTES // 2 - 1]
        assert (following.number, following.text) == (6, "next")


def test_a_line_of_just_64_kib_is_whole() -> None:
    """One byte more is not."""
    for size, is_long in ((LIMIT_BYTES, False), (LIMIT_BYTES + 1, True)):
        splitter = Splitter(Spot(1, 0))
        list(splitter.add(Chunk(0, b"x" * size, Stream.STDOUT, None)))
        assert splitter.is_long == is_long
        line = splitter.cut()
        assert (line.continued, len(line.text)) == (is_long, LIMIT_BYTES)
        assert splitter.rest() is None
