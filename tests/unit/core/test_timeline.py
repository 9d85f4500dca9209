"""The timeline's records, and whose each byte is."""

import zlib
from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.timeline import (
    MOST_CELLS,
    RECORD_BYTES,
    Extent,
    Record,
    Stream,
    TerminalSize,
    decode,
    decode_one,
    encode,
    extents,
)  # fmt: skip

OUT, ERR, MIXED = Stream.STDOUT, Stream.STDERR, Stream.MIXED

ROWS = [
    (Record(0, 0, OUT), "0000000000000000 0000000000000000 01 000000 e8fc69b7"),
    (Record(1, 2, ERR), "0100000000000000 0200000000000000 02 000000 dff6802c"),
    (Record(2**63 - 1, 2**63 - 1, MIXED), "ffffffffffffff7f ffffffffffffff7f 03 000000 386875f1"),
    (Record(2**64 - 1, 2**64 - 1, OUT), "ffffffffffffffff ffffffffffffffff 01 000000 3635f04a"),
    (Record(5, 6, OUT, TerminalSize(24, 80)), "0500000000000000 0600000000000000 01 180005 508f8111"),
    (Record(7, 8, OUT, TerminalSize(4095, 4095)), "0700000000000000 0800000000000000 01 ffffff 970a9f50"),
]
RECORDS = [record for record, _ in ROWS]
WHOLE = b"".join(encode(record) for record in RECORDS)

cells = st.integers(1, MOST_CELLS)
sizes = st.none() | st.builds(TerminalSize, cells, cells)
records = st.builds(Record, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.sampled_from(Stream), sizes)


@pytest.mark.parametrize(("record", "hexes"), ROWS)
def test_table(record: Record, hexes: str) -> None:
    """The layout on disk is fixed: little-endian, 20 bytes and their CRC-32."""
    assert encode(record) == bytes.fromhex(hexes)
    assert decode_one(bytes.fromhex(hexes)) == record


@given(st.lists(records))
def test_records_come_back(written: list[Record]) -> None:
    """Any number of any records, from bytes and from a view of them."""
    raw = b"".join(encode(record) for record in written)
    assert decode(raw) == written
    assert decode(memoryview(raw)) == written


