"""The sse wire."""

import msgspec
import pytest

from tailrace.core.piece import Gap
from tailrace.core.run import RunInfo
from tailrace.core.wires import LIMIT_BYTES, Framer, framer
from tests.unit.core.wires.event_source import Event, parse
from tests.unit.core.wires.outputs import ERR, OUT, RUN, RUNNING, GapObject, OutputObject, chunk, frame


def sse(offset: int = 0) -> Framer:
    """Return a new framer."""
    return framer("sse", RUN, offset)


def objects(stream: bytes) -> list[OutputObject]:
    """Return the objects of a stream that consists of output alone."""
    events = parse(stream)
    assert all(event.type == "output" for event in events)
    return [msgspec.json.decode(event.data, type=OutputObject) for event in events]


def texts(stream: bytes) -> list[str]:
    """Return the texts of a stream that consists of output alone."""
    return [found.text for found in objects(stream)]


def test_output_says_where_when_and_who() -> None:
    """An event has the offset where it begins, the time, the stream, and as id the offset after it."""
    made = sse(5)
    assert (
        made.output(chunk(5, b"caf\xc3\xa9\r\n", ERR, 1.25))
        == (
            f'id: {RUN}/12\nevent: output\ndata: {{"offset":5,"time":1.25,"stream":"stderr","text":"café\\r\\n"}}\n\n'
        ).encode()
    )
    assert made.resume_offset == 12


def test_an_unknown_time_is_null() -> None:
    """Without a timeline the text comes all the same."""
    assert b'"time":null' in sse().output(chunk(0, b"x\n"))


def test_begin_commits_the_id_and_tells_the_state() -> None:
    """Whoever connects, or comes back, knows at once where the run is in its life."""
    begun = sse(7).begin(RUNNING)
    assert begun.startswith(f"id: {RUN}/7\n\n".encode())
    (event,) = parse(begun)
    assert (event.type, event.last_event_id) == ("state", f"{RUN}/7")
    assert msgspec.json.decode(event.data, type=RunInfo) == RUNNING


def test_control_bytes_arrive() -> None:
    """What the lines wire cannot carry, this one does."""
    text = "10%\r20%\r\0\x1b[1m\x85\u2028\x7f\n"
    assert texts(sse().output(chunk(0, text.encode()))) == [text]


def test_text_without_its_newline_waits_for_silence() -> None:
    """A prompt is shown after 50 ms; until then a client that resumes gets it again."""
    made = sse()
    assert texts(made.output(chunk(0, b"one\nname: "))) == ["one\n"]
    assert made.resume_offset == 4
    assert texts(made.flush()) == ["name: "]
    assert made.resume_offset == 10
    assert made.flush() == b""
    assert texts(made.output(chunk(10, b"bob\n"))) == ["bob\n"]


def test_text_in_scraps_is_one_event() -> None:
    """What arrives within 50 ms is gathered, and has the time of its first byte."""
    made = sse()
    framed = made.output(chunk(0, b"a", OUT, 1.0)) + made.output(chunk(1, b"b", OUT, 1.04))
    assert framed == b""
    (event,) = objects(made.output(chunk(2, b"c\n", OUT, 1.08)))
    assert (event.text, event.offset, event.time) == ("abc\n", 0, 1.0)


def test_what_follows_a_line_has_its_own_time() -> None:
    """The beginning of the next line did not come when the line before it began."""
    made = sse()
    made.output(chunk(0, b"a", OUT, 1.0))
    made.output(chunk(1, b"b\nc", OUT, 1.03))
    (event,) = objects(made.flush())
    assert (event.text, event.offset, event.time) == ("c", 3, 1.03)


def test_silence_is_seen_in_the_chunks_times_too() -> None:
    """Who reads an old log gets the prompt and the answer at their own times."""
    made = sse()
    made.output(chunk(0, b"name: ", OUT, 1.0))
    prompt, answer = objects(made.output(chunk(6, b"bob\n", OUT, 9.0)))
    assert (prompt.text, prompt.time) == ("name: ", 1.0)
    assert (answer.text, answer.time) == ("bob\n", 9.0)


def test_streams_never_share_an_event() -> None:
    """A change of stream lets go what waits for its newline."""
    made = sse()
    framed = made.output(chunk(0, b"out", OUT)) + made.output(chunk(3, b"err\n", ERR))
    framed += made.output(chunk(7, b"!\n", OUT))
    assert [(found.stream, found.text) for found in objects(framed)] == [
        ("stdout", "out"),
        ("stderr", "err\n"),
        ("stdout", "!\n"),
    ]


@pytest.mark.parametrize("character", ["é", "€", "😀"])
def test_a_character_is_never_split(character: str) -> None:
    """Its first bytes wait for the others, through any silence."""
    raw = character.encode()
    for cut in range(1, len(raw)):
        made = sse()
        assert texts(made.output(chunk(0, b"a" + raw[:cut])) + made.flush()) == ["a"]
        assert made.flush() == b""
        assert made.resume_offset == 1
        assert texts(made.output(chunk(1 + cut, raw[cut:])) + made.flush()) == [character]


@pytest.mark.parametrize(
    "never", [b"\xff", b"\x80", b"\xc0", b"\xe0\x80", b"\xed\xa0", b"\xf0\x80", b"\xf4\x90", b"\xf5"]
)
def test_bytes_that_can_never_be_a_character_do_not_wait(never: bytes) -> None:
    """They are U+FFFD at once."""
    made = sse()
    assert texts(made.output(chunk(0, never)) + made.flush()) == [never.decode("utf-8", "replace")]


