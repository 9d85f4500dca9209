"""The codec of the line index."""

import pytest

from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES, Codec

CODEC = Codec("run")
LINES = 70_000


def test_a_record_tells_what_was_written() -> None:
    """Line ends before a place, up to one for each byte."""
    for place in (1, 2, 40_000, 1 << 40):
        for lines in (0, 1, place * STRIDE_BYTES):
            record = CODEC.encode(place, lines)
            assert len(record) == RECORD_BYTES
            assert CODEC.decode(place, record) == lines


def test_the_bytes_are_as_documented() -> None:
    """Little-endian: lines, offset, four zeros, a check."""
    assert CODEC.encode(2, 258)[:20] == bytes([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("size", [*range(RECORD_BYTES), RECORD_BYTES + 1])
def test_a_torn_record_tells_nothing(size: int) -> None:
    """Neither the beginning of one, nor one with a byte too many."""
    assert CODEC.decode(1, (CODEC.encode(1, LINES) + b"\0")[:size]) is None


@pytest.mark.parametrize("at", range(RECORD_BYTES))
def test_a_damaged_record_tells_nothing(at: int) -> None:
    """Whichever byte is another."""
    record = bytearray(CODEC.encode(1, LINES))
    record[at] ^= 1
    assert CODEC.decode(1, bytes(record)) is None


def test_a_foreign_record_tells_nothing() -> None:
    """Of another run, of another place, of a hole in the file, or with more lines than bytes."""
    assert CODEC.decode(1, Codec("other").encode(1, LINES)) is None
    assert CODEC.decode(2, CODEC.encode(1, LINES)) is None
    assert CODEC.decode(1, bytes(RECORD_BYTES)) is None
    assert CODEC.decode(1, CODEC.encode(1, STRIDE_BYTES + 1)) is None
