"""All viewers of one event loop."""

import asyncio
import os
import threading
from collections import deque
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from tailrace.follow.loop import LoopWatchers
from tailrace.follow.watch import using
from tailrace.web.loop.tally import Tally
from tailrace.web.worker import is_told_to_stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailrace.web.loop.delivery import Delivery

LOOK_S = 0.25
"""between two looks at the server, whether it is stopping"""
LEAVE_S = 0.5
"""for viewers to take the rest, when the server is stopping"""
SWEEP_S = 5.0
"""between two looks for viewers that take nothing; and what others watch is counted on"""


class Hall:
    """Made for a loop on first use; for its thread, but for `soon`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.number = id(loop)
        self.deliveries: set[Delivery] = set()
        self.tally = Tally()
        self.is_leaving = False
        self._thread = threading.get_ident()
        self._watchers = LoopWatchers(loop)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_turning = False
        self._looking: asyncio.TimerHandle | None = None
        self._swept = self._look_due = loop.time()

    def add(self, delivery: "Delivery") -> None:
        """Have it woken when the server leaves, and ended when it stalls."""
        self.deliveries.add(delivery)
        if self._looking is None:
            self._look_again()

    def remove(self, delivery: "Delivery") -> None:
        """Forget it; safe to repeat. With the last one, the hall lets go of everything."""
        self.deliveries.discard(delivery)
        if not self.deliveries:
            if self._looking is not None:
                self._looking.cancel()
                self._looking = None
            self._watchers.tidy()

    def watching(self) -> AbstractContextManager[None]:
        """Have what is subscribed to within the context be rung in this loop."""
        return using(self._watchers)

    def soon(self, call: "Callable[[], None]") -> None:
        """Do it now, if this is the loop's thread, or else there."""
        if threading.get_ident() == self._thread:
            call()
            return
        try:
            self.loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def leave(self) -> None:
        """End all streams that may end at any time, now and whenever one begins: the server is stopping."""
        self.is_leaving = True
        for delivery in list(self.deliveries):
            delivery.wake()
        self.loop.call_later(LEAVE_S, self._evict)

    async def turn(self) -> None:
        """Wait until it is this viewer's turn to read by itself.

        One reads in each round of the loop, so that however many there are, and however much they have to catch up
        with, all others are served in between.
        """
        turn = self.loop.create_future()
        self._waiting.append(turn)
        if not self._is_turning:
            self._is_turning = True
            self.loop.call_soon(self._next)
        await turn

    def _evict(self) -> None:
        """End the streams of those who do not even take what was written."""
        for delivery in list(self.deliveries):
            delivery.sink.evict()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        if self._waiting:
            self.loop.call_soon(self._next)
        else:
            self._is_turning = False

    def _look_again(self) -> None:
        self._look_due = self.loop.time() + LOOK_S
        self._looking = self.loop.call_at(self._look_due, self._look)

    def _look(self) -> None:
        self.tally.loop_lag.add(max(0.0, self.loop.time() - self._look_due))
        self._look_again()
        if not self.is_leaving and is_told_to_stop():
            self.leave()
        now = self.loop.time()
        if now - self._swept >= SWEEP_S:
            self._swept = now
            for delivery in list(self.deliveries):
                delivery.look_if_stalled(now)
                delivery.count_behind()


_halls: Final[dict[int, Hall]] = {}


def hall_of(loop: asyncio.AbstractEventLoop) -> Hall:
    """Return the loop's hall. For its thread."""
    hall = _halls.get(id(loop))
    if hall is None:
        for number in [number for number, other in _halls.items() if other.loop.is_closed()]:
            del _halls[number]
    if hall is None or hall.loop is not loop:
        hall = _halls[id(loop)] = Hall(loop)
        hall.is_leaving = is_told_to_stop()
    return hall


def halls() -> list[Hall]:
    """Return those of the loops of this process that run, or may."""
    return [hall for hall in list(_halls.values()) if not hall.loop.is_closed()]


os.register_at_fork(after_in_child=_halls.clear)
