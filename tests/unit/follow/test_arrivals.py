"""When output came, against a model that knows the instant of each byte."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tailrace.core import timeline
from tailrace.core.timeline import RECORD_BYTES, Record, Stream
from tailrace.follow.arrivals import Arrivals
from tailrace.follow.records import Records

PIECES = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0, 1, 500, 5000])), min_size=1, max_size=30)


def records_of(pieces: list[tuple[int, int]]) -> tuple[list[Record], int]:
    """Return a record for each piece, which is so long and came so much later than the one before; and the size."""
    records, offset, time_us = [], 0, 0
    for length, after_us in pieces:
        time_us += after_us
        records.append(Record(offset, time_us, Stream.STDOUT))
        offset += length
    return records, offset


@contextmanager
def arrivals(data: bytes, size: int) -> Iterator[Arrivals]:
    """Give what this timeline says of so many bytes."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield Arrivals(Records(file.fileno(), lambda: size), size)


def encoded(records: list[Record]) -> bytes:
    """Return a timeline."""
    return b"".join(map(timeline.encode, records))


@given(PIECES, st.integers(1, 20), st.integers(0, 20_000), st.integers(1, 200_000))
def test_every_byte_is_in_the_bucket_of_its_instant(
    pieces: list[tuple[int, int]], buckets: int, begin_us: int, width_us: int
) -> None:
    """Those before and behind are in none."""
    records, size = records_of(pieces)
    begin_s, until_s = begin_us / 1e6, (begin_us + width_us) / 1e6
    edges = [round((begin_s + index * ((until_s - begin_s) / buckets)) * 1e6) for index in range(buckets + 1)]
    instants = [record.time_us for record, (length, _) in zip(records, pieces, strict=True) for _ in range(length)]
    wanted = tuple(sum(low <= at < high for at in instants) for low, high in pairwise(edges))
    with arrivals(encoded(records), size) as found:
        assert found.activity(buckets, begin_s, until_s, is_end=False).bytes == wanted
        assert found.last_s() == (instants[-1] / 1e6 if instants else None)


def test_without_a_timeline_nothing_is_placed() -> None:
    """Neither with an empty one, nor with one of which nothing can be read."""
    found = Arrivals(Records(-1, lambda: 10), 10)
    assert (found.unplaced, found.last_s()) == (10, None)
    for data in (b"", b"x" * 5 * RECORD_BYTES):
        with arrivals(data, 10) as found:
            activity = found.activity(3, 0.0, 5.0, is_end=True)
            assert (activity.bytes, activity.unplaced, found.last_s()) == ((0, 0, 0), 10, None)


def test_damaged_records_hide_only_their_own_instants() -> None:
    """Their bytes count to the record before; those before the first good one to none."""
    records = [Record(n * 10, n * 1_000_000, Stream.STDOUT) for n in range(5)]
    raw = bytearray(encoded(records))
    raw[2 * RECORD_BYTES : 3 * RECORD_BYTES] = os.urandom(RECORD_BYTES)
    with arrivals(bytes(raw), 50) as found:
        assert found.activity(5, 0.0, 5.0, is_end=True).bytes == (10, 20, 0, 10, 10)
    raw[:RECORD_BYTES] = bytes(RECORD_BYTES)
    with arrivals(bytes(raw), 50) as found:
        activity = found.activity(5, 0.0, 5.0, is_end=True)
        assert (activity.bytes, activity.unplaced) == ((0, 20, 0, 10, 10), 10)


def test_records_of_bytes_that_never_came_do_not_count() -> None:
    """A keeper writes a record before its bytes; at the end of a stream there are none."""
    records = [Record(0, 100, Stream.STDOUT), Record(10, 200, Stream.STDERR), Record(10, 300, Stream.STDOUT)]
    with arrivals(encoded(records), 10) as found:
        assert found.last_s() == 100 / 1e6
        assert found.activity(4, 0.0, 0.0004, is_end=True).bytes == (0, 10, 0, 0)
