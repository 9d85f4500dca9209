"""Files that were sent along, until their runs have copies: a directory for each request, `STATE/uploads/<random>`.

Who has one holds its lock (flock(2), on the directory itself), which goes with its process. So what a killed process
has left can be told from what is in use, and is removed by the next one that begins, or takes a file.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tailrace.host.statedir import StateDir, names_in

PLACE: Final = "uploads"
LOCK: Final = "uploads.lock"


@contextmanager
def place(state: StateDir) -> Iterator[str]:
    """Have a private directory, which is gone afterwards.

    Raises:
        OSError: it cannot be made.
    """
    path = os.path.join(state.path, PLACE, secrets.token_hex(8))
    with state.exclusively(LOCK):
        _sweep(state)
        os.makedirs(path, mode=0o700)
        fd = _locked(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(fd)


def sweep(state: StateDir) -> int:
    """Remove what killed processes have left, and return how many requests' it was.

    Raises:
        OSError: it cannot be looked at.
    """
    with state.exclusively(LOCK):
        return _sweep(state)


def has_any(state_path: str) -> bool:
    """Tell whether files were ever sent to this state directory, or to what may become one."""
    return os.path.isdir(os.path.join(state_path, PLACE))


def _sweep(state: StateDir) -> int:
    os.makedirs(os.path.join(state.path, PLACE), mode=0o700, exist_ok=True)
    dir_fd = os.open(os.path.join(state.path, PLACE), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return sum(_remove_dead(os.path.join(state.path, PLACE, name)) for name in names_in(dir_fd))
    finally:
        os.close(dir_fd)


def _remove_dead(path: str) -> bool:
    """Remove a directory that nobody holds, and tell whether that was so."""
    try:
        fd = _locked(path)
    except OSError:  # somebody holds it, or it is gone, or none of ours
        return False
    try:
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(fd)
    return True


def _locked(path: str) -> int:
    """Return the directory, locked.

    Raises:
        OSError: somebody else holds it, or it cannot be opened.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd
