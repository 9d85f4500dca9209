"""Locks that live exactly as long as the processes that hold them.

Open-file-description locks (fcntl(2), F_OFD_SETLK): a forked child shares its parent's, so a runner can hand a run's
lock to the keeper without letting go; and one can ask whether a lock is held without ever taking it. Elsewhere
flock(2), where asking takes it for an instant.
"""

import errno
import fcntl
import os
import struct

_FLOCK = struct.Struct("@hhqqi4x")
_BUSY = (errno.EACCES, errno.EAGAIN)


def open_lock(name: str, *, dir_fd: int) -> int:
    """Open the lock file, making it if needed; the caller closes it.

    Raises:
        OSError: it cannot be made or opened.
    """
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=dir_fd)


def try_lock(fd: int) -> bool:
    """Take the lock if nobody has it; False if somebody does."""
    try:
        if hasattr(fcntl, "F_OFD_SETLK"):
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def share_lock(fd: int) -> None:
    """Hold the lock together with others, until the file is closed.

    Raises:
        OSError: somebody has it alone.
    """
    if hasattr(fcntl, "F_OFD_SETLK"):
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    else:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_locked(fd: int) -> bool:
    """Tell whether another open file holds the lock."""
    if hasattr(fcntl, "F_OFD_GETLK"):
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
    if not try_lock(fd):
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False
