"""What the runner has done now and then: pruning, where its settings limit what is kept.

It happens in a process of its own, which may import what it likes; the runner stays small, and never waits for it.
"""

import os
import sys
import time

from tailrace.host.settings import Settings
from tailrace.host.statedir import StateDir

EVERY_S = 60.0
_PROGRAM = "import sys; sys.path[:] = {paths!r}; from tailrace.engine.catalog import tidy; tidy({state!r})"


class Housekeeping:
    """Knows when it is time again."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._settings: Settings | None = None
        self._ended_ns = 0
        self._due_s = 0.0

    def look(self, settings: Settings) -> None:
        """Have the state directory pruned if runs have ended since the last time, at most once a minute.

        New settings are acted on at once; a limit of age, every minute, since runs age by themselves.
        """
        if settings.keep_age_s is settings.keep_count is settings.keep_bytes is None:
            return
        is_new = settings is not self._settings
        if not is_new and time.monotonic() < self._due_s:
            return
        self._settings = settings
        self._due_s = time.monotonic() + EVERY_S
        ended_ns = self._last_end_ns()
        if is_new or ended_ns != self._ended_ns or settings.keep_age_s is not None:
            self._ended_ns = ended_ns
            self._prune()

    def _last_end_ns(self) -> int:
        try:
            return os.stat("ended", dir_fd=self._state.fd).st_mtime_ns
        except FileNotFoundError:
            return 0

    def _prune(self) -> None:
        code = _PROGRAM.format(paths=sys.path, state=self._state.path)
        os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", code], {"LANG": "C.UTF-8"})
