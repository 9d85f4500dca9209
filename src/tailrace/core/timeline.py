"""The timeline: which stream wrote the bytes from this offset on, and when.

Beside the output lies a file of fixed-size records, in the order of their offsets. A record is written *before* its
bytes and holds until the next one begins, so a byte is never attributed to the wrong stream, whenever the writer dies:

    offset   8 bytes  position in the output
    time     8 bytes  microseconds since the command's start, on the monotonic clock
    stream   1 byte   1 stdout, 2 stderr, 3 mixed
    size     3 bytes  of the terminal: 12 bits of rows, then 12 of columns; 0: there is none
    check    4 bytes  CRC-32 of the 20 bytes before

all little-endian. The size was zero before there were sizes, and whoever does not know of them passes over it. At equal
offsets the last record wins. A torn or damaged record is recognised by its check; the bytes
that it may have described are then reported as `mixed`, never as somebody's. Fixed size makes "who wrote offset n" and
"what was printed at 10:42:07" binary searches.
"""

import struct
import zlib
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

RECORD_BYTES = 24
MOST_CELLS = 0xFFF
"""rows or columns that a record has room for; a larger terminal is told as one of so many"""
_BODY = struct.Struct("<QQB3s")
_CHECK = struct.Struct("<I")


class Stream(IntEnum):
    """Which of the command's streams wrote a byte."""

    STDOUT = 1
    STDERR = 2
    MIXED = 3
    """not known: the record is damaged or missing"""

    @property
    def label(self) -> str:
        """The name on the wire."""
        return self.name.lower()


class TerminalSize(NamedTuple):
    """How large a terminal is, in characters."""

    rows: int
    columns: int


class Record(NamedTuple):
    """From `offset` on, `stream` wrote; the first of these bytes came `time_us` after the start."""

    offset: int
    time_us: int
    stream: Stream
    terminal: TerminalSize | None = None
    """the size of the terminal that these bytes were written to; None: to none, or nobody noted it"""


class Extent(NamedTuple):
    """The bytes of [`begin`, `end`), written by one stream from `time_us` on (None: not known)."""

    begin: int
    end: int
    stream: Stream
    time_us: int | None
    terminal: TerminalSize | None = None


_STREAMS = {int(stream): stream for stream in Stream}


def encode(record: Record) -> bytes:
    """Return the record's 24 bytes."""
    body = _BODY.pack(record.offset, record.time_us, record.stream, _packed(record.terminal))
    return body + _CHECK.pack(zlib.crc32(body))


def decode_one(data: bytes | memoryview) -> Record | None:
    """Return the record in these 24 bytes, or None if they are torn or damaged."""
    if len(data) != RECORD_BYTES or zlib.crc32(data[:20]) != _CHECK.unpack_from(data, 20)[0]:
        return None
    offset, time_us, stream, terminal = _BODY.unpack_from(data)
    known = _STREAMS.get(stream)
    return None if known is None else Record(offset, time_us, known, _unpacked(terminal))


def decode(data: bytes | memoryview) -> list[Record | None]:
    """Return one entry for each whole 24 bytes; a torn rest is left out, a damaged record is None."""
    view = memoryview(data)
    whole = len(view) // RECORD_BYTES
    return [decode_one(view[i * RECORD_BYTES : (i + 1) * RECORD_BYTES]) for i in range(whole)]


def extents(records: Iterable[Record | None], begin: int, end: int) -> list[Extent]:
    """Divide the bytes of [`begin`, `end`) among the records.

    The records must start at or before the one that holds at `begin`. Bytes before the first good record, and all that
    a damaged record may have claimed, come as `mixed` without a time. Neighbours with the same stream are kept apart:
    each has its own time.
    """
    if begin >= end:
        return []
    marks = _trusted(records)
    found: list[Extent] = []
    for index, mark in enumerate(marks):
        low = max(mark.begin, begin)
        high = min(marks[index + 1].begin if index + 1 < len(marks) else end, end)
        if low < high:
            found.append(mark._replace(begin=low, end=high))
    if not found or found[0].begin > begin:
        found.insert(0, Extent(begin, found[0].begin if found else end, Stream.MIXED, None))
    return found


def _trusted(records: Iterable[Record | None]) -> list[Extent]:
    """Order the records; what a damaged one may have touched becomes mixed, from the good record before it on."""
    marks: list[Extent] = []
    for record in records:
        if record is None:
            if marks:
                marks[-1] = marks[-1]._replace(stream=Stream.MIXED, time_us=None)
            continue
        if marks and record.offset < marks[-1].begin:
            continue
        if marks and record.offset == marks[-1].begin:
            marks.pop()
        marks.append(Extent(record.offset, record.offset, record.stream, record.time_us, record.terminal))
    return marks


def _packed(terminal: TerminalSize | None) -> bytes:
    if terminal is None:
        return bytes(3)
    rows, columns = (min(cells, MOST_CELLS) for cells in terminal)
    return (rows | columns << 12).to_bytes(3, "little")


def _unpacked(data: bytes) -> TerminalSize | None:
    cells = int.from_bytes(data, "little")
    return TerminalSize(cells & MOST_CELLS, cells >> 12) if cells else None
