"""The sse wire, written by its framer and read by its client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Chunk, Gap
from tailrace.core.timeline import Stream
from tailrace.core.wires.sse import SseFramer
from tailrace.engine.remote.events import Begun, Ended, Event, EventReader, State, Told
from tests.unit.core.wires.outputs import RUN, RUNNING, extents


def framed(output: list[tuple[Stream, bytes]], *, flushes: bool) -> bytes:
    """Return the whole stream of an output."""
    framer, at, parts = SseFramer(RUN, 0), 0, []
    parts.append(framer.begin(RUNNING))
    for stream, data in output:
        parts.append(framer.output(Chunk(at, data, stream, at / 10)))
        at += len(data)
        parts.append(framer.flush() if flushes else framer.heartbeat())
    parts += [framer.gap(Gap(at, at + 5, "a reason")), framer.state(RUNNING), framer.end(RUNNING)]
    return b"".join(parts)


def read(data: bytes, cuts: list[int]) -> list[Event]:
    """Return the events of a stream that came cut in these places."""
    reader, events, begin = EventReader(RUN), [], 0
    for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        events += reader.feed(data[begin:end])
        begin = end
    return events


@given(extents, st.booleans(), st.lists(st.integers(0, 3000), max_size=8))
def test_every_byte_has_its_place(output: list[tuple[Stream, bytes]], flushes: bool, cuts: list[int]) -> None:
    """Pieces follow one another; each has its bytes, or says that they are to be fetched, and only where it must."""
    whole = b"".join(data for _stream, data in output)
    events = read(framed(output, flushes=flushes), cuts)
    told = [event for event in events if isinstance(event, Told)]
    at = 0
    for piece in told:
        assert piece.begin == at
        data = whole[piece.begin : piece.end]
        assert (
            piece.data == data if piece.data is not None else b"\xef\xbf\xbd" in data.decode(errors="replace").encode()
        )
        at = piece.end
    assert at == len(whole)
    labels = b"".join(bytes([piece.stream]) * (piece.end - piece.begin) for piece in told)
    assert labels == b"".join(bytes([stream]) * len(data) for stream, data in output)
    assert events[:2] == [Begun(0), State(RUNNING)]
    assert events[-3:] == [Gap(at, at + 5, "a reason"), State(RUNNING), Ended(RUNNING)]


def test_a_true_replacement_character_is_fetched() -> None:
    """Nobody can tell it from one that stands for something else."""
    [event] = [
        event
        for event in read(framed([(Stream.STDOUT, b"\xef\xbf\xbd\n")], flushes=False), [])
        if isinstance(event, Told)
    ]
    assert (event.begin, event.end, event.data) == (0, 4, None)


@pytest.mark.parametrize(
    "data",
    [
        b"id: x\n\n",
        b"id: " + b"0" * 27 + b"/0\n\n",
        f"id: {RUN}/1\nevent: output\ndata: {{\n\n".encode(),
        f'id: {RUN}/1\nevent: output\ndata: {{"offset":0,"time":0,"stream":"x","text":"a"}}\n\n'.encode(),
        f"id: {RUN}/1\nevent: end\ndata: {{}}\n\n".encode(),
        b"x" * (17 << 20),
    ],
    ids=range(6),
)
def test_nonsense_is_refused(data: bytes) -> None:
    """Another run's events, what is no JSON, an unknown stream, an event without an end."""
    with pytest.raises(StreamBroken) as caught:
        EventReader(RUN).feed(data)
    assert caught.value.hint


def test_what_is_not_known_is_passed_over() -> None:
    """Comments, events for people, and those of later versions; unknown fields too."""
    data = f': \n\nid: {RUN}/0\nevent: interval\ndata: {{"text":"x"}}\n\nid: {RUN}/0\nevent: new\ndata: 1\n\n'.encode()
    data += (
        f'id: {RUN}/1\nevent: output\ndata: {{"offset":0,"time":null,"stream":"mixed","text":"a","x":1}}\n\n'.encode()
    )
    assert EventReader(RUN).feed(data) == [Told(0, 1, b"a", Stream.MIXED, None, None)]
