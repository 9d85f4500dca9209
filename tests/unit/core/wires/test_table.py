"""The wires by name, and the choice among them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import UnknownWire
from tailrace.core.wires import WIRES, choose, framer
from tailrace.core.wires.table import is_named
from tests.unit.core.wires.outputs import RUN

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def test_the_table() -> None:
    """Names, types, and who must abort are what the design says."""
    assert {name: (wire.content_type, wire.aborts) for name, wire in WIRES.items()} == {
        "text": ("text/plain; charset=utf-8", True),
        "lines": ("text/event-stream", False),
        "sse": ("text/event-stream", False),
        "ndjson": ("application/x-ndjson", True),
        "cast": ("application/x-asciicast", True),
    }


@pytest.mark.parametrize("name", list(WIRES))
def test_a_framer_begins_where_it_is_told(name: str) -> None:
    """Nothing was returned yet, so the place to resume is the place to begin."""
    made = framer(name, RUN, 42)
    assert isinstance(made, WIRES[name])
    assert made.resume_offset == 42


@pytest.mark.parametrize(
    ("accept", "wire"),
    [
        (None, "text"),
        ("", "text"),
        ("  ", "text"),
        ("*/*", "text"),
        (BROWSER, "text"),
        ("text/plain", "text"),
        ("text/*", "text"),
        ("TEXT/Plain; charset=utf-8", "text"),
        ("text/event-stream", "lines"),
        ("text/event-stream, */*", "lines"),
        ("*/*, text/event-stream", "lines"),
        ("text/event-stream;q=0.1, */*;q=0.05", "lines"),
        ("text/event-stream, */*;q=0.5", "lines"),
        ("text/event-stream;q=0.5, text/plain", "text"),
        ("text/plain, text/event-stream", "text"),
        ("text/event-stream, text/plain", "lines"),
        ("application/x-ndjson", "ndjson"),
        ("application/*", "ndjson"),
        ("application/json, application/x-ndjson;q=0.9, */*;q=0.1", "ndjson"),
        ("text/plain;q=0, */*", "lines"),
        ("text/*;q=0, */*", "ndjson"),
        ("text/*;q=0.3, text/event-stream;q=0.7", "lines"),
        ("text/event-stream;q=oops, text/plain;q=0.1", "text"),
        ("text/event-stream;q=1.5, application/x-ndjson;q=0.2", "ndjson"),
        ("nonsense, ,;;;, /, application/x-ndjson", "ndjson"),
        ("text/event-stream;level=1;q=0.2, application/x-ndjson;q=0.3", "ndjson"),
    ],
)
def test_accept_decides(accept: str | None, wire: str) -> None:
    """The highest quality wins, then precision, then order; who takes anything gets text."""
    assert choose(accept, None) == wire


def test_an_event_stream_is_what_the_route_prefers() -> None:
    """The article's route gives lines, the page's gives sse."""
    assert choose("text/event-stream", None, event_stream="sse") == "sse"


@pytest.mark.parametrize("name", list(WIRES))
def test_format_decides_alone(name: str) -> None:
    """A query in the address is stronger than what the client's library sends by itself."""
    assert choose("application/json", name) == name


@pytest.mark.parametrize(
    ("accept", "name"),
    [("application/json", None), ("*/*;q=0", None), ("garbage", None), (None, "json"), (None, ""), (None, "SSE")],
)
def test_what_does_not_exist_is_refused_with_what_does(accept: str | None, name: str | None) -> None:
    """The hint lists every wire."""
    with pytest.raises(UnknownWire) as caught:
        choose(accept, name)
    assert all(wire in caught.value.hint for wire in WIRES)


def test_a_framer_of_an_unknown_wire_is_refused() -> None:
    """However long its name is, the message stays short."""
    with pytest.raises(UnknownWire) as caught:
        framer("x" * 10_000, RUN, 0)
    assert len(str(caught.value)) < 100


@given(st.text(alphabet="text/plain*;q=01.5, even-sr\t\0", max_size=60))
def test_no_header_does_worse_than_being_refused(accept: str) -> None:
    """Whatever a client sends, the answer is a wire or `UnknownWire`."""
    with contextlib.suppress(UnknownWire):
        assert choose(accept, None) in WIRES


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("text/*", False),
        (BROWSER, False),
        ("application/json, text/plain, */*", False),
        ("text/plain;q=0", False),
        ("application/json;q=0.5, text/event-stream;q=0.4", False),
        ("text/plain", True),
        ("Text/Event-Stream", True),
        ("application/x-ndjson, */*", True),
        ("application/json;q=0.4, text/event-stream;q=0.5", True),
    ],
)
def test_a_wire_is_named(accept: str | None, *, expected: bool) -> None:
    """By its own type, before JSON; whoever takes anything has not asked for one."""
    assert is_named(accept) is expected
