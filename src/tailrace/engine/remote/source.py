"""The output of one run on a server: opened as a stream of what happens, byte for byte."""

from collections.abc import Iterable
from http.client import HTTPException
from typing import TypeAlias

import msgspec

from tailrace.core.activity import Activity, check_span
from tailrace.core.errors import EngineError, EngineUnavailable, StreamBroken
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import TerminalSize
from tailrace.engine.base import End
from tailrace.engine.remote.answers import error_of, read
from tailrace.engine.remote.connections import Connections, Opened
from tailrace.engine.remote.events import Begun, Ended, Event, EventReader, State, Told
from tailrace.engine.remote.lines import RemoteLines
from tailrace.engine.remote.ranges import Ranges

PARTIAL_CONTENT = 206
OK = 200
EVENTS = "text/event-stream"
_ACTIVITIES = msgspec.json.Decoder(Activity)

Item: TypeAlias = Chunk | Gap | End | RunInfo
"""what happens; a `RunInfo` is the news of a state"""


class Cut(Exception):
    """The stream stopped before the run's end; it can be resumed."""


class Source:
    """One run's output on a server."""

    def __init__(self, connections: Connections, run_id: str) -> None:
        self._connections = connections
        self.run_id = run_id
        self.path = f"/api/runs/{run_id}/output"

    def open(self, offset: int, *, tail: int | None = None) -> "Inflow":
        """Return the stream from the offset on, or from the last so many lines on.

        Raises:
            UnknownRun, OffsetBeyondEnd, NotAllowed: as the server says.
            EngineUnavailable: the server cannot be reached, or stopped at once.
            EngineError: it has a problem.
        """
        where = f"from={offset}" if tail is None else f"tail={tail}"
        headers = {"Accept": EVENTS, "Cache-Control": "no-cache"}
        opened = self._connections.open(f"{self.path}?format=sse&{where}", headers)
        if not isinstance(opened, Opened):
            raise error_of(opened, op="follow", subject=self.run_id)
        if opened.content_type != EVENTS:
            opened.close()
            raise EngineError(
                f"{self._connections.address} answers with {opened.content_type or 'nothing'} instead of events",
                op="follow",
                subject=self.run_id,
                hint="see that this is the address of a Tailrace server, and what stands between",
            )
        try:
            return Inflow(self, opened)
        except Cut as cut:
            opened.close()
            raise EngineUnavailable(
                f"{self._connections.address} gave no answer: {cut}", op="follow", subject=self.run_id,
                hint="try again; if that does not help, see what stands between: it may not pass event streams on",
            ) from None  # fmt: skip
        except BaseException:
            opened.close()
            raise

    def activity(self, buckets: int, begin_s: float, until_s: float | None) -> Activity:
        """Return how much of it came when.

        Raises:
            InvalidInput: time cannot be divided so.
            EngineError: the server cannot be reached, or has a problem.
        """
        check_span(buckets, begin_s, until_s)
        until = "" if until_s is None else f"&until={until_s:.6f}"
        query = f"buckets={buckets}&from={begin_s:.6f}{until}"
        return read(self._connections.get(f"/api/runs/{self.run_id}/activity?{query}"), _ACTIVITIES, self.run_id)

    def lines(self) -> RemoteLines:
        """Return where its lines begin."""
        return RemoteLines(self._connections, self.run_id)

    def exact(self, begin: int, end: int) -> bytes:
        """Return the bytes of [`begin`, `end`), which are there.

        Raises:
            Cut: not all of them came.
            UnknownRun, NotAllowed: as the server says.
            StreamBroken: what stands between here and the server does not pass ranges on.
            EngineError: the server has a problem.
        """
        headers = {"Accept": "text/plain", "Range": f"bytes={begin}-{end - 1}"}
        reply = self._connections.get(f"{self.path}?format=text", headers, unless=OK)
        if reply.status == OK:
            raise StreamBroken(
                "the server does not answer range requests",
                op="follow",
                subject=self.run_id,
                hint="see what stands between: it must pass the header Range on",
            )
        if reply.status != PARTIAL_CONTENT:
            raise error_of(reply, op="follow", subject=self.run_id)
        said = reply.headers.get("content-range", "")
        if len(reply.body) != end - begin or not said.startswith(f"bytes {begin}-{end - 1}/"):
            raise Cut(f"only {len(reply.body)} of {end - begin} bytes came")
        return reply.body


class Inflow:
    """One connection's worth of an output. One thread reads; any may `cut`.

    Args:
        source: whose output it is.
        opened: the event stream, at its beginning; closed with this.

    Raises:
        Cut: it stopped before it had begun.
        StreamBroken: it is something else.
    """

    def __init__(self, source: Source, opened: Opened) -> None:
        self._source = source
        self._opened = opened
        self._reader = EventReader(source.run_id)
        self._ranges = Ranges(source.exact)
        begun: list[Event] = []
        while not any(isinstance(event, State) for event in begun):
            begun += self._events()
        if not isinstance(begun[0], Begun):
            raise _misplaced(source.run_id, "it does not say where it begins")
        self.offset = begun[0].offset
        """where it begins, at first; then behind what was given"""
        self.info = next(event.run for event in begun if isinstance(event, State))
        """the run, as it was told of last"""
        self._begun: list[Event] | None = begun[1:]
        self._terminal: TerminalSize | None = None
        """the size that was told last"""

    def next(self) -> Iterable[Item]:
        """Wait for something, and yield it.

        Raises:
            Cut: the connection broke.
            StreamBroken: what came is not what comes next.
            UnknownRun, NotAllowed, EngineError: bytes that had to be fetched by themselves were refused.
        """
        events, self._begun = self._events() if self._begun is None else self._begun, None
        for event in events:
            yield from self._items(event)

    def cut(self) -> None:
        """Have whoever reads find the connection broken."""
        self._opened.cut()

    def close(self) -> None:
        """Let go of the connection; for the thread that reads."""
        self._opened.close()

    def _events(self) -> list[Event]:
        try:
            data = self._opened.read()
        except TimeoutError:
            raise Cut("nothing came, not even a heartbeat") from None
        except (OSError, HTTPException, ValueError):  # ValueError: closed meanwhile
            raise Cut("cut in the middle") from None
        if not data:
            raise Cut("the server ended it")
        return self._reader.feed(data)

    def _items(self, event: Event) -> Iterable[Item]:
        match event:
            case Told():
                yield self._chunk(event)
            case Gap():
                self._go_on(event.begin, event.end)
                yield event
            case State(run):
                self.info = run
                yield run
            case Ended(run):
                if self.offset < run.size:
                    raise _misplaced(self._source.run_id, f"bytes {self.offset} to {run.size} did not come")
                yield End(run)
            case Begun():
                return

    def _chunk(self, told: Told) -> Chunk:
        data = told.data
        if data is None:
            data = self._ranges.get(told.begin, told.end, self.info.size)
        self._go_on(told.begin, told.end)
        self._terminal = told.terminal or self._terminal
        return Chunk(told.begin, data, told.stream, told.time_s, self._terminal)

    def _go_on(self, begin: int, end: int) -> None:
        if begin != self.offset or end < begin:
            raise _misplaced(self._source.run_id, f"byte {begin} comes after byte {self.offset}")
        self.offset = end


def _misplaced(run_id: str, why: str) -> StreamBroken:
    return StreamBroken(
        f"the event stream of run {run_id} is not whole: {why}",
        op="follow",
        subject=run_id,
        hint="see that server and client are of the same version of Tailrace",
    )
