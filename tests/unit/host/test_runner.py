"""What a runner tells whoever started it."""

import os

import pytest

from tailrace.host.runner import _tell


def test_who_waits_is_told() -> None:
    """And the pipe is closed."""
    ours, theirs = os.pipe()
    _tell(theirs, b"ready\n")
    assert os.read(ours, 100) == b"ready\n"
    assert os.read(ours, 100) == b""
    os.close(ours)


def test_who_waits_no_more_changes_nothing() -> None:
    """On a machine so busy that he has given up, the runner is there for the next one."""
    ours, theirs = os.pipe()
    os.close(ours)
    _tell(theirs, b"ready\n")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(theirs)
