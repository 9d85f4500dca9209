"""A watcher that an event loop turns: who is rung, is rung in the loop's thread.

It exists only while something is watched: with the last subscription it lets go of its descriptor, so loops that come
and go leave nothing behind. For the loop's thread alone.
"""

import asyncio

from tailrace.follow.backends import Backend, Polling, native
from tailrace.follow.watch import Kind, Watcher


class LoopWatcher(Watcher):
    """Turned by an event loop, when its backend's descriptor is readable, and by due times."""

    def __init__(self, backend: Backend, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(backend)
        self._loop = loop
        self._is_running = False
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Take no more turns, and let go of the descriptor."""
        if self._timer is not None:
            self._timer.cancel()
        if self._is_running and self._backend.fd >= 0 and not self._loop.is_closed():
            self._loop.remove_reader(self._backend.fd)
        self._is_running = False
        self._backend.close()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is subscribed."""
        return not self._watched

    def _begin(self) -> None:
        if not self._is_running:
            if self._backend.fd >= 0:
                self._loop.add_reader(self._backend.fd, self._turn, True)
            self._is_running = True

    def _wake(self) -> None:
        self._after(0.0)

    def _turn(self, is_announced: bool) -> None:  # noqa: FBT001  the loop calls it so
        left_s = self.turn(is_announced=is_announced)
        if left_s is not None:
            self._after(left_s)

    def _after(self, left_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(left_s, self._turn, False)


class LoopWatchers:
    """Those of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._made: dict[Kind, LoopWatcher] = {}

    def of(self, kind: Kind) -> Watcher:
        """See `Watchers.of`."""
        if kind not in self._made:
            self._made[kind] = LoopWatcher(native() if kind == "native" else Polling(), self._loop)
        return self._made[kind]

    def tidy(self) -> None:
        """Close what watches nothing any more."""
        for kind, watcher in list(self._made.items()):
            if watcher.is_idle:
                watcher.close()
                del self._made[kind]
