"""What is counted in a hall, for whoever looks after the server."""

from bisect import bisect_left
from collections import Counter
from typing import Final

BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""of the histograms' buckets; the last one has no bound"""


class Histogram:
    """Durations, in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self.sum_s += duration_s


class Tally:
    """One hall's. Everything only grows, but for `viewers`."""

    def __init__(self) -> None:
        self.viewers: Counter[tuple[str, str]] = Counter()
        """now, by wire and path: `lent` or `send`"""
        self.begun: Counter[tuple[str, str]] = Counter()
        """in all, likewise"""
        self.ends: Counter[str] = Counter()
        """by how a stream ended: `complete`, `left`, `stalled`, `leaving`, `broken`"""
        self.sent_bytes = 0
        self.fanout = Histogram()
        """from waking up until all heads of a run have been sent what is new"""
        self.loop_lag = Histogram()
        """how late the loop does what was due"""
