"""Durations and sizes as people write them."""

import pytest

from tailrace.core.quantities import seconds, size_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", 10),
        ("0.5", 0.5),
        ("10s", 10),
        ("500ms", 0.5),
        ("5m", 300),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("2d", 172800),
    ],
)
def test_durations(text: str, expected: float) -> None:
    """Seconds, or numbers with units, one after another."""
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "10 s", "-1", "1e3", "5m3", "s", "\u0661", "1h\n"])
def test_what_is_no_duration(text: str) -> None:
    """The error shows what one looks like."""
    with pytest.raises(ValueError, match="for example 10, 10s"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("4096", 4096), ("10k", 10240), ("1M", 1 << 20), ("1.5GiB", 3 << 29), ("1 kB", 1024), ("1t", 1 << 40)],
)
def test_sizes(text: str, expected: int) -> None:
    """Bytes, by 1024."""
    assert size_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "lots", "-1", "1e3", "1P", "k", "\u0661", "1k\n"])
def test_what_is_no_size(text: str) -> None:
    """The error shows what one looks like."""
    with pytest.raises(ValueError, match="for example 4096, 10k"):
        size_bytes(text)
