"""A strict client of event streams, written from WHATWG HTML 9.2.6 and sharing nothing with the code under test."""

from typing import NamedTuple


class Event(NamedTuple):
    """A dispatched event."""

    type: str
    data: str
    last_event_id: str


class EventSource:
    """Parses one connection's bytes; `last_event_id` outlives it, as a browser's does.

    Stricter than the standard: what a server of ours never sends is an error here, not ignored.
    """

    def __init__(self, last_event_id: str = "") -> None:
        self.events: list[Event] = []
        self.comments = 0
        self.last_event_id = last_event_id
        self._id_buffer = last_event_id
        self._type = ""
        self._data = ""

    def read(self, stream: bytes) -> "EventSource":
        """Take a connection from its first byte to its last, wherever it was cut; an unfinished block is dropped."""
        assert b"\r" not in stream, "a CR ends a line of the stream"
        *lines, _unfinished = stream.split(b"\n")
        for line in lines:
            self._line(line.decode("utf-8", "strict"))
        return self

    def _line(self, line: str) -> None:
        if not line:
            self._dispatch()
        elif line.startswith(":"):
            self.comments += 1
        else:
            field, colon, value = line.partition(":")
            assert colon, "a field without a value"
            assert value.startswith(" "), "a field without its space would lose a leading space of the text"
            self._field(field, value[1:])

    def _field(self, field: str, value: str) -> None:
        if field == "data":
            self._data += value + "\n"
        elif field == "event":
            self._type = value
        elif field == "id":
            assert "\0" not in value
            self._id_buffer = value
        else:
            raise AssertionError(f"unknown field {field!r}")

    def _dispatch(self) -> None:
        self.last_event_id = self._id_buffer
        if self._data:
            self.events.append(Event(self._type or "message", self._data.removesuffix("\n"), self.last_event_id))
        self._data = self._type = ""


def parse(stream: bytes) -> list[Event]:
    """Return the events of a whole connection."""
    return EventSource().read(stream).events
