"""The delivery of one viewer's stream in an event loop.

It takes the viewer's steps, one after the other, and puts what they give into a sink; where there is nothing, it waits
for a bell. With a lent transport, at the end of a run, it enrols with the broadcast's fanout instead, and sleeps until
that dismisses it.
"""

import asyncio
from contextlib import AbstractContextManager

from tailrace.core.errors import TailraceError
from tailrace.web.broadcast import NEVER
from tailrace.web.ear import Bell
from tailrace.web.loop.chunks import chunk_of
from tailrace.web.loop.fanout import Fanout
from tailrace.web.loop.hall import Hall
from tailrace.web.loop.sinks import Gone, Lent, LentSink, Sink
from tailrace.web.loop.work import beside_viewers
from tailrace.web.steps import Errand, Leaving, Rest, Stream

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
        "_enrolled",
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
        self._enrolled: Fanout | None = None
        """the fanout that sends in its place meanwhile"""
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
        kind = (self._viewer.wire, "send" if self.sink.lent is None else "lent")
        self._hall.tally.viewers[kind] += 1
        self._hall.tally.begun[kind] += 1
        steps = self._viewer.steps(self)
        is_rung: bool | None = None
        how = "broken"
        try:
            while True:
                if is_rung is None and isinstance(self.sink, LentSink):
                    await self._pass_on(self.sink)
                try:
                    step = steps.send(is_rung)
                except StopIteration:
                    how = "leaving" if self._hall.is_leaving else "complete"
                    return
                is_rung = None
                if not isinstance(step, Rest):
                    await self._do(step)
                    continue
                if await self.sink.settle():
                    self._is_rung = True
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
        if self._enrolled is not None:
            self._enrolled.dismiss(self)
            self.lapse()

    def gone(self) -> None:
        """The client has left: be a head no longer, and see to it."""
        if self._enrolled is not None:
            self._enrolled.dismiss(self)
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

    @property
    def viewer_number(self) -> int:
        """The number of what is sent (`id`)."""
        return id(self._viewer)

    def evict(self) -> None:
        """End the stream of a viewer who may not see it any more."""
        self.sink.evict()
        self.lapse()

    def count_behind(self) -> None:
        """Have the lines counted of what is watched."""
        self._viewer.count_behind()

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
        if isinstance(bell, Fanout) and (self.sink.lent is None or self._viewer.head is None):
            bell.listen(self)

    def deafen(self, bell: Bell) -> None:
        """See `Ear.deafen`."""
        if isinstance(bell, Fanout):
            bell.dismiss(self)
            bell.deafen(self)

    def watching(self) -> AbstractContextManager[None]:
        """See `Ear.watching`."""
        return self._hall.watching()

    def is_leaving(self) -> bool:
        """See `Ear.is_leaving`."""
        return self._hall.is_leaving

    # What the fanout needs

    @property
    def fd(self) -> int:
        """See `Head.fd`."""
        return self._lent().fileno()

    def write_rest(self, data: bytes) -> None:
        """See `Head.write_rest`."""
        self._lent().write(data)

    @property
    def heartbeat(self) -> bytes:
        """See `Head.heartbeat`."""
        return chunk_of(self._viewer.heartbeat())

    @property
    def heartbeat_s(self) -> float:
        """See `Head.heartbeat_s`."""
        return self._viewer.heartbeat_s

    def _lent(self) -> Lent:
        assert self.sink.lent is not None  # noqa: S101  # nosec B101 # for mypy
        return self.sink.lent

    async def _pass_on(self, sink: LentSink) -> None:
        """Have what lies ahead go to the viewer as it is, where that is possible."""
        while (passage := self._viewer.passage()) is not None:
            self._hall.tally.sent_bytes += passage.end - passage.begin
            await sink.pass_on(passage, self._viewer.pass_on)

    async def _do(self, step: bytes | Errand) -> None:
        size_bytes = 0
        if isinstance(step, Errand):
            await beside_viewers(step.work)
        elif step:
            size_bytes = len(step)
            self._hall.tally.sent_bytes += size_bytes
            await self.sink.put(step)
        if self._viewer.is_reading:
            await self._hall.turn(size_bytes)

    def _doze(self, timeout_s: float) -> asyncio.Future[None]:
        """Return what is done when the bell rings, or after so long; as a head, when that is over."""
        loop = self._hall.loop
        self._woken = woken = loop.create_future()
        head = self._viewer.head
        if head is not None and isinstance(head.bell, Fanout) and self.sink.lent is not None:
            self._enrolled = head.bell
            head.bell.enrol(self, head)
        elif timeout_s < NEVER:
            self._timer = loop.call_later(timeout_s, self.lapse)
        return woken

    def _stir(self) -> None:
        self._woken = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._enrolled is not None:
            self._enrolled.dismiss(self)
            self._enrolled = None
