"""A stream of numbered, time-stamped pieces, to learn what stands between this server and whoever watches.

It is framed, headed and driven as the output of a run is, and no command runs: pieces at equal distances, then a
silence, in which only heartbeats come, on the wires that have them, and one more piece behind it. Each piece tells when
it was sent, in seconds since the stream began. `tailrace doctor` asks for it.

It is no way to load a server: a piece is a short line, a stream is bounded, and so is how many there are at once.
"""

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from tailrace.core import ids
from tailrace.core.outcome import Exited
from tailrace.core.piece import Chunk
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.timeline import Stream as Source
from tailrace.core.wires import Framer
from tailrace.web.ear import Bell, Ear
from tailrace.web.pace import HEARTBEAT_S
from tailrace.web.steps import Leaving, Rest, Steps, Stream

MOST_PIECES: Final = 100
LONGEST_S: Final = 180.0
"""that a whole stream may take: longer than any proxy's usual patience"""
AT_ONCE: Final = 16
"""streams in a process"""
SHORTEST_S: Final = 0.02
"""between two pieces"""

_places: Final = threading.BoundedSemaphore(AT_ONCE)


class Plan(NamedTuple):
    """What comes when."""

    pieces: int = 10
    """before the silence; one more comes behind it"""
    every_s: float = 0.3
    silence_s: float = 0.3
    heartbeat_s: float = HEARTBEAT_S

    @property
    def total_s(self) -> float:
        """How long it takes."""
        return self.pieces * self.every_s + self.silence_s

    def times_s(self) -> Iterator[float]:
        """Yield when each piece is due."""
        for number in range(1, self.pieces + 1):
            yield number * self.every_s
        yield self.total_s


def enter() -> bool:
    """Take a place, which a `Probe` gives back when it is closed; False if none is free."""
    return _places.acquire(blocking=False)


class Probe(Stream):
    """One stream, in a place that was taken by `enter`.

    Args:
        framer: of its wire.
        probe_id: an id like that of a run.
        plan: what comes when.

    Attributes:
        is_complete: whether the last piece has been given.
    """

    def __init__(self, framer: Framer, probe_id: str, plan: Plan) -> None:
        self.is_complete = False
        self._framer = framer
        self._info = RunInfo(
            id=probe_id, command=None, argv=(), state=State.RUNNING, outcome=None, created=datetime.now(UTC)
        )
        self._plan = plan
        self._offset = self._sent = 0
        self._begun = self._beat_due = 0.0
        self._ear: Ear | None = None
        self._bell: Bell | None = None
        self._has_place = True

    def steps(self, ear: Ear) -> Steps:
        """See `Stream.steps`."""
        self._begun = time.monotonic()
        yield self._framer.begin(self._info)
        self._listen(ear)
        for due_s in self._plan.times_s():
            while (step := self._until(self._begun + due_s)) is not None:
                yield step
                if ear.is_leaving():
                    if self.aborts:
                        raise Leaving("the server is stopping")
                    return
            yield self._piece()
        self.is_complete = True
        yield self._framer.end(msgspec.structs.replace(self._info, state=State.FINISHED, outcome=Exited(0)))

    def close(self) -> None:
        """See `Stream.close`."""
        if self._ear is not None and self._bell is not None:
            self._ear.deafen(self._bell)
            self._bell.close()
        if self._has_place:
            _places.release()
        self._ear = self._bell = None
        self._has_place = False

    @property
    def wire(self) -> str:
        """See `Stream.wire`."""
        return self._framer.name

    @property
    def aborts(self) -> bool:
        """See `Stream.aborts`."""
        return self._framer.aborts

    @property
    def heartbeat_s(self) -> float:
        """See `Stream.heartbeat_s`."""
        return self._plan.heartbeat_s

    def heartbeat(self) -> bytes:
        """See `Stream.heartbeat`."""
        return self._framer.heartbeat()

    def _listen(self, ear: Ear) -> None:
        """Have a bell, which only the server's leaving rings."""
        self._ear = ear
        self._bell = ear.make_bell()
        ear.listen(self._bell)
        self._beat_due = time.monotonic() + self._plan.heartbeat_s

    def _until(self, due: float) -> bytes | Rest | None:
        """Return what is to be done before the next piece; None when that is due."""
        now = time.monotonic()
        if now >= due:
            return None
        if now >= self._beat_due:
            self._beat_due = now + self._plan.heartbeat_s
            if beat := self._framer.heartbeat():
                return beat
        return Rest(min(due, self._beat_due) - now)

    def _piece(self) -> bytes:
        now = time.monotonic()
        self._beat_due = now + self._plan.heartbeat_s
        self._sent += 1
        data = f"piece {self._sent} at {now - self._begun:.3f} s\n".encode()
        chunk = Chunk(self._offset, data, Source.STDOUT, now - self._begun)
        self._offset = chunk.end
        return self._framer.output(chunk) + self._framer.flush()


def make_id() -> str:
    """Return a new id for a stream, by which it is known from a copy out of a cache."""
    return ids.make(time.time_ns() // 1000, os.urandom(ids.RANDOM_BYTES))
