import msgspec
import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.piece import Chunk
from tailrace.core.wires import PLAIN, framer, kind
from tests.unit.core.wires.event_source import EventSource
from tests.unit.core.wires.outputs import OUT, RUN

COLOURED = b"\x1b[31mred\x1b[0m one\n\x1b]0;a title\x07two\n"


def framed(wire: str, size: int) -> bytes:
    """Return the output in chunks of this size, on the plain wire."""
    made = framer(wire, RUN, 0, is_plain=True)
    chunks = [Chunk(at, COLOURED[at : at + size], OUT, 0.5) for at in range(0, len(COLOURED), size)]
    return b"".join(map(made.output, chunks)) + made.flush()


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_text_without_colours(size: int) -> None:
    """What is left, and nothing between."""
    assert framed("text", size) == b"red one\ntwo\n"


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("wire", ["lines", "sse"])
def test_ids_are_offsets_of_the_output(wire: str, size: int) -> None:
    """Whoever resumes by an id goes on in the output as it was written: behind the line's LF, before its colours."""
    events = EventSource().read(framed(wire, size)).events
    assert [event.last_event_id for event in events][-1] == f"{RUN}/{len(COLOURED)}"
    if wire == "lines":
        assert [event.data for event in events] == ["red one", "two"]
        assert events[0].last_event_id == f"{RUN}/{COLOURED.index(b'one') + 4}"


def test_ndjson_has_the_places_of_its_texts() -> None:
    """An object's offset is where its first character stands in the output."""
    objects = [msgspec.json.decode(line) for line in framed("ndjson", 1000).splitlines()]
    assert "".join(each["text"] for each in objects) == "red one\ntwo\n"
    assert objects[0]["offset"] == COLOURED.index(b"red")


@pytest.mark.parametrize("wire", sorted(PLAIN))
def test_a_plain_wire_is_not_passed_bytes_by_the_way(wire: str) -> None:
    """It has to see each byte; else it is like its wire."""
    plain, usual = kind(wire, is_plain=True), kind(wire, is_plain=False)
    assert not plain.passes
    assert (plain.name, plain.content_type, plain.aborts) == (usual.name, usual.content_type, usual.aborts)


def test_a_recording_keeps_its_colours() -> None:
    """The cast is for terminals: it says so, instead of leaving the option out."""
    with pytest.raises(InvalidInput) as caught:
        kind("cast", is_plain=True)
    assert caught.value.subject == "ansi"
