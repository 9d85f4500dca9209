"""The stop ladder, climbed: data in rows, and the instants at which the next one is due."""

import signal

from tailrace.core import outcome
from tailrace.core.spec import Rung

AGAIN_NS = 100_000_000
SELDOM_NS = 1_000_000_000
"""between two kills, while something is left: often at first, then seldom"""


class Ladder:
    """Rows of (signal, seconds) and where we are on them. After the last row comes KILL, again and again."""

    def __init__(self, rows: tuple[Rung, ...], now_ns: int) -> None:
        """Begin to climb now."""
        self._rows = [(outcome.signal_number(row.signal), row.seconds) for row in rows]
        self.due_ns = now_ns
        self.killed_ns: int | None = None
        """when the first KILL went out"""

    def take(self, now_ns: int) -> int | None:
        """Return the signal that is due now, or None; the next one is due at `due_ns`."""
        if now_ns < self.due_ns:
            return None
        number, seconds = self._rows.pop(0) if self._rows else (int(signal.SIGKILL), 0.0)
        if number == signal.SIGKILL:
            self._rows.clear()
            self.killed_ns = self.killed_ns or now_ns
            self.due_ns = now_ns + min(SELDOM_NS, max(AGAIN_NS, (now_ns - self.killed_ns) // 2))
        else:
            self.due_ns = now_ns + round(seconds * 1e9)
        return number

    def hurry(self, now_ns: int) -> None:
        """Make the next rung due now."""
        self.due_ns = min(self.due_ns, now_ns)


def sweep(rows: tuple[Rung, ...]) -> tuple[Rung, ...]:
    """Return the rows for children that a command left behind: without INT, which is for who is talked to."""
    return tuple(row for row in rows if row.signal != "INT")
