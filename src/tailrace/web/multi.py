"""A viewer of several runs in one event stream, and of the list of runs.

Each run has a viewer of its own on the sse wire, so all of them share the broadcasts that there are. Their steps are
taken in turn, one each, so that no run keeps another waiting; when all of them rest, this rests. Each event gets the
id that resumes them all, and the id of its run among its data. What JSON says holds no newline, so events are known by
the blank lines between them.

A heartbeat comes once for the connection, not for each run.
"""

import time
from collections.abc import Collection

from tailrace.core.wires.places import Place, Places
from tailrace.web.broadcast import NEVER
from tailrace.web.ear import Ear
from tailrace.web.pace import LONGEST_S, Pace
from tailrace.web.steps import Errand, Rest, Step, Steps, Stream
from tailrace.web.viewer import Viewer
from tailrace.web.watchlist import ListViewer

SILENT = Pace(heartbeat_s=LONGEST_S)
"""of each run's own viewer"""
HEARTBEAT = b": \n\n"


class _Turn:
    """One of those that take turns."""

    def __init__(self, at: int | None, stream: "Viewer | ListViewer", ear: Ear) -> None:
        self.at = at
        """which of the runs it is; None: the list of runs"""
        self.stream = stream
        self._steps = stream.steps(ear)
        self._is_begun = False

    def step(self, *, is_rung: bool) -> Step | None:
        """Take a step; None: there are no more."""
        sent, self._is_begun = (is_rung if self._is_begun else None), True
        try:
            return self._steps.send(sent)
        except StopIteration:
            return None


class MultiViewer(Stream):
    """See above.

    Args:
        at: where the client stands in each run, by its id, in the order of the client's query.
        viewers: a viewer for each run whose end the client has not seen, by its number in the order.
        runs: the list of runs, if that is wanted too.
        pace: when a heartbeat is due.
    """

    __slots__ = ("_beat_due", "_pace", "_places", "_run_ids", "_runs", "_viewers")

    wire = "events"
    aborts = False
    head = None

    def __init__(self, at: dict[str, Place], viewers: dict[int, Viewer], runs: ListViewer | None, pace: Pace) -> None:
        self._run_ids = tuple(at)
        self._places = Places(at)
        self._viewers = viewers
        self._runs = runs
        self._pace = pace
        self._beat_due = NEVER

    def steps(self, ear: Ear) -> Steps:
        """See `Stream.steps`. It ends with the last run, unless the list of runs is wanted."""
        yield self._id_line() + b"\n"
        self._sent()
        turns = [_Turn(at, viewer, ear) for at, viewer in self._viewers.items()]
        if self._runs is not None:
            turns.append(_Turn(None, self._runs, ear))
        is_rung = False
        while turns and not ear.is_leaving():
            is_busy, rest_s = False, self._beat_due - time.monotonic()
            for turn in list(turns):
                step = turn.step(is_rung=is_rung)
                if isinstance(step, Rest):
                    rest_s = min(rest_s, step.timeout_s)
                    continue
                is_busy = True
                if isinstance(step, Errand):
                    yield step
                elif step is not None:
                    yield self._told(turn.at, step)
                elif not self._is_done(turn):
                    return
                else:
                    turns.remove(turn)
            is_rung = False
            if time.monotonic() >= self._beat_due:
                self._sent()
                yield HEARTBEAT
            elif not is_busy:
                is_rung = bool((yield Rest(max(0.0, rest_s))))

    def close(self) -> None:
        """See `Stream.close`."""
        for viewer in self._viewers.values():
            viewer.close()
        if self._runs is not None:
            self._runs.close()

    @property
    def run_ids(self) -> tuple[str, ...]:
        """See `Stream.run_ids`."""
        return self._run_ids

    @property
    def commands(self) -> Collection[str]:
        """See `Stream.commands`."""
        return {command for viewer in self._viewers.values() for command in viewer.commands}

    @property
    def is_reading(self) -> bool:
        """See `Stream.is_reading`."""
        return any(viewer.is_reading and not viewer.is_complete for viewer in self._viewers.values())

    @property
    def heartbeat_s(self) -> float:
        """See `Stream.heartbeat_s`."""
        return self._pace.heartbeat_s

    def heartbeat(self) -> bytes:
        """See `Stream.heartbeat`."""
        return HEARTBEAT

    def lag_bytes(self) -> int:
        """See `Stream.lag_bytes`."""
        return max((viewer.lag_bytes() for viewer in self._viewers.values() if not viewer.is_complete), default=0)

    def count_behind(self) -> None:
        """See `Stream.count_behind`."""
        for viewer in self._viewers.values():
            viewer.count_behind()

    def _is_done(self, turn: _Turn) -> bool:
        """Tell whether it has given everything; if not, the server is leaving."""
        if isinstance(turn.stream, Viewer):
            turn.stream.close()
            return turn.stream.is_complete
        return False

    def _sent(self) -> None:
        self._beat_due = time.monotonic() + self._pace.heartbeat_s

    def _told(self, at: int | None, events: bytes) -> bytes:
        """Return the events as those of this connection."""
        told = b"".join([self._event(at, block) for block in events.split(b"\n\n") if block])
        if told:
            self._sent()
        return told

    def _event(self, at: int | None, block: bytes) -> bytes:
        """Return one event; nothing for what only commits an id, or is a comment."""
        name, data = b"", b""
        for line in block.split(b"\n"):
            field, _, value = line.partition(b": ")
            if field == b"id" and at is not None:
                self._places.move(at, _place_of(value))
            elif field == b"event":
                name = value
            elif field == b"data":
                data = value
        if not data:
            return b""
        if at is not None:
            data = b'{"run":"%b",%b' % (self._run_ids[at].encode(), data[1:])
        return self._id_line() + b"event: %b\ndata: %b\n\n" % (name, data)

    def _id_line(self) -> bytes:
        return f"id: {self._places}\n".encode()


def _place_of(event_id: bytes) -> Place:
    """Return the place that the id of one run's event tells."""
    _run_id, offset, *end = event_id.split(b"/")
    return Place(int(offset), bool(end))
