"""The websocket wire: binary messages with the exact bytes of the output, JSON messages with everything else.

A binary message is a header of 18 bytes, then at most 64 KiB of output; all numbers are big-endian:

    kind     1 byte   1: output; there are no others yet, and who meets one is to leave it out
    stream   1 byte   1 stdout, 2 stderr, 3 mixed
    offset   8 bytes  where the output of this message begins, unsigned
    time     8 bytes  microseconds since the command's start, signed; -1 where it is not known

A text message is a JSON object with a `type`: `state`, `gap` and `end` as in ndjson, and `lagging`.

A framer gives bytes, which a broadcast may join and hand to many. So what it gives here are records, of a byte that
says text (1) or binary (0), four bytes of length, and the message; `messages` takes them apart, where they are sent.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.wires.base import LIMIT_BYTES, Framer
from tailrace.core.wires.objects import gap_object, lagging_object, tagged

SUBPROTOCOL: Final = "tailrace.v1"
HEADER: Final = struct.Struct(">BBQq")
OUTPUT: Final = 1
"""the kind of all binary messages so far"""
NO_TIME: Final = -1

_RECORD = struct.Struct(">BI")


class Message(NamedTuple):
    """One message, as it goes over the websocket."""

    is_text: bool
    data: bytes


class WebsocketFramer(Framer):
    """Frames chunks as messages. Holds nothing back."""

    name = "websocket"
    content_type = ""
    aborts = False
    tells_lag = True

    def begin(self, info: RunInfo) -> bytes:
        """Return the run as it is now."""
        return self.state(info)

    def output(self, chunk: Chunk) -> bytes:
        """Return a message for each 64 KiB of the chunk."""
        self._take(chunk.offset, chunk.end)
        self._returned = chunk.end
        time_us = NO_TIME if chunk.time_s is None else round(chunk.time_s * 1e6)
        parts = []
        for begin in range(0, len(chunk.data), LIMIT_BYTES):
            data = chunk.data[begin : begin + LIMIT_BYTES]
            head = HEADER.pack(OUTPUT, chunk.stream, chunk.offset + begin, time_us)
            parts += [_RECORD.pack(False, len(head) + len(data)), head, data]
        return b"".join(parts)

    def flush(self) -> bytes:
        """Return nothing: nothing is ever held back."""
        return b""

    def state(self, info: RunInfo) -> bytes:
        """Return the run as it is now."""
        return _text(tagged(b"state", msgspec.json.encode(info)))

    def gap(self, gap: Gap) -> bytes:
        """Return the gap."""
        self._take(gap.begin, gap.end)
        self._returned = gap.end
        return _text(tagged(b"gap", gap_object(gap)))

    def end(self, info: RunInfo) -> bytes:
        """Return the run as it ended."""
        return _text(tagged(b"end", msgspec.json.encode(info)))

    def lagging(self, behind_bytes: int) -> bytes:
        """Return the news that the viewer is so far behind the end of what there is."""
        return _text(tagged(b"lagging", lagging_object(self._returned, behind_bytes)))

    def heartbeat(self) -> bytes:
        """Return nothing: a websocket has pings, which servers send."""
        return b""

    def interval(self, text: str) -> bytes:
        """Return an `interval` object."""
        return _text(tagged(b"interval", msgspec.json.encode({"text": text})))


def messages(records: bytes) -> Iterator[Message]:
    """Yield the messages in what the framer gave, which may be joined but not cut."""
    view, at = memoryview(records), 0
    while at < len(records):
        is_text, size = _RECORD.unpack_from(records, at)
        at += _RECORD.size
        yield Message(bool(is_text), bytes(view[at : at + size]))
        at += size


def _text(data: bytes) -> bytes:
    return _RECORD.pack(True, len(data)) + data
