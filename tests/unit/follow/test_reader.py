"""Reading with labels, against a model that knows who wrote each byte."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core import timeline
from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Chunk
from tailrace.core.timeline import RECORD_BYTES, Record, Stream
from tailrace.engine import preparation
from tailrace.follow import reader
from tailrace.follow.reader import Reader, open_files
from tailrace.host import rundir
from tailrace.host.rundir import RunDir
from tailrace.host.statedir import StateDir


class Piece(NamedTuple):
    """Some bytes of one stream, and how long after the piece before they came."""

    stream: Stream
    length: int
    after_us: int


PIECES = st.lists(
    st.builds(Piece, st.sampled_from(Stream), st.integers(0, 30), st.sampled_from([0, 1, 500, 5000])), max_size=30
)


class Model:
    """An output as its pieces say."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.labels = b"".join(bytes([piece.stream]) * piece.length for piece in pieces)
        self.data = bytes(index % 251 for index in range(len(self.labels)))
        self.records: list[Record] = []
        offset = time_us = 0
        for piece in pieces:
            time_us += piece.after_us
            self.records.append(Record(offset, time_us, piece.stream))
            offset += piece.length
        self.timeline = b"".join(timeline.encode(record) for record in self.records)

    @contextmanager
    def on_disk(self, output: bytes | None = None, records: bytes | None = None) -> Iterator[RunDir]:
        """Put it into a run's directory."""
        with tempfile.TemporaryDirectory() as path:
            state = StateDir(Path(path, "state"))
            spec, launch = preparation.prepare(["true"], {"inherit_env": False})
            rundir.create(state, spec, launch)
            with RunDir(state, spec.id) as run:
                for name, content in (
                    ("output", self.data if output is None else output),
                    ("timeline", self.timeline if records is None else records),
                ):
                    fd = run.open(name, os.O_WRONLY)
                    os.write(fd, content)
                    os.close(fd)
                yield run
            state.close()


def read_all(one: Reader, ends: list[int]) -> list[Chunk]:
    """Read to each of these sizes in turn."""
    chunks = []
    for end in ends:
        while one.offset < end:
            chunks += one.read(end)
    return chunks


@given(PIECES, st.data())
def test_bytes_and_labels_are_those_of_the_model(pieces: list[Piece], data: st.DataObject) -> None:
    """From any offset, in any steps, with chunks and look-aheads of any size; times never go back."""
    model = Model(pieces)
    size = len(model.data)
    begin = data.draw(st.integers(0, size))
    ends = [*sorted(data.draw(st.lists(st.integers(0, size), max_size=4))), size]
    with pytest.MonkeyPatch.context() as patch, model.on_disk() as run:
        patch.setattr(reader, "CHUNK_BYTES", data.draw(st.integers(1, 50)))
        patch.setattr(reader, "_RECORDS_AT_ONCE", data.draw(st.integers(1, 5)))
        one = Reader(run.id, open_files(run), begin)
        chunks = read_all(one, ends)
        one.close()
    assert b"".join(chunk.data for chunk in chunks) == model.data[begin:]
    assert b"".join(bytes([chunk.stream]) * len(chunk.data) for chunk in chunks) == model.labels[begin:]
    at = begin
    for chunk in chunks:
        assert chunk.offset == at
        at = chunk.end
    times = [chunk.time_s for chunk in chunks if chunk.time_s is not None]
    assert len(times) == len(chunks)
    assert times == sorted(times)


@given(PIECES, st.sampled_from(Stream), st.data())
def test_one_stream_alone(pieces: list[Piece], stream: Stream, data: st.DataObject) -> None:
    """Its bytes at their true offsets, and those of which nobody knows whose they are; the offset reaches the end."""
    model = Model(pieces)
    begin = data.draw(st.integers(0, len(model.data)))
    with model.on_disk() as run:
        one = Reader(run.id, open_files(run), begin, stream=stream)
        chunks = read_all(one, [len(model.data)])
        assert one.offset == len(model.data)
        one.close()
    wanted = [index for index in range(begin, len(model.data)) if model.labels[index] in (stream, Stream.MIXED)]
    assert [index for chunk in chunks for index in range(chunk.offset, chunk.end)] == wanted
    assert b"".join(chunk.data for chunk in chunks) == bytes(model.data[index] for index in wanted)


