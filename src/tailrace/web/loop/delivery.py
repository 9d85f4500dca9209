"""The delivery of one viewer's stream in an event loop.

It takes the viewer's steps, one after the other, and puts what they give into a sink; where there is nothing, it waits
for a bell. With a lent transport, at the end of a run, it enrols with the broadcast's fanout instead, and sleeps until
that dismisses it.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from tailrace.core.errors import TailraceError
from tailrace.web.broadcast import NEVER
from tailrace.web.ear import Bell
from tailrace.web.loop.chunks import chunk_of
from tailrace.web.loop.fanout import Fanout
from tailrace.web.loop.hall import Hall
from tailrace.web.loop.sinks import Gone, Sink
from tailrace.web.steps import Leaving, Rest, Stream

LENT_S = 0.00002
"""what sending to a head costs, about"""
STALL_S = 60.0
"""a viewer that takes nothing for so long is closed"""


class OwnBell:
    """One viewer's own."""

    __slots__ = ("_hall", "_wake")

    def __init__(self, hall: Hall, delivery: "Delivery") -> None:
        self._hall = hall
        self._wake = delivery.wake

    def ring(self) -> None:
        """See `Bell.ring`."""
        self._hall.soon(self._wake)

    def close(self) -> None:
        """See `Bell.close`."""


class Delivery:
    """One viewer's; also its ear, and its head in a fanout. For the loop's thread. `sink` is to be set before `run`."""

    __slots__ = (
        "_bell",
        "_hall",
        "_is_evicted",
        "_is_rung",
        "_taken_at",
        "_timer",
        "_untaken",
        "_viewer",
        "_woken",
        "sink",
    )

    def __init__(self, hall: Hall, viewer: Stream) -> None:
        self.sink: Sink
        self._hall = hall
        self._viewer = viewer
        self._bell: Bell | None = None
        self._is_rung = self._is_evicted = False
        self._woken: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._taken_at = hall.loop.time()
        self._untaken = 0

    async def run(self) -> None:
        """Send everything.

        Raises:
            Gone: the viewer has left, or takes nothing any more.
            Leaving, StreamBroken, EngineError, OSError: see `Stream.steps`.
        """
        self._hall.add(self)
        kind = (self._viewer.name, "send" if self.sink.lent is None else "lent")
        self._hall.tally.viewers[kind] += 1
        self._hall.tally.begun[kind] += 1
        steps = self._viewer.steps(self)
        is_rung: bool | None = None
        how = "broken"
        try:
            while True:
                try:
                    step = steps.send(is_rung)
                except StopIteration:
                    how = "leaving" if self._hall.is_leaving else "complete"
                    return
                is_rung = None
                if not isinstance(step, Rest):
                    await self._put(step)
                    continue
                if not self._is_rung:
                    try:
                        await self._doze(step.timeout_s)
                    finally:
                        self._stir()
                    self.sink.check()
                is_rung, self._is_rung = self._is_rung, False
        except Gone:
            how = "stalled" if self._is_evicted else "left"
            raise
        except Leaving:
            how = "leaving"
            raise
        finally:
            self._hall.tally.viewers[kind] -= 1
            self._hall.tally.ends[how] += 1
            self.close()

    def close(self) -> None:
        """Let go of everything. Safe to repeat."""
        self._viewer.close()
        self.deafen()
        self._hall.remove(self)

    def wake(self) -> None:
        """There may be more."""
        self._is_rung = True
        self.lapse()

    def lapse(self) -> None:
        """Look again, whether there is more or not."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def clogged(self) -> None:
        """The client takes no more: be a head no longer."""
        if self._woken is not None and isinstance(self._bell, Fanout):
            self._bell.dismiss(self)
            self.lapse()

    def look_if_stalled(self, now: float) -> None:
        """End the stream of a viewer that has taken nothing for `STALL_S`."""
        untaken = self.sink.untaken_bytes()
        if untaken == 0 or untaken < self._untaken:
            self._taken_at = now
        self._untaken = untaken
        if now - self._taken_at > STALL_S:
            self._is_evicted = True
            self.sink.evict()

    def lag_bytes(self) -> int:
        """Return how far the viewer is behind; 0 for one that stands at the end. From any thread."""
        if self._woken is not None:
            return 0
        try:
            return self._viewer.lag_bytes()
        except TailraceError:
            return 0

    # What the viewer hears by

    @property
    def hall(self) -> int:
        """See `Ear.hall`."""
        return self._hall.number

    @property
    def member_s(self) -> float:
        """See `Ear.member_s`."""
        return LENT_S

    def make_bell(self) -> Bell:
        """See `Ear.make_bell`."""
        return OwnBell(self._hall, self)

    def make_shared_bell(self) -> Bell:
        """See `Ear.make_shared_bell`."""
        return Fanout(self._hall)

    def listen(self, bell: Bell) -> None:
        """See `Ear.listen`."""
        self.deafen()
        self._bell = bell
        if isinstance(bell, Fanout) and self.sink.lent is None:
            bell.listen(self)

    def deafen(self) -> None:
        """See `Ear.deafen`."""
        if isinstance(self._bell, Fanout):
            self._bell.dismiss(self)
            self._bell.deafen(self)
        self._bell = None

    def watching(self) -> AbstractContextManager[None]:
        """See `Ear.watching`."""
        return self._hall.watching()

    def is_leaving(self) -> bool:
        """See `Ear.is_leaving`."""
        return self._hall.is_leaving

    # What the fanout needs

    @property
    def write(self) -> Callable[[bytes], None]:
        """See `Head.write`."""
        assert self.sink.lent is not None  # noqa: S101  (for mypy)
        return self.sink.lent.write

    @property
    def heartbeat(self) -> bytes:
        """See `Head.heartbeat`."""
        return chunk_of(self._viewer.heartbeat())

    @property
    def heartbeat_s(self) -> float:
        """See `Head.heartbeat_s`."""
        return self._viewer.heartbeat_s

    async def _put(self, data: bytes) -> None:
        if data:
            self._hall.tally.sent_bytes += len(data)
            await self.sink.put(data)
        if self._viewer.is_reading:
            await self._hall.turn()

    def _doze(self, timeout_s: float) -> asyncio.Future[None]:
        """Return what is done when the bell rings, or after so long; as a head, when that is over."""
        loop = self._hall.loop
        self._woken = woken = loop.create_future()
        member, fanout = self._viewer.head, self._bell
        if member is not None and isinstance(fanout, Fanout) and self.sink.lent is not None:
            fanout.enrol(self, member)
        elif timeout_s < NEVER:
            self._timer = loop.call_later(timeout_s, self.lapse)
        return woken

    def _stir(self) -> None:
        self._woken = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if isinstance(self._bell, Fanout):
            self._bell.dismiss(self)
