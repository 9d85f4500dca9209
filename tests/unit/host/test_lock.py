"""Locks that live as long as who holds them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.host import lock


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    """Give a descriptor of an empty directory."""
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_one_holds_it(directory: int) -> None:
    """A second open file of the same process does not get it; closing the first gives it back."""
    first, second = (lock.open_lock("lock", dir_fd=directory) for _ in range(2))
    assert lock.try_lock(first)
    assert lock.try_lock(first)
    assert not lock.try_lock(second)
    os.close(first)
    assert lock.try_lock(second)
    os.close(second)


def test_asking_takes_nothing(directory: int) -> None:
    """One can tell whether it is held without ever holding it; one's own does not count."""
    holder, asker, other = (lock.open_lock("lock", dir_fd=directory) for _ in range(3))
    assert not lock.is_locked(asker)
    assert lock.try_lock(holder)
    assert lock.is_locked(asker)
    assert not lock.is_locked(holder)
    os.close(holder)
    assert not lock.is_locked(asker)
    assert lock.try_lock(other)
    for fd in (asker, other):
        os.close(fd)


def test_it_passes_to_a_forked_child(directory: int) -> None:
    """A runner hands it to a keeper without letting go: it is held until the last of both has ended."""
    held, asker = (lock.open_lock("lock", dir_fd=directory) for _ in range(2))
    assert lock.try_lock(held)
    gate_out, gate_in = os.pipe()
    pid = os.posix_spawn(
        "/bin/sh", ["sh", "-c", "read line"], {}, file_actions=[
            (os.POSIX_SPAWN_DUP2, gate_out, 0), (os.POSIX_SPAWN_DUP2, held, 9), (os.POSIX_SPAWN_CLOSE, gate_in),
        ],
    )  # fmt: skip
    os.close(held)
    assert lock.is_locked(asker)
    os.write(gate_in, b"\n")
    os.waitpid(pid, 0)
    assert not lock.is_locked(asker)
    for fd in (asker, gate_in, gate_out):
        os.close(fd)


def test_it_is_no_link(directory: int, tmp_path: Path) -> None:
    """A lock is never taken on somebody else's file."""
    (tmp_path / "lock").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        lock.open_lock("lock", dir_fd=directory)
    assert not (tmp_path / "elsewhere").exists()
