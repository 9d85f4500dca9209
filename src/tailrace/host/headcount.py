"""Numbers that processes add up: for each name, each process has a part, and the sum is what counts.

A process's part is a lock on a stretch of an empty file, as many bytes long as the number is. So whoever wants the sum
asks the system for the locks of others, and of a process that was killed nothing is left to be counted. The locks are
those of an open file (fcntl(2), F_OFD_SETLK), not of a process: whatever else it opens or closes takes none away. A
fork would share them, so each process opens the file for itself.

Where such locks do not exist, or the file cannot be had, each process counts alone.
"""

import fcntl
import os
import struct
from hashlib import blake2b
from typing import Final

from tailrace.host import lock
from tailrace.host.statedir import StateDir

FILE: Final = "viewers.lock"
"""in the state directory; it stays empty"""
PARTS: Final = 1 << 10
"""processes that can count together"""
MOST: Final = (1 << 20) - 1
"""that one of them can count under one name"""
_FLOCK: Final = struct.Struct("@hhqqi4x")
_PART_BYTES: Final = MOST + 1
_NAME_BYTES: Final = PARTS * _PART_BYTES
_FIRST: Final = _NAME_BYTES
"""the first stretch has a byte for each process, by which it has its number"""
_HASH_BYTES: Final = 4


class Headcount:
    """One process's view of the numbers. For one thread at a time.

    Args:
        state: where processes meet that count together.
    """

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._fd = -1
        self._pid = 0
        self._part = 0
        self._own: dict[str, int] = {}

    def put(self, name: str, number: int) -> None:
        """Have this process's part be the number, from 0 to `MOST`."""
        if not self._is_open():
            return
        begin, before = self._begin(name, self._part), self._own.get(name, 0)
        number = min(number, MOST)
        if number > before:
            self._lock(fcntl.F_WRLCK, begin + before, number - before)
        elif number < before:
            self._lock(fcntl.F_UNLCK, begin + number, before - number)
        self._own[name] = number
        if not number:
            del self._own[name]

    def others(self, name: str) -> int:
        """Return the sum of the other processes' parts."""
        if not self._is_open():
            return 0
        begin, found = self._begin(name, 0), 0
        stretches = [(begin, begin + _NAME_BYTES)]
        while stretches:
            first, end = stretches.pop()
            if first < end and (held := self._held(first, end - first)) is not None:
                found += held[1] - held[0]
                stretches += [(first, held[0]), (held[1], end)]
        return found

    def close(self) -> None:
        """Count for nothing any more. Safe to repeat."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._pid, self._own = -1, 0, {}

    def _is_open(self) -> bool:
        """Open the file, in this process, and take a number in it; tell whether that worked."""
        if self._pid == os.getpid():
            return self._fd >= 0
        self.close()  # the locks stay those of the process that this was forked from
        self._pid = os.getpid()
        if not hasattr(fcntl, "F_OFD_SETLK"):
            return False
        try:
            self._fd = lock.open_lock(FILE, dir_fd=self._state.fd)
            self._part = next(part for part in range(PARTS) if self._is_free(part))
        except (OSError, StopIteration):
            self.close()
            self._pid = os.getpid()
        return self._fd >= 0

    def _is_free(self, part: int) -> bool:
        try:
            self._lock(fcntl.F_WRLCK, part, 1)
        except (BlockingIOError, PermissionError):  # fcntl(2): EAGAIN or EACCES
            return False
        return True

    def _begin(self, name: str, part: int) -> int:
        number = int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=_HASH_BYTES).digest())
        return _FIRST + number * _NAME_BYTES + part * _PART_BYTES

    def _lock(self, kind: int, begin: int, size: int) -> None:
        fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, begin, size, 0))

    def _held(self, begin: int, size: int) -> tuple[int, int] | None:
        """Return where another open file has a lock within the stretch, from and to; None: nowhere."""
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, begin, size, 0)
        kind, _whence, first, length, _pid = _FLOCK.unpack(fcntl.fcntl(self._fd, fcntl.F_OFD_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else (first, first + length)
