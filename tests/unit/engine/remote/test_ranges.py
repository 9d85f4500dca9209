from hypothesis import given
from hypothesis import strategies as st

from tailrace.engine.remote.ranges import AHEAD_BYTES, Ranges

OUTPUT = bytes(range(256)) * 64
PIECE = 64 << 10


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 900)), max_size=30), st.integers(0, len(OUTPUT)))
def test_every_piece_has_its_bytes(steps: list[tuple[int, int]], size: int) -> None:
    """Whatever lies between two pieces, and however much is known to be there; never beyond it."""
    asked: list[tuple[int, int]] = []

    def fetch(begin: int, end: int) -> bytes:
        asked.append((begin, end))
        return OUTPUT[begin:end]

    ranges, at, needed = Ranges(fetch), 0, size
    for skipped, length in steps:
        begin, end = at + skipped, at + skipped + length
        if end > len(OUTPUT):
            break
        assert ranges.get(begin, end, size) == OUTPUT[begin:end]
        at, needed = end, max(needed, end)
    assert all(begin < end <= needed for begin, end in asked)


def test_neighbours_are_fetched_ahead() -> None:
    """A binary output takes a few requests; odd pieces here and there take no more than themselves."""
    asked: list[int] = []

    def fetch(begin: int, end: int) -> bytes:
        asked.append(end - begin)
        return bytes(end - begin)

    ranges = Ranges(fetch)
    for begin in range(0, 100 * PIECE, PIECE):
        ranges.get(begin, begin + PIECE, 100 * PIECE)
    assert len(asked) < 15
    assert max(asked) == AHEAD_BYTES
    asked.clear()
    for begin in range(200 * PIECE, 300 * PIECE, 10 * PIECE):
        ranges.get(begin, begin + 10, 400 * PIECE)
    assert asked == [10] * 10
