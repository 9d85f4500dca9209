"""The lines wire."""

import msgspec
import pytest

from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Gap
from tailrace.core.run import RunInfo
from tailrace.core.wires import LIMIT_BYTES, framer
from tests.unit.core.wires.event_source import Event, EventSource, parse
from tests.unit.core.wires.outputs import ERR, RUN, RUNNING, GapObject, chunk, frame


def lines(*pieces: bytes) -> list[str]:
    """Return the data of the events, the end's left out."""
    made = framer("lines", RUN, 0)
    events = parse(frame(made, *pieces) + made.end(RUNNING))
    assert events[-1].type == "end"
    return [event.data for event in events[:-1]]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"\n\n", ["", ""]),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\ntwo", ["one", "two"]),
        (b" leading and trailing \n", [" leading and trailing "]),
        (b"data: x\nid: 7\n: no comment\n", ["data: x", "id: 7", ": no comment"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\r\n", [""]),
        (b"a\r\r\n", ["a\n"]),
        (b"10%\r20%\rdone\n", ["10%\n20%\ndone"]),
        (b"10%\r", ["10%\n"]),
        (b"\r", ["\n"]),
        (b"a\x0bb\x0cc\x1cd\n", ["a\x0bb\x0cc\x1cd"]),
        ("a\x85b\u2028c\u2029d\n".encode(), ["a\x85b\u2028c\u2029d"]),
        ("é€😀\n".encode(), ["é€😀"]),
        (b"\xef\xbb\xbfbom\n", ["\ufeffbom"]),
        (b"nul\0\x1b[1m\n", ["nul\0\x1b[1m"]),
        (b"bad \xff\xfe\n", ["bad \ufffd\ufffd"]),
        (b"cut \xe2\x82\nnext\n", ["cut \ufffd", "next"]),
        (b"cut \xe2\x82", ["cut \ufffd"]),
        (b"\x82\xac rest\n", ["\ufffd\ufffd rest"]),
        (b"bad\xff\r\nand\rgood \xe2\x82\xac\n", ["bad\ufffd", "and\ngood €"]),
    ],
)
def test_each_line_is_an_event_however_it_arrives(output: bytes, expected: list[str]) -> None:
    """Whole, byte by byte, or in two parts cut anywhere: the client gets the same lines."""
    assert lines(output) == expected
    assert lines(*[bytes([byte]) for byte in output]) == expected
    for cut in range(len(output)):
        assert lines(output[:cut], output[cut:]) == expected


def test_an_event_is_one_block_with_its_id() -> None:
    """The bytes on the wire are as simple as the article's, with an id that says what to resume from."""
    made = framer("lines", RUN, 100)
    assert frame(made, b"one\r\ntwo\n", offset=100) == (
        f"id: {RUN}/105\ndata: one\n\nid: {RUN}/109\ndata: two\n\n".encode()
    )
    assert made.resume_offset == 109


def test_begin_commits_the_id_before_the_first_event() -> None:
    """A client that is cut off after the preamble brings the id back, and the state goes past `onmessage`."""
    begun = framer("lines", RUN, 7).begin(RUNNING)
    assert begun.startswith(f"id: {RUN}/7\n\n".encode())
    assert EventSource().read(begun[: begun.index(b"\n\n") + 2]).last_event_id == f"{RUN}/7"
    (event,) = parse(begun)
    assert (event.type, event.last_event_id) == ("state", f"{RUN}/7")
    assert msgspec.json.decode(event.data, type=RunInfo) == RUNNING


def test_half_a_line_waits_and_is_not_counted() -> None:
    """Silence lets no half line go, and a client that resumes meanwhile gets the line from its beginning."""
    made = framer("lines", RUN, 0)
    assert frame(made, b"one\ntw") == f"id: {RUN}/4\ndata: one\n\n".encode()
    assert made.flush() == b""
    assert made.resume_offset == 4
    assert made.output(chunk(6, b"o\n")) == f"id: {RUN}/8\ndata: two\n\n".encode()


def test_a_state_in_the_middle_of_a_line_has_the_line_before_it_as_id() -> None:
    """A client that resumes from a state's id loses nothing of what was held back."""
    made = framer("lines", RUN, 0)
    frame(made, b"one\ntw")
    (event,) = parse(made.state(RUNNING))
    assert event.last_event_id == f"{RUN}/4"


def test_streams_share_lines() -> None:
    """A line is a line of the output, whoever wrote its parts."""
    made = framer("lines", RUN, 0)
    assert made.output(chunk(0, b"out ")) == b""
    assert made.output(chunk(4, b"err\n", ERR)) == f"id: {RUN}/8\ndata: out err\n\n".encode()


