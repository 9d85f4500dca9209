"""Where the lines of an output on a server begin: the server counts them.

It makes nobody wait until a long output has been counted, but says that it does not know yet. Who has to know asks
again.
"""

import time

import msgspec

from tailrace.core.errors import InvalidInput
from tailrace.core.piece import Counted, Reach, Spot
from tailrace.engine.remote.answers import read
from tailrace.engine.remote.connections import Connections

OK = 200
PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
"""between two questions: the first, and the longest"""
MOST = 5000
"""lines that a server gives at a time"""


class _Line(msgspec.Struct):
    inside: bool = False


class _Page(msgspec.Struct):
    """What is used of an answer."""

    start: int
    lines: list[_Line]
    begin: int | None
    total: int | None
    counted: int
    size: int


_PAGES = msgspec.json.Decoder(_Page)


class RemoteLines:
    """See `Lines`; each question is a request, or several while the server counts."""

    def __init__(self, connections: Connections, run_id: str) -> None:
        self._connections = connections
        self._run_id = run_id

    def size(self) -> int:
        """See `Lines.size`."""
        return self._page("start=1&count=0").size

    def begin(self, line: int) -> int:
        """See `Lines.begin`."""
        if line < 1:
            raise InvalidInput(
                f"there is no line {line}", op="read", subject=self._run_id, hint="lines are counted from 1"
            )
        return self._spot(f"start={line}").offset

    def at(self, offset: int) -> Spot:
        """See `Lines.at`."""
        if offset < 0:
            raise InvalidInput(
                "the offset is below 0", op="read", subject=self._run_id, hint="it counts bytes from the start"
            )
        return self._spot(f"at={offset}")

    def at_time(self, time_s: float) -> Spot:
        """See `Lines.at_time`."""
        return self._spot(f"time={time_s:.6f}")

    def count(self, limit_bytes: int | None = None) -> Counted:
        """See `Lines.count`; how much is counted for one question, the server says."""
        page, pause_s = self._page("start=1&count=0"), PAUSE_S
        while page.total is None and limit_bytes is None:
            pause_s = _pause(pause_s)
            page = self._page("start=1&count=0")
        if page.total is not None:
            return Counted(page.total, page.size, page.size)
        spot = self._spot(f"at={page.counted}")
        return Counted(spot.line - (spot.offset == page.counted), page.counted, page.size)

    def back(self, offset: int, lines: int, limit_bytes: int) -> Reach:  # noqa: ARG002  how far it looks, the server says
        """See `Lines.back`; at most as many lines as one page has."""
        page = self._page(f"before={offset}&count={min(lines, MOST)}")
        if page.begin is None or not page.lines or page.lines[0].inside:
            return Reach(0, offset)
        return Reach(len(page.lines), page.begin)

    def offset_at(self, time_s: float) -> int:
        """See `Lines.offset_at`; the place where a line begins."""
        return self._page(f"time={time_s:.6f}&count=0").begin or 0

    def _spot(self, where: str) -> Spot:
        """Return what is known of a place, as soon as that has been counted."""
        pause_s = PAUSE_S
        while True:
            page = self._page(f"{where}&count=0")
            if page.start > 0 and page.begin is not None:
                return Spot(page.start, page.begin)
            pause_s = _pause(pause_s)

    def _page(self, query: str) -> _Page:
        reply = self._connections.get(f"/api/runs/{self._run_id}/lines?{query}")
        return read(reply, _PAGES, self._run_id)


def _pause(seconds: float) -> float:
    """Wait so long; return for how long the next time."""
    time.sleep(seconds)
    return min(2 * seconds, LONGEST_PAUSE_S)
