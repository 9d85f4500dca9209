"""What the two wires of type `text/event-stream` have in common (WHATWG HTML, 9.2 Server-sent events).

Every event carries an id, `<run id>/<offset>`, with the offset *after* the event, so that a client which reconnects
with `Last-Event-ID` gets neither a repeat nor a loss. Before the first event comes a block with an id alone, which
commits the id and dispatches nothing. The end's id has `/end` behind it: who brings that back has everything.

A CR, LF or CRLF ends a line of the event stream. JSON never contains either in the raw; the lines wire removes them.
"""

import re
from abc import abstractmethod
from typing import NamedTuple

import msgspec

from tailrace.core import ids
from tailrace.core.errors import InvalidInput
from tailrace.core.piece import Gap
from tailrace.core.run import RunInfo
from tailrace.core.wires.base import Framer
from tailrace.core.wires.objects import gap_object

MAX_ID_CHARS = 200
MAX_OFFSET = 2**63 - 1

_SHAPE = re.compile(r"([^/]+)/(0|[1-9][0-9]{0,18})(/end)?")


class EventId(NamedTuple):
    """Where a client of an event stream stands; `is_end` says that it has seen the end too."""

    run_id: str
    offset: int
    is_end: bool = False

    def __str__(self) -> str:
        """Return the id as it stands on the wire."""
        return f"{self.run_id}/{self.offset}{'/end' if self.is_end else ''}"


def parse_event_id(text: str) -> EventId:
    """Return what a `Last-Event-ID` says.

    Raises:
        InvalidInput: it is not an id that this wire gives out.
    """
    match = _SHAPE.fullmatch(text) if len(text) <= MAX_ID_CHARS else None
    if match is None or not ids.is_id(match[1]) or int(match[2]) > MAX_OFFSET:
        raise InvalidInput(
            "the event id is malformed",
            op="follow",
            subject="Last-Event-ID",
            hint="send back the id of the last event as it came, <run id>/<offset>; leave it out to begin anew",
        )
    return EventId(match[1], int(match[2]), match[3] is not None)


class EventStreamFramer(Framer):
    """Everything but the output itself."""

    content_type = "text/event-stream"
    aborts = False

    def begin(self, info: RunInfo) -> bytes:
        """Return an id-only block, then the run as it is now."""
        return self._id_line() + b"\n" + self.state(info)

    def state(self, info: RunInfo) -> bytes:
        """Return a `state` event; `onmessage` does not see it."""
        return self._event(b"state", msgspec.json.encode(info))

    def gap(self, gap: Gap) -> bytes:
        """Return what was held back, then a `gap` event, whose id is where the gap ends."""
        rest = self._release()
        self._take(gap.begin, gap.end)
        self._returned = gap.end
        return rest + self._event(b"gap", gap_object(gap))

    def end(self, info: RunInfo) -> bytes:
        """Return what was held back, then the `end` event."""
        return self._release() + self._id_line(is_end=True) + _named(b"end", msgspec.json.encode(info))

    def heartbeat(self) -> bytes:
        """Return a comment."""
        return b": \n\n"

    def interval(self, text: str) -> bytes:
        """Return an `interval` event; `onmessage` does not see it."""
        return self._event(b"interval", text.encode())

    @abstractmethod
    def _release(self) -> bytes:
        """Return everything held back, complete or not."""

    def _event(self, name: bytes, data: bytes) -> bytes:
        return self._id_line() + _named(name, data)

    def _id_line(self, *, is_end: bool = False) -> bytes:
        return f"id: {EventId(self._run_id, self._returned, is_end)}\n".encode()


def _named(name: bytes, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name, data)
