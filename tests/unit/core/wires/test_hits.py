"""Hits on event streams and ndjson."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from tailrace.core.errors import StreamBroken
from tailrace.core.outcome import Exited
from tailrace.core.piece import Chunk, Gap, Spot
from tailrace.core.run import RunInfo
from tailrace.core.search import Searcher
from tailrace.core.states import State
from tailrace.core.timeline import Stream
from tailrace.core.wires import prefer
from tailrace.core.wires.hits import PROGRESS_BYTES, HitsNdjsonFramer, HitsSseFramer
from tailrace.web.matching import PlainMatcher

RUN = "0" * 27
FIRST = Spot(1, 0)
INFO = RunInfo(
    id=RUN,
    command=None,
    argv=("x",),
    state=State.FINISHED,
    outcome=Exited(0),
    created=datetime(2026, 1, 1, tzinfo=UTC),
)


def searcher(spot: Spot = FIRST) -> Searcher:
    """Return one that looks for `x` from a line on."""
    return Searcher(PlainMatcher(b"x"), spot, spot.offset)


def chunk(offset: int, data: bytes) -> Chunk:
    """Return a chunk of stdout."""
    return Chunk(offset, data, Stream.STDOUT, 0.5)


def test_an_event_stream() -> None:
    """An id alone, the state, hits with the offset behind them as their id, a gap, the end."""
    framer = HitsSseFramer(RUN, searcher(Spot(7, 100)))
    begun = framer.begin(INFO)
    assert begun.startswith(f"id: {RUN}/100\n\nid: {RUN}/100\nevent: state\n".encode())
    hit = framer.output(chunk(100, b"no\nx\nx"))
    assert (
        hit
        == (
            f"id: {RUN}/105\nevent: hit\n"
            'data: {"number":8,"offset":103,"time":0.5,"stream":"stdout","text":"x","columns":[[0,1]],"match":103}\n\n'
        ).encode()
    )
    assert framer.resume_offset == 105
    assert (framer.flush(), framer.heartbeat()) == (b"", b": \n\n")
    gap = framer.gap(Gap(106, 110, "lost"))
    assert gap.count(b"event: hit") == 1
    assert gap.endswith(f'id: {RUN}/110\nevent: gap\ndata: {{"from":106,"to":110,"why":"lost"}}\n\n'.encode())
    assert framer.output(chunk(110, b"y")) == b""
    end = framer.end(INFO)
    assert end == f"id: {RUN}/111/end\nevent: end\ndata: ".encode() + msgspec.json.encode(INFO) + b"\n\n"


def test_how_far_it_is_when_no_more_comes() -> None:
    """Where nothing comes for a while, the client hears once that all whole lines were searched, and goes on there."""
    framer = HitsSseFramer(RUN, searcher())
    framer.begin(INFO)
    assert framer.output(chunk(0, b"a\nb\nhalf")) == b""
    assert framer.flush() == b"id: " + RUN.encode() + b'/4\nevent: searched\ndata: {"offset":4}\n\n'
    assert framer.flush() == b""
    framer.output(chunk(8, b" an x\n"))
    assert framer.flush() == b""  # the hit has told it


def test_ndjson() -> None:
    """The same objects with their types."""
    framer = HitsNdjsonFramer(RUN, searcher())
    lines = framer.begin(INFO) + framer.output(chunk(0, b"x\nno x")) + framer.gap(Gap(6, 9, "lost")) + framer.end(INFO)
    objects = [json.loads(line) for line in lines.splitlines()]
    assert [each["type"] for each in objects] == ["state", "hit", "hit", "gap", "end"]
    assert [each["number"] for each in objects[1:3]] == [1, 2]
    assert framer.heartbeat() == b""


@pytest.mark.parametrize("kind", [HitsSseFramer, HitsNdjsonFramer])
def test_another_goes_on_where_one_is(kind: type[HitsSseFramer | HitsNdjsonFramer]) -> None:
    """From the offset that a client would send back, it says what the first one says."""
    data = b"a x\nb\nx x\n\nxx"
    for cut in range(len(data) + 1):
        framer = kind(RUN, searcher())
        framer.output(chunk(0, data[:cut]))
        offset = framer.resume_offset
        other = framer.at(offset)
        assert other.resume_offset == offset
        assert other.output(chunk(offset, data[offset:])) + other.end(INFO) == framer.output(
            chunk(cut, data[cut:])
        ) + framer.end(INFO)


def test_a_long_search_tells_how_far_it_is() -> None:
    """After 4 MiB without a hit there is an id to go on from, at the beginning of the line that is not over."""
    framer = HitsSseFramer(RUN, searcher())
    block = b"nothing\n" * 8191 + b"nothing."
    told = b"".join(framer.output(chunk(number << 16, block)) for number in range(PROGRESS_BYTES >> 16))
    assert told == b""
    (_id, name, data, *_rest) = framer.output(chunk(PROGRESS_BYTES, block)).split(b"\n")
    assert name == b"event: searched"
    assert json.loads(data.removeprefix(b"data: ")) == {"offset": framer.resume_offset}
    assert PROGRESS_BYTES <= framer.resume_offset <= PROGRESS_BYTES + len(block)


def test_bytes_that_come_twice_are_refused() -> None:
    """As on every wire."""
    framer = HitsSseFramer(RUN, searcher())
    framer.output(chunk(0, b"abc"))
    with pytest.raises(StreamBroken):
        framer.output(chunk(2, b"c"))


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("text/*", "sse"),
        ("text/event-stream", "sse"),
        ("text/event-stream;q=0.1, application/json", "json"),
        ("image/png", None),
        ("application/json;q=0", None),
    ],
)
def test_what_a_client_prefers(accept: str | None, preferred: str | None) -> None:
    """Of what is offered, by the same rules as a wire; nothing, if it takes none."""
    assert prefer(accept, {"json": "application/json", "sse": "text/event-stream"}) == preferred
