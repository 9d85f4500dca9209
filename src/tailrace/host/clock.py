"""Times of a run: measured on the monotonic clock, shown on the wall clock of the instant it was created.

A wall clock that jumps therefore changes nothing in a run: not its duration, not the order of anything in it.
"""

import time
from datetime import UTC, datetime

from tailrace.core.spec import Anchor
from tailrace.host import linux


def anchor() -> Anchor:
    """Return this instant on both clocks."""
    return Anchor(time.time_ns() // 1000, time.monotonic_ns() // 1000, linux.boot_id())


class Clock:
    """Shows monotonic instants as wall time, through one anchor."""

    def __init__(self, at: Anchor) -> None:
        """Use the anchor, or this instant if the anchor is of another boot."""
        self._at = at if at.boot == linux.boot_id() else anchor()

    def wall(self, monotonic_ns: int | None = None) -> datetime:
        """Return the wall time of a monotonic instant, by default of now."""
        monotonic_us = (time.monotonic_ns() if monotonic_ns is None else monotonic_ns) // 1000
        unix_us = self._at.wall_us + monotonic_us - self._at.monotonic_us
        return datetime.fromtimestamp(unix_us // 1_000_000, UTC).replace(microsecond=unix_us % 1_000_000)
