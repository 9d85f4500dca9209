"""The sse wire from its other end: bytes that came, cut anywhere, as what happened to the run.

Of all wires it is the one to resume from: each event has the offset *after* it as its id, silence has a heartbeat, and
a server that stops ends it at once. What it lacks is bytes that are not UTF-8, for which it has U+FFFD: where that
stands, `Told.data` is None.
"""

from typing import NamedTuple, TypeAlias

import msgspec

from tailrace.core.errors import InvalidInput, StreamBroken
from tailrace.core.piece import Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import Stream, TerminalSize
from tailrace.core.wires.eventstream import EventId, parse_event_id
from tailrace.core.wires.objects import Output

LIMIT_BYTES = 16 << 20
"""of one event; a piece of output has at most 64 KiB, and a run's argv less than 2 MiB"""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
STREAMS = {stream.label: stream for stream in Stream}


class Begun(NamedTuple):
    """The stream begins at this offset."""

    offset: int


class Told(NamedTuple):
    """Output of [`begin`, `end`); `data` is None where the text does not give its bytes, which are to be fetched."""

    begin: int
    end: int
    data: bytes | None
    stream: Stream
    time_s: float | None
    terminal: TerminalSize | None
    """None: as before"""


class State(NamedTuple):
    """The run as it was when the server said so."""

    run: RunInfo


class Ended(NamedTuple):
    """Everything was told, and this is how the run ended."""

    run: RunInfo


Event: TypeAlias = Begun | Told | State | Gap | Ended


class _Missing(msgspec.Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    begin: int
    end: int
    why: str


_OUTPUTS = msgspec.json.Decoder(Output)
_RUNS = msgspec.json.Decoder(RunInfo)
_GAPS = msgspec.json.Decoder(_Missing)


class EventReader:
    """Takes bytes, gives events. Holds one unfinished event; the server waits meanwhile."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are complete now.

        Raises:
            StreamBroken: this is not the event stream of the run, or not one that this version knows.
        """
        self._held += data
        blocks, end, rest = self._held.rpartition(b"\n\n")
        if len(rest) > LIMIT_BYTES:
            raise self._broken(f"an event of more than {LIMIT_BYTES} bytes")
        if not end:
            return []
        self._held = rest
        try:
            events = [self._event(block) for block in bytes(blocks).split(b"\n\n")]
        except (msgspec.MsgspecError, UnicodeDecodeError, InvalidInput, KeyError) as error:
            raise self._broken(str(error)) from None
        return [event for event in events if event is not None]

    def _event(self, block: bytes) -> Event | None:
        """Return what a block says; None of a comment, or of an event that is for people or not known."""
        fields = dict(_field(line) for line in block.split(b"\n"))
        if b"id" not in fields:
            return None
        at = parse_event_id(fields[b"id"].decode())
        if at.run_id != self._run_id:
            raise self._broken("it belongs to another run")
        data = fields.get(b"data", b"")
        match fields.get(b"event", b""):
            case b"":
                return Begun(at.offset)
            case b"output":
                return _told(_OUTPUTS.decode(data), at)
            case b"state":
                return State(_RUNS.decode(data))
            case b"gap":
                gap = _GAPS.decode(data)
                return Gap(gap.begin, gap.end, gap.why)
            case b"end":
                return Ended(_RUNS.decode(data))
            case _:
                return None

    def _broken(self, why: str) -> StreamBroken:
        return StreamBroken(
            f"the event stream of run {self._run_id} cannot be read: {why}",
            op="follow",
            subject=self._run_id,
            hint="see that server and client are of the same version of Tailrace",
        )


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Return name and value of a line; a comment has an empty name (WHATWG HTML, 9.2.6)."""
    name, _colon, value = line.partition(b":")
    return name, value.removeprefix(b" ")


def _told(output: Output, at: EventId) -> Told:
    data = None if REPLACEMENT in output.text else output.text.encode()
    if data is not None and len(data) != at.offset - output.offset:
        data = None
    return Told(output.offset, at.offset, data, STREAMS[output.stream], output.time, _terminal(output))


def _terminal(output: Output) -> TerminalSize | None:
    if output.rows is None or output.columns is None:
        return None
    return TerminalSize(output.rows, output.columns)
