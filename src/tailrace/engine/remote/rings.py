"""The ring of a cursor: called when there is news, and when it asked to be."""

import threading
import time

from tailrace.engine.base import Ring


class Rings:
    """Calls one ring, from the thread that has news, or from one that counts the time when the ring asks for that."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ring: Ring | None = None
        self._due: float | None = None
        self._has_clock = False

    def listen(self, ring: Ring) -> None:
        """Call `ring` now, and from now on instead of any other."""
        with self._changed:
            self._ring = ring
        self.ring()

    def ring(self) -> None:
        """Call it, if there is one."""
        with self._changed:
            if self._ring is None:
                return
            again_s = self._ring()
            if again_s is not None:
                self._set_clock(time.monotonic() + again_s)

    def close(self) -> None:
        """Call it no more: not after this has returned."""
        with self._changed:
            self._ring = None
            self._changed.notify_all()

    def _set_clock(self, due: float) -> None:
        self._due = due if self._due is None else min(due, self._due)
        if not self._has_clock:
            self._has_clock = True
            threading.Thread(target=self._count, name="tailrace ring", daemon=True).start()
        self._changed.notify_all()

    def _count(self) -> None:
        with self._changed:
            while self._ring is not None:
                left_s = None if self._due is None else self._due - time.monotonic()
                if left_s is None or left_s > 0:
                    self._changed.wait(left_s)
                else:
                    self._due = None
                    self.ring()  # the lock is one that its holder may take again
            self._has_clock = False