@pytest.mark.parametrize("size", range(len(WHOLE) + 1))
def test_truncated_at_every_byte(size: int) -> None:
    """Whole records are there; the torn one is not there at all."""
    assert decode(WHOLE[:size]) == RECORDS[: size // RECORD_BYTES]
    assert decode_one(WHOLE[:size]) == (RECORDS[0] if size == RECORD_BYTES else None)


@pytest.mark.parametrize("index", range(len(WHOLE)))
def test_noise_at_every_byte(index: int) -> None:
    """Whatever a byte becomes, its record is known as damaged, and the others are untouched."""
    expected: list[Record | None] = [*RECORDS]
    expected[index // RECORD_BYTES] = None
    for noise in range(1, 256):
        raw = bytearray(WHOLE)
        raw[index] ^= noise
        assert decode(bytes(raw)) == expected


def test_a_terminal_without_end_has_the_most_there_is_room_for() -> None:
    """Rather than some other size."""
    record = Record(0, 0, OUT, TerminalSize(65535, 80))
    assert decode_one(encode(record)) == record._replace(terminal=TerminalSize(MOST_CELLS, 80))


def test_bytes_have_the_size_that_their_terminal_had() -> None:
    """Each stretch its own."""
    small, large = TerminalSize(24, 80), TerminalSize(50, 132)
    written = [Record(0, 1, OUT, small), Record(4, 2, OUT, large), Record(6, 3, OUT)]
    assert extents(written, 2, 9) == [Extent(2, 4, OUT, 1, small), Extent(4, 6, OUT, 2, large), Extent(6, 9, OUT, 3)]


def test_a_hole_is_damage() -> None:
    """Zeros, as a file system may leave them, are no record."""
    assert decode(bytes(2 * RECORD_BYTES)) == [None, None]


@pytest.mark.parametrize("number", [0, 4, 255])
def test_an_unknown_stream_is_damage(number: int) -> None:
    """Even if its check is right."""
    body = bytes(16) + bytes([number]) + bytes(3)
    assert decode_one(body + zlib.crc32(body).to_bytes(4, "little")) is None


def test_streams_have_their_names_on_the_wire() -> None:
    """As the JSON objects show them."""
    assert [stream.label for stream in Stream] == ["stdout", "stderr", "mixed"]


@pytest.mark.parametrize(
    ("rows", "begin", "end", "expected"),
    [
        pytest.param([], 0, 0, [], id="nothing"),
        pytest.param([Record(0, 1, OUT)], 5, 5, [], id="no bytes"),
        pytest.param([Record(0, 1, OUT)], 6, 5, [], id="less than none"),
        pytest.param([], 0, 9, [Extent(0, 9, MIXED, None)], id="no timeline"),
        pytest.param([Record(0, 1, OUT)], 0, 9, [Extent(0, 9, OUT, 1)], id="one record"),
        pytest.param([Record(0, 1, OUT)], 4, 9, [Extent(4, 9, OUT, 1)], id="the middle"),
        pytest.param([Record(3, 1, OUT)], 0, 9, [Extent(0, 3, MIXED, None), Extent(3, 9, OUT, 1)], id="a late first"),
        pytest.param([Record(9, 1, OUT)], 0, 9, [Extent(0, 9, MIXED, None)], id="one past the end"),
        pytest.param(
            [Record(0, 1, OUT), Record(4, 2, ERR), Record(20, 3, OUT)],
            0,
            9,
            [Extent(0, 4, OUT, 1), Extent(4, 9, ERR, 2)],
            id="two, and one past the end",
        ),
        pytest.param(
            [Record(0, 1, OUT), Record(4, 2, OUT)],
            0,
            9,
            [Extent(0, 4, OUT, 1), Extent(4, 9, OUT, 2)],
            id="each keeps its time",
        ),
        pytest.param(
            [Record(0, 1, OUT), Record(4, 2, OUT), Record(4, 3, ERR)],
            0,
            9,
            [Extent(0, 4, OUT, 1), Extent(4, 9, ERR, 3)],
            id="the last at an offset wins",
        ),
        pytest.param(
            [Record(0, 1, OUT), Record(0, 3, ERR)], 0, 9, [Extent(0, 9, ERR, 3)], id="at the first offset too"
        ),
        pytest.param(
            [Record(0, 1, OUT), None, Record(6, 3, ERR)],
            0,
            9,
            [Extent(0, 6, MIXED, None), Extent(6, 9, ERR, 3)],
            id="a damaged one may have claimed any byte between its neighbours",
        ),
        pytest.param(
            [None, Record(6, 3, ERR)], 2, 9, [Extent(2, 6, MIXED, None), Extent(6, 9, ERR, 3)], id="the first"
        ),
        pytest.param([Record(0, 1, OUT), None], 0, 9, [Extent(0, 9, MIXED, None)], id="the last"),
        pytest.param([None, None], 0, 9, [Extent(0, 9, MIXED, None)], id="all"),
        pytest.param(
            [Record(0, 1, OUT), Record(6, 2, ERR), None, Record(6, 3, OUT)],
            0,
            9,
            [Extent(0, 6, OUT, 1), Extent(6, 9, OUT, 3)],
            id="a damaged one between two at one offset claims nothing",
        ),
        pytest.param(
            [Record(0, 1, OUT), Record(6, 2, ERR), Record(3, 3, OUT)],
            0,
            9,
            [Extent(0, 6, OUT, 1), Extent(6, 9, ERR, 2)],
            id="one that goes back is ignored",
        ),
    ],
)
def test_extents(rows: list[Record | None], begin: int, end: int, expected: list[Extent]) -> None:
    """Who wrote which bytes, and when."""
    assert extents(rows, begin, end) == expected


steps = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([OUT, ERR])), max_size=12)


@given(steps, st.sets(st.integers(0, 11)), st.integers(0, 50), st.integers(0, 50))
def test_no_byte_is_ever_mislabelled(
    written: list[tuple[int, Stream]], damaged: set[int], begin: int, end: int
) -> None:
    """Each byte has the stream and time of the record written before it, or is mixed and near a damaged one."""
    truth: list[Record] = []
    offset = 0
    for time_us, (size, stream) in enumerate(written):
        truth.append(Record(offset, time_us, stream))
        offset += size
    seen = [None if index in damaged else record for index, record in enumerate(truth)]
    found = extents(seen, begin, end)

    assert all(extent.begin < extent.end for extent in found)
    assert all(one.end == two.begin for one, two in pairwise(found))
    assert (found[0].begin, found[-1].end) == (begin, end) if begin < end else found == []
    for extent in found:
        for byte in range(extent.begin, extent.end):
            holder = bisect_right([record.offset for record in truth], byte) - 1
            is_doubtful = holder < 0 or _is_near_damage(seen, byte)
            label = (MIXED, None) if is_doubtful else (truth[holder].stream, truth[holder].time_us)
            assert (extent.stream, extent.time_us) == label


def _is_near_damage(seen: list[Record | None], byte: int) -> bool:
    """Tell whether a damaged record may hold at this byte, as far as the good ones around it tell."""
    last_before = max((i for i, record in enumerate(seen) if record and record.offset <= byte), default=-1)
    rest = seen[last_before + 1 :]
    return last_before < 0 or bool(rest and rest[0] is None)


@given(steps, st.integers(0, 20), st.integers(0, 40))
def test_a_reader_may_begin_at_the_record_that_holds(written: list[tuple[int, Stream]], skip: int, begin: int) -> None:
    """Reading the timeline from there gives the same labels as reading all of it."""
    truth: list[Record] = []
    offset = 0
    for time_us, (size, stream) in enumerate(written):
        truth.append(Record(offset, time_us, stream))
        offset += size
    holder = max(bisect_right([record.offset for record in truth], begin) - 1, 0)
    first = min(skip, holder)
    assert extents(truth[first:], begin, offset) == extents(truth, begin, offset)
