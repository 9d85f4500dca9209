"""Whether anybody watches a run that is to end without viewers: each of them has a lock on its file `viewers`."""

import os

from tailrace.host import lock
from tailrace.host.rundir import RunDir

UNWATCHED = "the absence of viewers"
"""who has stopped such a run"""
LOOK_NS = 250_000_000
"""at most, between two looks"""


class Audience:
    """Looked at now and then by the keeper.

    Args:
        run: the run; it must stay open.
        limit_ns: for how long nobody may watch.
        begun_ns: the monotonic instant from which on that counts.
    """

    def __init__(self, run: RunDir, limit_ns: int, begun_ns: int) -> None:
        self._run = run
        self._limit_ns = limit_ns
        self._watched_ns = begun_ns
        """when somebody was last seen to watch"""
        self._fd: int | None = None
        self.due_ns: int | None = begun_ns
        """when to look again; None: never"""

    def has_left(self, now: int) -> bool:
        """Look, and tell whether nobody has watched for too long."""
        if self._fd is None:
            self._fd = self._opened()
        if self._fd < 0:
            self.due_ns = None
            return False
        if lock.is_locked(self._fd):
            self._watched_ns = now
        self.due_ns = now + min(LOOK_NS, self._limit_ns)
        return now - self._watched_ns >= self._limit_ns

    def _opened(self) -> int:
        """Open the file; -1 if it was damaged: then nobody can tell, and the run goes on."""
        try:
            return self._run.open("viewers", os.O_RDWR)
        except OSError:
            return -1
