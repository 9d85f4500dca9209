"""Reading a run's output with its labels, from any offset.

A reader takes the size first, then the timeline, then bytes below that size: the records of those bytes were written
before them, so no byte is mislabelled, however far the writer has gone on meanwhile.
"""

import errno
import os
from itertools import takewhile

from tailrace.core import timeline
from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Chunk
from tailrace.core.timeline import RECORD_BYTES, Record, Stream
from tailrace.follow.records import Records
from tailrace.host.rundir import RunDir

CHUNK_BYTES = 64 << 10
_RECORDS_AT_ONCE = 4096
_DAMAGED = (errno.ENOENT, errno.ELOOP, errno.EINVAL)
"""not there; a link; no regular file"""


class Reader:
    """One viewer's place in an output. Holds two descriptors; its memory is one chunk and a few records."""

    def __init__(self, run_id: str, files: tuple[int, int], offset: int, *, stream: Stream | None = None) -> None:
        """Begin at the offset.

        Args:
            run_id: the run.
            files: descriptors of output and timeline, the reader's own from now on; -1: there is none. No output reads
                as missing bytes; without a timeline, chunks are larger, and all marked `mixed`.
            offset: where to begin, in bytes.
            stream: give only this stream's bytes (and those that cannot be told apart).
        """
        self.offset = offset
        self._id = run_id
        self._only = stream
        self.recorded: int | None = None
        """how many records the timeline had at the run's end, once that is known: fewer now are a loss to be told"""
        self._output, self._timeline = files
        self.records = Records(self._timeline, self.size)
        """the timeline's, all of them"""
        self._next = 0
        self._records: list[Record | None] = []
        if self._timeline >= 0:
            try:
                self._next = self.records.find(lambda record: record.offset > offset)
            except OSError:
                self.close()
                raise

    def at(self, offset: int) -> "Reader":
        """Return another reader of the same files, from the offset on; also if they have been removed meanwhile.

        Raises:
            OSError: this process has too many open.
        """
        return Reader(self._id, _duplicates(self._output, self._timeline), offset, stream=self._only)

    def close(self) -> None:
        """Let go of the files."""
        for fd in (self._output, self._timeline):
            if fd >= 0:
                os.close(fd)
        self._output = self._timeline = -1

    @property
    def is_whole(self) -> bool:
        """Whether both streams are given."""
        return self._only is None

    def skip(self, count: int) -> None:
        """Go on so many bytes later."""
        self.offset += count

    def size(self) -> int:
        """Return how many bytes there are now."""
        return os.fstat(self._output).st_size if self._output >= 0 else 0

    @property
    def output(self) -> int:
        """The descriptor of the output, the reader's own; -1: there is none."""
        return self._output

    def offset_at(self, time_s: float) -> int:
        """Return where the output was so many seconds after the start: where what came last by then begins."""
        if self._timeline < 0:
            return 0
        time_us = round(time_s * 1e6)
        record = self.records.at(self.records.find(lambda record: record.time_us > time_us))
        return 0 if record is None or record.time_us > time_us else record.offset

    def read(self, end: int) -> list[Chunk]:
        """Return the next chunks below `end`, at most 64 KiB in all; empty if there are none.

        `end` is a size that was seen before this call. Bytes of another stream are passed over: the offset moves on,
        and the list may be empty all the same.

        Raises:
            StreamBroken: bytes that were there are gone.
        """
        begin = self.offset
        end = min(end, begin + CHUNK_BYTES)
        if begin >= end:
            return []
        extents = self._extents(begin, end) if self._timeline >= 0 else []
        data = os.pread(self._output, end - begin, begin) if self._output >= 0 else b""
        if not data:
            raise StreamBroken(
                f"the output of {self._id} ends at byte {begin}, before its recorded end",
                op="read",
                subject=self._id,
                hint="the file was truncated or the disk failed; `tailrace show` tells what was recorded",
            )
        self.offset = begin + len(data)
        if self._timeline < 0:
            return [Chunk(begin, data, Stream.MIXED, None)]
        return [
            Chunk(low, data[low - begin : high - begin], stream, None if time_us is None else time_us / 1e6, terminal)
            for low, high, stream, time_us, terminal in extents
            if low < self.offset and (self._only is None or stream in (self._only, Stream.MIXED))
        ]

    def _extents(self, begin: int, end: int) -> list[timeline.Extent]:
        self._load(end)
        near = takewhile(lambda record: record is None or record.offset < end, self._records)
        found = timeline.extents(near, begin, end)
        self._forget(end)
        return _joined(found)

    def _load(self, end: int) -> None:
        """Read on in the timeline until a record at or beyond `end`, or all there are."""
        credible = self.records.count()
        while not self._records or (self._records[-1] or Record(0, 0, Stream.MIXED)).offset < end:
            count = max(0, min(_RECORDS_AT_ONCE, credible - self._next))
            fresh = self._decoded(count) if count else []
            if not fresh and self.recorded is not None and self._next < self.recorded:
                fresh = [None]
                self._next = self.recorded - 1
            if not fresh:
                return
            self._next += len(fresh)
            self._records += _without_repeats(fresh)

    def _decoded(self, count: int) -> list[Record | None]:
        return timeline.decode(os.pread(self._timeline, count * RECORD_BYTES, self._next * RECORD_BYTES))

    def _forget(self, end: int) -> None:
        """Drop the records that hold no more: all before the last good one at or below `end`."""
        keep = 0
        for index, record in enumerate(self._records):
            if record is not None:
                if record.offset > end:
                    break
                keep = index
        del self._records[:keep]


def open_files(run: RunDir, *, labelled: bool = True) -> tuple[int, int]:
    """Return what a reader of the run needs; without the timeline, if not labelled.

    Raises:
        OSError: this process has too many open.
    """
    output = _opened(run, "output")
    try:
        return output, _opened(run, "timeline") if labelled else -1
    except OSError:
        if output >= 0:
            os.close(output)
        raise


def _duplicates(one: int, other: int) -> tuple[int, int]:
    """Return descriptors of the same files, -1 for -1."""
    first = os.dup(one) if one >= 0 else -1
    try:
        return first, os.dup(other) if other >= 0 else -1
    except OSError:
        if first >= 0:
            os.close(first)
        raise


def _opened(run: RunDir, name: str) -> int:
    """Open a file of the run; -1 if it is damaged."""
    try:
        return run.open(name)
    except OSError as error:
        if error.errno in _DAMAGED:
            return -1
        raise


def _without_repeats(records: list[Record | None]) -> list[Record | None]:
    """Return the records, with one damaged one for each stretch of them."""
    return [
        record
        for index, record in enumerate(records)
        if record is not None or not index or records[index - 1] is not None
    ]


def _joined(extents: list[timeline.Extent]) -> list[timeline.Extent]:
    """Join neighbours of one stream that came within a millisecond or so: fewer, larger chunks under load."""
    joined: list[timeline.Extent] = []
    for extent in extents:
        last = joined[-1] if joined else None
        if last and _is_alike(last, extent) and _is_close(last.time_us, extent.time_us):
            joined[-1] = last._replace(end=extent.end)
        else:
            joined.append(extent)
    return joined


def _is_alike(one: timeline.Extent, other: timeline.Extent) -> bool:
    return one.stream is other.stream and one.terminal == other.terminal


def _is_close(a: int | None, b: int | None) -> bool:
    return a == b or (a is not None and b is not None and b - a < 2_000)