def test_one_stream_alone_keeps_its_lines() -> None:
    """Where the other stream is left out, a line goes on behind it, and its id lies behind it too."""
    made = framer("lines", RUN, 0)
    assert made.output(chunk(0, b"be")) == b""
    assert made.resume_offset == 0
    assert made.output(chunk(50, b"gin\nnext")) == f"id: {RUN}/54\ndata: begin\n\n".encode()
    assert made.output(chunk(90, b"\n")) == f"id: {RUN}/91\ndata: next\n\n".encode()


def test_a_long_line_alone_among_others_keeps_its_offsets() -> None:
    """A cut within a line that was written in two places has the offset of the place where it lies."""
    made = framer("lines", RUN, 0)
    first = b"x" * (LIMIT_BYTES - 10)
    assert made.output(chunk(0, first)) == b""
    events = parse(made.output(chunk(1_000_000, b"y" * 30)) + made.output(chunk(2_000_000, b"z\n")))
    assert [event.data for event in events] == ["x" * len(first) + "y" * 10, "y" * 20 + "z"]
    assert [event.last_event_id for event in events] == [f"{RUN}/1000010", f"{RUN}/2000002"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("size", [LIMIT_BYTES - 1, LIMIT_BYTES, LIMIT_BYTES + 1, LIMIT_BYTES + 2, 3 * LIMIT_BYTES])
@pytest.mark.parametrize("step", [1000, LIMIT_BYTES, 10 * LIMIT_BYTES])
def test_a_line_over_64_kib_comes_in_pieces(size: int, step: int, line_end: bytes) -> None:
    """The pieces are the same however the line arrives, none is empty, and what follows is whole."""
    output = b"before\n" + b"x" * size + line_end + (b"after\n" if line_end else b"")
    got = lines(*[output[i : i + step] for i in range(0, len(output), step)])
    whole, rest = divmod(size, LIMIT_BYTES)
    pieces = ["x" * LIMIT_BYTES] * whole + (["x" * rest] if rest else [])
    assert got == ["before", *pieces, *(["after"] if line_end else [])]


def test_a_line_of_64_kib_is_one_event_even_if_its_crlf_comes_apart() -> None:
    """Until the next byte is here, a CR may belong to the line's end."""
    assert lines(b"x" * LIMIT_BYTES + b"\r", b"\n") == ["x" * LIMIT_BYTES]
    assert lines(b"x" * LIMIT_BYTES, b"\r", b"\r\n") == ["x" * LIMIT_BYTES, "\n"]


@pytest.mark.parametrize("shift", range(4))
def test_pieces_end_between_characters(shift: int) -> None:
    """No cut makes a U+FFFD."""
    text = "x" * shift + "😀" * LIMIT_BYTES
    got = lines((text + "\n").encode())
    assert "".join(got) == text
    assert all(len(piece.encode()) <= LIMIT_BYTES for piece in got)


def test_a_gap_comes_after_what_was_held_and_ends_where_it_ends() -> None:
    """Nothing more of the line can come, so it is shown; the gap's id resumes behind the gap."""
    made = framer("lines", RUN, 0)
    frame(made, b"one\ntw")
    line, gap = parse(made.gap(Gap(6, 50, "expired")))
    assert line == Event("message", "tw", f"{RUN}/6")
    assert (gap.type, gap.last_event_id) == ("gap", f"{RUN}/50")
    assert msgspec.json.decode(gap.data, type=GapObject) == GapObject(6, 50, "expired")
    assert made.resume_offset == 50


def test_the_end_carries_the_run_and_its_mark() -> None:
    """After a last line without its newline comes the end, whose id says that nothing is left to fetch."""
    made = framer("lines", RUN, 0)
    frame(made, b"last")
    line, end = parse(made.end(RUNNING))
    assert line == Event("message", "last", f"{RUN}/4")
    assert (end.type, end.last_event_id) == ("end", f"{RUN}/4/end")
    assert msgspec.json.decode(end.data, type=RunInfo) == RUNNING


def test_a_heartbeat_dispatches_nothing() -> None:
    """It keeps proxies awake, and clients see neither an event nor another id."""
    source = EventSource("before").read(framer("lines", RUN, 0).heartbeat())
    assert (source.events, source.comments, source.last_event_id) == ([], 1, "before")


def test_bytes_that_come_twice_are_refused() -> None:
    """A repeat is an error of whoever feeds the framer; it never reaches a client."""
    made = framer("lines", RUN, 10)
    with pytest.raises(StreamBroken, match="comes after offset 10") as caught:
        made.output(chunk(9, b"x"))
    assert caught.value.hint
