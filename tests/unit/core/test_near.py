"""What somebody may have meant."""

import pytest

from tailrace.core.near import near

KNOWN = ("argv", "maximum_size", "text", "required", "timeout")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("timeuot", "timeout"), ("command", "argv"), ("string", "text"), ("max_bytes", "maximum_size")],
)
def test_a_name_that_is_nearly_right_or_from_elsewhere(name: str, meant: str) -> None:
    """One is named, if it is known here."""
    assert near(name, KNOWN) == f"did you mean {meant!r}?"


def test_a_name_that_means_nothing() -> None:
    """All are named; also where what is meant elsewhere is not known here."""
    assert near("zzz", KNOWN) == "one of: argv, maximum_size, text, required, timeout"
    assert near("tty", KNOWN).startswith("one of: ")
    assert near("zzz", (), otherwise="declare it") == "declare it"
