"""Where the last lines begin."""

import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.piece import Reach
from tailrace.follow import tail


def naive(data: bytes, lines: int) -> int:
    """Return the same from the whole, forwards."""
    if lines <= 0:
        return len(data)
    whole = data.split(b"\n")
    parts = [part + b"\n" for part in whole[:-1]] + ([whole[-1]] if whole[-1] else [])
    return len(b"".join(parts[:-lines]))


def found(data: bytes, size: int, lines: int) -> int:
    """Return what the module finds in a real file."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return tail.start_of_last_lines(file.fileno(), size, lines)


@pytest.mark.parametrize("block", [1, 2, 3, 64])
@given(
    data=st.lists(st.sampled_from([b"\n", b"a", b"\r", b"\xff", b"abc"]), max_size=40).map(b"".join),
    lines=st.integers(-1, 45),
)
def test_it_is_what_a_naive_reader_finds(block: int, data: bytes, lines: int) -> None:
    """Whatever the lines, and wherever the blocks are cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "BLOCK_BYTES", block)
        assert found(data, len(data), lines) == naive(data, lines)


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 5))
def test_bytes_beyond_the_size_do_not_count(data: bytes, size: int, lines: int) -> None:
    """The file may have grown since."""
    size = min(size, len(data))
    assert found(data, size, lines) == naive(data[:size], lines)


def test_a_line_may_be_longer_than_any_block() -> None:
    """Lines of a megabyte."""
    data = (b"x" * (1 << 20) + b"\n") * 3
    assert found(data, len(data), 2) == (1 << 20) + 1
    assert found(data, len(data), 99) == 0


def test_nothing_has_no_lines() -> None:
    """Neither a file of nothing, nor the first nothing of a file."""
    assert found(b"", 0, 5) == 0
    assert found(b"abc", 0, 5) == 0


@given(
    st.lists(st.sampled_from([b"\n", b"a", b"\r"]), max_size=30).map(b"".join),
    st.integers(1, 30),
    st.integers(1, 5),
    st.integers(0, 40),
)
def test_lines_before_an_offset(data: bytes, offset: int, lines: int, limit: int) -> None:
    """As many as are wanted, and begin within what may be read."""
    offset = min(offset, len(data) + 1)
    begins = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10 and at + 1 < offset)]
    lowest = max(0, offset - 1 - limit)
    found = [begin for begin in begins[-lines:] if begin > lowest or begin == 0 == lowest]
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        reach = tail.lines_before(file.fileno(), offset, lines, limit)
    assert reach == Reach(len(found), found[0] if found else offset)
