"""No repeat and no loss: whatever the bytes, the chunks, the silences and the cuts."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.wires import LIMIT_BYTES, framer, gather, lines, parse_event_id
from tests.unit.core.wires.event_source import Event, EventSource
from tests.unit.core.wires.outputs import RUN, RUNNING, Output, OutputObject, outputs

SMALL = 8
"""stands for 64 KiB, so that short examples have long lines"""


@pytest.fixture(params=["64 KiB", "8 bytes"], autouse=True, scope="module")
def limit(request: pytest.FixtureRequest) -> Iterator[int]:
    """Test with the true limit, and with one that examples reach."""
    if request.param == "64 KiB":
        yield LIMIT_BYTES
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LIMIT_BYTES", SMALL)
        patch.setattr(lines, "_PENDING_BYTES", SMALL + 1)
        patch.setattr(gather, "LIMIT_BYTES", SMALL)
        yield SMALL


def connect(wire: str, output: Output, offset: int, data: st.DataObject) -> bytes:
    """Return the bytes of one connection that lasts until the end."""
    made = framer(wire, RUN, offset)
    stream = made.begin(RUNNING)
    for piece in output.chunks(offset, lambda most: data.draw(st.integers(1, most))):
        stream += made.output(piece)
        for extra in data.draw(st.lists(st.sampled_from([made.flush, made.heartbeat]), max_size=2)):
            stream += extra()
        if data.draw(st.booleans()):
            stream += made.state(RUNNING)
        assert offset <= made.resume_offset <= piece.end
    return stream + made.end(RUNNING)


def watch(wire: str, output: Output, offset: int, data: st.DataObject) -> list[Event]:
    """Return all events but states that a client got who began at `offset` and was cut off a few times at any byte."""
    events: list[Event] = []
    cuts_left = data.draw(st.integers(0, 4))
    position, is_end = offset, False
    while not is_end:
        stream = connect(wire, output, position, data)
        size = data.draw(st.integers(0, len(stream))) if cuts_left else len(stream)
        source = EventSource().read(stream[:size])
        events += [event for event in source.events if event.type != "state"]
        if source.last_event_id:
            _, position, is_end = parse_event_id(source.last_event_id)
        cuts_left -= 1
    assert events.pop().last_event_id == f"{RUN}/{len(output.data)}/end"
    return events


@given(output=outputs, data=st.data())
def test_lines(limit: int, output: Output, data: st.DataObject) -> None:
    """Each event is the text of its bytes, the bytes of all events are the output, and they end at line ends."""
    position = begin = data.draw(st.integers(0, len(output.data)))
    text = ""
    for event in watch("lines", output, begin, data):
        _, end, _ = parse_event_id(event.last_event_id)
        assert position < end
        raw = output.data[position:end]
        assert b"\n" not in raw[:-1]
        assert raw.endswith(b"\n") or end == len(output.data) or limit - 4 < len(raw) <= limit
        text += event.data + ("\n" if raw.endswith(b"\n") else "")
        position = end
    assert position == len(output.data)
    whole = output.data[begin:].decode("utf-8", "replace")
    assert text == whole.replace("\r\n", "\n").replace("\r", "\n")


@given(output=outputs, data=st.data())
def test_sse(limit: int, output: Output, data: st.DataObject) -> None:
    """Each event is the text of its bytes, all of one stream, and together they are the output."""
    position = begin = data.draw(st.integers(0, len(output.data)))
    text = ""
    for event in watch("sse", output, begin, data):
        found = msgspec.json.decode(event.data, type=OutputObject)
        _, end, _ = parse_event_id(event.last_event_id)
        assert found.offset == position
        assert {stream.label for stream in output.streams[position:end]} == {found.stream}
        assert end - position <= limit
        assert not (found.continued and found.text.endswith("\n"))
        text += found.text
        position = end
    assert position == len(output.data)
    assert text == output.decoded(begin, len(output.data))


@given(outputs, st.data())
def test_ndjson(output: Output, data: st.DataObject) -> None:
    """The objects are those of sse, in order and without a hole."""
    begin = data.draw(st.integers(0, len(output.data)))
    rows = connect("ndjson", output, begin, data).split(b"\n")
    found = [msgspec.json.decode(row, type=_Row) for row in rows[:-1]]
    assert (found[0].type, found[-1].type, rows[-1]) == ("state", "end", b"")
    pieces = [row for row in found if row.type == "output"]
    assert [row.offset for row in pieces] == sorted({row.offset for row in pieces})
    assert "".join(row.text for row in pieces) == output.decoded(begin, len(output.data))


@given(outputs, st.sampled_from(["lines", "sse"]), st.data())
def test_framers_at_the_same_offset_are_interchangeable(output: Output, wire: str, data: st.DataObject) -> None:
    """A viewer may leave its framer for another one wherever both would be resumed at the same offset."""
    mine, theirs = framer(wire, RUN, 0), framer(wire, RUN, 0)
    stream, is_mine = b"", True
    for piece in output.chunks(0, lambda most: data.draw(st.integers(1, most))):
        my_part, their_part = mine.output(piece), theirs.output(piece)
        if data.draw(st.booleans()):
            their_part += theirs.flush()
        stream += my_part if is_mine else their_part
        if mine.resume_offset == theirs.resume_offset:
            is_mine = data.draw(st.booleans())
    stream += (mine if is_mine else theirs).end(RUNNING)
    ends = [parse_event_id(event.last_event_id).offset for event in EventSource().read(stream).events]
    assert ends[-1] == len(output.data)
    alone = [event for event in watch(wire, output, 0, data) if event.type != "end"]
    assert _text(wire, output, EventSource().read(stream).events[:-1]) == _text(wire, output, alone)


class _Row(msgspec.Struct):
    type: str
    offset: int = -1
    text: str = ""


def _text(wire: str, output: Output, events: list[Event]) -> str:
    if wire == "sse":
        return "".join(msgspec.json.decode(event.data, type=OutputObject).text for event in events)
    ends = [parse_event_id(event.last_event_id).offset for event in events]
    is_line = [output.data[end - 1 : end] == b"\n" for end in ends]
    return "".join(event.data + "\n" * whole for event, whole in zip(events, is_line, strict=True))
