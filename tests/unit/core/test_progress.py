"""Progress that a command tells its terminal."""

import pytest

from tailrace.core.progress import Progress, progress_in


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", None),
        (b"40 %", None),
        (b"\x1b]9;4;1;40\x07", Progress("going", 40)),
        (b"\x1b]9;4;1;40\x1b\\ more", Progress("going", 40)),
        (b"\x1b]9;4;1;40", None),
        (b"\x1b]9;4;1;999\x07", Progress("going", 100)),
        (b"\x1b]9;4;1\x07", Progress("going", 0)),
        (b"\x1b]9;4;2;70\x07", Progress("failed", 70)),
        (b"\x1b]9;4;4;70\x07", Progress("paused", 70)),
        (b"\x1b]9;4;3\x07", Progress("unknown")),
        (b"\x1b]9;4;1;10\x07\x1b]9;4;0\x07", Progress("over")),
        (b"\x1b]9;4;1;10\x07 \xff \x1b]9;4;1;20;x\x07", Progress("going", 20)),
        (b"\x1b]9;4;5;10\x07", None),
        (b";4;1;10\x07", None),
    ],
)
def test_the_last_one_counts(data: bytes, expected: Progress | None) -> None:
    """If it is whole; that it is over is told, too."""
    assert progress_in(data) == expected