@given(PIECES, st.data())
def test_damage_never_makes_a_label_wrong(pieces: list[Piece], data: st.DataObject) -> None:
    """Cut, overwritten, or both: a label is the true one, or says that it is not known; the bytes are exact."""
    model = Model(pieces)
    records = bytearray(model.timeline)
    for index in data.draw(st.lists(st.integers(0, max(0, len(records) - 1)), max_size=4)) if records else []:
        records[index] ^= data.draw(st.integers(1, 255))
    del records[data.draw(st.integers(0, len(records))) :]
    begin = data.draw(st.integers(0, len(model.data)))
    with model.on_disk(records=bytes(records)) as run:
        one = Reader(run.id, open_files(run), begin)
        one.recorded = len(model.records)
        chunks = read_all(one, [len(model.data)])
        one.close()
    assert b"".join(chunk.data for chunk in chunks) == model.data[begin:]
    for chunk in chunks:
        true = set(model.labels[chunk.offset : chunk.end])
        assert chunk.stream is Stream.MIXED or true == {int(chunk.stream)}


@given(PIECES, st.data())
def test_records_may_run_ahead_of_the_bytes(pieces: list[Piece], data: st.DataObject) -> None:
    """A record is written before its bytes: a reader that comes in between labels nothing wrongly, now or later."""
    model = Model(pieces)
    size = data.draw(st.integers(0, len(model.data)))
    count = sum(record.offset <= size for record in model.records)
    with model.on_disk(model.data[:size], model.timeline[: count * RECORD_BYTES]) as run:
        one = Reader(run.id, open_files(run), 0)
        chunks = read_all(one, [size])
        for name, rest in (("timeline", model.timeline[count * RECORD_BYTES :]), ("output", model.data[size:])):
            fd = run.open(name, os.O_WRONLY | os.O_APPEND)
            os.write(fd, rest)
            os.close(fd)
        chunks += read_all(one, [len(model.data)])
        one.close()
    assert b"".join(chunk.data for chunk in chunks) == model.data
    assert b"".join(bytes([chunk.stream]) * len(chunk.data) for chunk in chunks) == model.labels


@given(PIECES, st.integers(0, 20_000), st.data())
def test_a_time_has_an_offset(pieces: list[Piece], time_us: int, data: st.DataObject) -> None:
    """Where what came last by then begins; with a damaged record, what a good one before it says."""
    model = Model(pieces)
    times = [(record.time_us, record.offset) for record in model.records]
    damaged = data.draw(st.lists(st.integers(0, len(times) - 1), max_size=3, unique=True)) if times else []
    records = bytearray(model.timeline)
    for number in damaged:
        records[number * RECORD_BYTES] ^= 1
    good = [pair for number, pair in enumerate(times) if number not in damaged]
    with model.on_disk(records=bytes(records)) as run:
        one = Reader(run.id, open_files(run), 0)
        assert one.offset_at(time_us / 1e6) == max((offset for at, offset in good if at <= time_us), default=0)
        one.close()
        bare = Reader(run.id, open_files(run, labelled=False), 0)
        assert bare.offset_at(time_us / 1e6) == 0
        bare.close()


def test_without_labels_everything_is_mixed() -> None:
    """And comes in larger pieces."""
    model = Model([Piece(Stream.STDOUT, 5, 0), Piece(Stream.STDERR, 5, 9000)])
    with model.on_disk() as run:
        one = Reader(run.id, open_files(run, labelled=False), 2)
        assert one.read(10) == [Chunk(2, model.data[2:], Stream.MIXED, None)]
        assert one.read(10) == []
        one.close()


def test_bytes_that_are_gone_are_an_error() -> None:
    """A size that was seen, and nothing there any more."""
    model = Model([Piece(Stream.STDOUT, 5, 0)])
    with model.on_disk() as run:
        one = Reader(run.id, open_files(run), 0)
        os.truncate(f"{run.state.path}/runs/{run.id}/output", 0)
        with pytest.raises(StreamBroken) as caught:
            one.read(5)
        assert caught.value.hint
        one.close()
        one.close()
