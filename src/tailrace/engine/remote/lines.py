"""Where the lines of an output on a server begin: the server counts them."""

import msgspec

from tailrace.core.errors import EngineError, InvalidInput
from tailrace.core.piece import Counted, Spot
from tailrace.engine.remote.answers import error_of
from tailrace.engine.remote.connections import Connections

OK = 200


class _Line(msgspec.Struct):
    offset: int


class _Page(msgspec.Struct):
    """What is used of an answer."""

    start: int
    lines: list[_Line]
    total: int | None
    size: int


_PAGES = msgspec.json.Decoder(_Page)


class RemoteLines:
    """See `Lines`; each question is a request."""

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

    def count(self, limit_bytes: int | None = None) -> Counted:  # noqa: ARG002  how far it counts at once, the server says
        """See `Lines.count`; this counts to the end."""
        while (page := self._page("start=1&count=0")).total is None:
            pass  # each request counts on, some way
        return Counted(page.total, page.size, page.size)

    def _spot(self, where: str) -> Spot:
        page = self._page(f"{where}&count=1")
        return Spot(page.start, page.lines[0].offset if page.lines else page.size)

    def _page(self, query: str) -> _Page:
        reply = self._connections.get(f"/api/runs/{self._run_id}/lines?{query}")
        if reply.status != OK:
            raise error_of(reply, op="read", subject=self._run_id)
        try:
            return _PAGES.decode(reply.body)
        except msgspec.MsgspecError as error:
            raise EngineError(
                f"the server's answer makes no sense: {error}",
                op="read",
                subject=self._run_id,
                hint="see that this is the address of a Tailrace server, and what stands between",
            ) from None