def test_half_a_character_at_the_end_is_shown() -> None:
    """It stays a U+FFFD: no byte goes unseen."""
    made = sse()
    made.output(chunk(0, b"a\xe2\x82"))
    made.flush()
    (rest, end) = parse(made.end(RUNNING))
    assert msgspec.json.decode(rest.data, type=OutputObject).text == "\ufffd"
    assert rest.last_event_id == f"{RUN}/3"
    assert (end.type, end.last_event_id) == ("end", f"{RUN}/3/end")


def test_a_character_interrupted_by_the_other_stream_is_two_halves() -> None:
    """One offset cannot stand before its first half and behind the interruption; so each half is decided by itself."""
    made = sse()
    framed = made.output(chunk(0, b"\xe2\x82")) + made.output(chunk(2, b"err\n", ERR))
    framed += made.output(chunk(6, b"\xac\n"))
    assert texts(framed) == ["\ufffd", "err\n", "\ufffd\n"]


def test_one_stream_alone_keeps_its_characters() -> None:
    """Where the other stream is left out, a character goes on behind it."""
    made = sse()
    assert made.output(chunk(0, b"\xe2\x82")) == b""
    (event,) = objects(made.output(chunk(90, b"\xac\n")))
    assert (event.text, event.offset) == ("€\n", 0)
    assert made.resume_offset == 92


def test_one_stream_alone_may_be_cut_where_it_was_interrupted() -> None:
    """The first bytes of a character stay behind with their own offset, on whichever side of the hole they lie."""
    made = sse()
    made.output(chunk(0, b"ab"))
    framed = made.output(chunk(50, b"\xe2")) + made.flush()
    assert [event.last_event_id for event in parse(framed)] == [f"{RUN}/2"]
    (event,) = objects(made.output(chunk(80, b"\x82\xac\n")))
    assert (event.text, event.offset) == ("€\n", 50)


def test_a_line_over_64_kib_is_marked() -> None:
    """Only a piece that its line's length has ended is `continued`; short lines around it are not."""
    output = b"short\n" + b"x" * (2 * LIMIT_BYTES + 10) + b"\nafter\n"
    found = objects(frame(sse(), output))
    assert [(len(event.text), event.continued) for event in found] == [
        (6, False),
        (LIMIT_BYTES, True),
        (LIMIT_BYTES, True),
        (17, False),
    ]
    assert "".join(event.text for event in found) == output.decode()


def test_many_lines_at_once_come_in_events_of_64_kib() -> None:
    """They end with whole lines, and no mark is needed."""
    output = b"0123456789\n" * 20_000
    found = objects(frame(sse(), output))
    assert all(len(event.text) <= LIMIT_BYTES and event.text.endswith("\n") for event in found)
    assert not any(event.continued for event in found)
    assert len(found) == -(-len(output) // (LIMIT_BYTES // 11 * 11))


def test_no_cut_parts_cr_from_lf() -> None:
    """A client that takes either for a line's end would see a phantom line."""
    output = b"x" * (LIMIT_BYTES - 1) + b"\r\n"
    assert texts(frame(sse(), output)) == ["x" * (LIMIT_BYTES - 1), "\r\n"]


@pytest.mark.parametrize("shift", range(4))
def test_pieces_end_between_characters(shift: int) -> None:
    """No cut makes a U+FFFD."""
    text = "x" * shift + "😀" * LIMIT_BYTES + "\n"
    got = texts(frame(sse(), text.encode()))
    assert "".join(got) == text
    assert all(len(piece.encode()) <= LIMIT_BYTES for piece in got)


def test_a_long_line_byte_by_byte_is_bounded() -> None:
    """However a line arrives, no more than 64 KiB of it waits."""
    made = sse()
    data = b"x" * 5000
    for offset in range(0, 50 * len(data), len(data)):
        made.output(chunk(offset, data))
        assert offset + len(data) - made.resume_offset <= LIMIT_BYTES


def test_a_gap_comes_after_what_was_held() -> None:
    """Its id is where it ends, and output goes on there."""
    made = sse()
    made.output(chunk(0, b"half"))
    half, gap = parse(made.gap(Gap(4, 50, "truncated")))
    assert (half.type, half.last_event_id) == ("output", f"{RUN}/4")
    assert (gap.type, gap.last_event_id) == ("gap", f"{RUN}/50")
    assert msgspec.json.decode(gap.data, type=GapObject) == GapObject(4, 50, "truncated")
    assert texts(made.output(chunk(50, b"on\n"))) == ["on\n"]


def test_hostile_text_stays_within_its_event() -> None:
    """Output that looks like an event stream does not become one."""
    hostile = b"\n\nevent: end\ndata: {}\nid: 0/0/end\n\n"
    (event,) = parse(sse().output(chunk(0, hostile)))
    assert isinstance(event, Event)
    assert (event.type, event.last_event_id) == ("output", f"{RUN}/{len(hostile)}")


def test_who_lags_is_told_and_loses_nothing() -> None:
    """The news has the id of where the viewer is: to come back with it goes on, to come back with `tail` skips."""
    made = sse()
    made.output(chunk(0, b"one\nhalf"))
    [news] = parse(made.lagging(9_000_000))
    assert (news.type, news.last_event_id) == ("lagging", f"{RUN}/4")
    assert msgspec.json.decode(news.data) == {"offset": 4, "behind": 9_000_000}
    assert texts(made.flush()) == ["half"]
