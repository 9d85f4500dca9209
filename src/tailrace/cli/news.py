"""What is worth saying about a run while it goes: its place in the queue, what holds it up, each rung of the ladder."""

import time
from collections.abc import Callable
from itertools import pairwise

from tailrace.cli import words
from tailrace.core.run import RunInfo
from tailrace.core.spec import Rung
from tailrace.core.states import State


class News:
    """Says each thing once.

    Args:
        say: says one line.
        rows: the run's stop ladder.
        patience_s: how long a run may wait in the queue before that is worth a word.
    """

    def __init__(self, say: Callable[[str], None], rows: tuple[Rung, ...], *, patience_s: float) -> None:
        self._say = say
        self._seconds = {row.signal: (row.seconds, later.signal) for row, later in pairwise(rows)}
        self._patience_until = time.monotonic() + patience_s
        self._place: int | None = None
        self._held: str | None = None
        self._rungs = 0
        self.tells_rungs = False
        """whether somebody here asked for the end, and so wants to see it happen"""
        self.tells_pauses = True
        """whether there is time between the rungs"""

    def tell(self, info: RunInfo) -> None:
        """Say what is new."""
        if info.state is State.QUEUED:
            self._tell_place(info.queue_place)
        if info.held != self._held:
            self._say(f"held up: {info.held}" if info.held else "goes on")
            self._held = info.held
        if self.tells_rungs:
            self._tell_rungs(info)

    def _tell_place(self, place: int | None) -> None:
        if place != self._place and time.monotonic() >= self._patience_until:
            self._place = place
            self._say(f"queued, at place {place}")

    def _tell_rungs(self, info: RunInfo) -> None:
        for step in info.ladder[self._rungs :]:
            seconds, later = self._seconds.get(step.signal, (0.0, ""))
            then = (
                f"; {later} in {words.duration(seconds)}"
                if later and self.tells_pauses and not info.is_finished
                else ""
            )
            self._say(f"sent {words.rung(step)}{then}")
        self._rungs = len(info.ladder)
