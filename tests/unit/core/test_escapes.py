from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.escapes import Stripper
from tailrace.core.piece import Chunk
from tailrace.core.timeline import Stream

OUT, ERR = Stream.STDOUT, Stream.STDERR
CASES = [
    (b"", b""),
    (b"plain \r\n\xff\t\x08", b"plain \r\n\xff\t\x08"),
    (b"\x1b[31mred\x1b[0m.", b"red."),
    (b"\x1b[38;2;1;2;3m\x1b[K\x1b[?25l\x1b[1 qx", b"x"),
    (b"a\x1b]0;title\x07b\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\c", b"ablinkc"),
    (b"a\x1bPq#1\x1b\\b\x1b_x\x1b\\c\x1b^y\x18d\x1bX\x1ae", b"abcde"),
    (b"a\x1bktitle\x1b\\b", b"ab"),
    (b"a\x1b(Bb\x1b7c\x1bMd\x1b#8e", b"abcde"),
    (b"a\x1b\x1b[1mb", b"ab"),
    (b"a\x1b[1\x1b[1mb\x1b(\x1b[1mc", b"abc"),
    (b"a\x1b\xc3\xa9b\x1b[\xc3\xa9c", b"a\xc3\xa9b\xc3\xa9c"),
    (b"a\x1b]0;never ended\nb\x1b[12\nc\x1b\nd", b"a\nb\nc\nd"),
    (b"a\x1b]0;never ended, nor its line", b"a"),
    (b"\x1b" * 3 + b"c" + b"x", b"x"),
]
TOKENS = (b"\x1b", b"[", b"]", b"P", b"(", b"1;3", b"m", b"?", b" ", b"\x07", b"\\", b"\x18", b"\n", b"\r", b"xyz")


def stripped(chunks: list[Chunk]) -> list[Chunk]:
    """Return the stretches that are left."""
    stripper = Stripper()
    return [stretch for chunk in chunks for stretch in stripper.strip(chunk)]


def text(stretches: list[Chunk]) -> bytes:
    """Return the bytes."""
    return b"".join([stretch.data for stretch in stretches])


@pytest.mark.parametrize(("written", "left"), CASES)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_what_is_left(written: bytes, left: bytes, size: int) -> None:
    """Sequences go, whole; everything else stays, however it is cut."""
    chunks = [Chunk(at, written[at : at + size], OUT, None) for at in range(0, len(written), size)]
    assert text(stripped(chunks)) == left


@given(st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join), st.lists(st.integers(0, 60), max_size=6))
def test_chunks_make_no_difference(written: bytes, cuts: list[int]) -> None:
    """Every stretch is at its own place in the output, every LF is there, and the text is that of one chunk."""
    borders = sorted({0, len(written), *(cut for cut in cuts if cut < len(written))})
    pairs = pairwise(borders)
    stretches = stripped([Chunk(begin, written[begin:end], OUT, 1.5) for begin, end in pairs])
    for stretch in stretches:
        assert written[stretch.offset : stretch.end] == stretch.data != b""
        assert (stretch.stream, stretch.time_s) == (OUT, 1.5)
    assert all(one.end <= other.offset for one, other in pairwise(stretches))
    assert text(stretches) == text(stripped([Chunk(0, written, OUT, None)]))
    assert text(stretches).count(b"\n") == written.count(b"\n")


def test_each_stream_by_itself() -> None:
    """What one says in the middle of the other's sequence is whole, and so is the sequence."""
    chunks = [Chunk(0, b"a\x1b[3", OUT, None), Chunk(4, b"error", ERR, None), Chunk(9, b"1mb", OUT, None)]
    assert text(stripped(chunks)) == b"aerrorb"


def test_what_has_no_sequence_is_passed_on() -> None:
    """The same chunk, untouched."""
    chunk = Chunk(7, b"x" * 1000, OUT, None)
    assert stripped([chunk]) == [chunk]
