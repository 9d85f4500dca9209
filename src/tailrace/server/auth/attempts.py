"""Logins that failed, and how long the next one has to wait: longer each time, whichever worker is asked.

A file of fixed size has a record for each of so many numbers; whoever fails is a number by a keyed hash, so nobody can
fill a disk with names, or know who shares his record. A success clears those of the name, but not the address's: one
who has an account of his own would else guess at others' for ever.
"""

import hashlib
import hmac
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from tailrace.server.auth.vault import Vault

FILE: Final = "attempts"
RECORDS: Final = 8192
FORGOTTEN_S: Final = 24 * 3600.0
"""after which nothing is held against anybody"""
_RECORD: Final = struct.Struct("<Id")
"""how often in a row, and when the last time"""


class Pace(NamedTuple):
    """How a kind of failures is slowed."""

    free: int
    """that cost nothing"""
    most_s: float
    """that the next may have to wait"""


PACES: Final = {
    "user at address": Pace(free=4, most_s=900.0),
    "address": Pace(free=20, most_s=900.0),
    "user": Pace(free=50, most_s=30.0),  # short: anybody can fail in a user's name, who is not to be kept out by it
}


class Attempts:
    """All that failed.

    Args:
        vault: where they are kept.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def begin(self, user: str, address: str) -> float:
        """Count an attempt as failed, until it is known to be right; or return how many seconds it has to wait.

        Counting comes first, so that many at the same moment are many.

        Raises:
            EngineError: the file cannot be used.
        """
        now = time.time()
        with self._records() as fd:
            kinds = list(self._kinds(user, address))
            wait_s = max(self._wait_s(fd, at, pace, now) for at, pace in kinds)
            if wait_s > 0:
                return wait_s
            for at, _pace in kinds:
                _write(fd, at, _read(fd, at, now)[0] + 1, now)
        return 0.0

    def succeed(self, user: str, address: str) -> None:
        """Take back what `begin` has counted, and forget what was held against the user.

        Raises:
            EngineError: the file cannot be used.
        """
        now = time.time()
        with self._records() as fd:
            for at, pace in self._kinds(user, address):
                is_address = pace is PACES["address"]
                count, last = _read(fd, at, now)
                _write(fd, at, max(0, count - 1) if is_address else 0, last)

    def _wait_s(self, fd: int, at: int, pace: Pace, now: float) -> float:
        count, last = _read(fd, at, now)
        if count < pace.free:
            return 0.0
        return last + min(pace.most_s, 2.0 ** min(count - pace.free, 20)) - now

    def _kinds(self, user: str, address: str) -> Iterator[tuple[int, Pace]]:
        secret = self._vault.secret()
        parts = {"user at address": f"{user}\n{address}", "address": address, "user": user}
        for kind, text in parts.items():
            digest = hmac.digest(secret, f"{kind}\n{text}".encode(), hashlib.sha256)
            yield int.from_bytes(digest[:8], "big") % RECORDS * _RECORD.size, PACES[kind]

    @contextmanager
    def _records(self) -> Iterator[int]:
        with self._vault.locked(FILE) as fd:
            if os.fstat(fd).st_size < RECORDS * _RECORD.size:
                os.ftruncate(fd, RECORDS * _RECORD.size)
            yield fd


def _read(fd: int, at: int, now: float) -> tuple[int, float]:
    count, last = _RECORD.unpack(os.pread(fd, _RECORD.size, at))
    return (count, last) if 0 <= now - last < FORGOTTEN_S else (0, now)


def _write(fd: int, at: int, count: int, last: float) -> None:
    os.pwrite(fd, _RECORD.pack(min(count, 1 << 30), last), at)
