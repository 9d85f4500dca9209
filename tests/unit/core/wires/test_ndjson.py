"""The ndjson wire."""

import msgspec

from tailrace.core.piece import Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import TerminalSize
from tailrace.core.wires import framer
from tests.unit.core.wires.outputs import ERR, OUT, RUN, RUNNING, GapObject, OutputObject, chunk, frame


class TypedOutput(OutputObject, tag_field="type", tag="output"):
    """As in sse, with its type."""


class TypedGap(GapObject, tag_field="type", tag="gap"):
    """As in sse, with its type."""


class TypedState(RunInfo, frozen=True, kw_only=True, tag_field="type", tag="state"):
    """The run as it is."""


class TypedEnd(RunInfo, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The run as it ended."""


def objects(stream: bytes) -> list[TypedOutput | TypedGap | TypedState | TypedEnd]:
    """Return one object for each line."""
    *lines, rest = stream.split(b"\n")
    assert rest == b""
    return [msgspec.json.decode(line, type=TypedOutput | TypedGap | TypedState | TypedEnd) for line in lines]


def test_a_whole_stream() -> None:
    """The state first, then output with its gaps, and the end, without which it is not complete."""
    made = framer("ndjson", RUN, 0)
    framed = made.begin(RUNNING)
    framed += made.output(chunk(0, b"one\ntw", OUT, 0.5)) + made.flush()
    framed += made.output(chunk(6, b"\xffo\n", ERR))
    framed += made.gap(Gap(9, 12, "damage"))
    framed += made.output(chunk(12, b"last")) + made.heartbeat() + made.end(RUNNING)
    fields = msgspec.structs.asdict(RUNNING)
    assert objects(framed) == [
        TypedState(**fields),
        TypedOutput(0, 0.5, "stdout", "one\n"),
        TypedOutput(4, 0.5, "stdout", "tw"),
        TypedOutput(6, None, "stderr", "\ufffdo\n"),
        TypedGap(9, 12, "damage"),
        TypedOutput(12, None, "stdout", "last"),
        TypedEnd(**fields),
    ]
    assert made.resume_offset == 16
    assert made.aborts


def test_a_terminal_s_size_is_told_where_it_is_another() -> None:
    """In the first piece, and in each that was written for another size; never of what no terminal wrote."""
    made, small, large = framer("ndjson", RUN, 0), TerminalSize(24, 80), TerminalSize(50, 132)
    framed = made.output(chunk(0, b"a\n", OUT, 0.5)._replace(terminal=small))
    framed += made.output(chunk(2, b"b\nc", OUT, 0.5)._replace(terminal=small))
    framed += made.output(chunk(5, b"d\n", OUT, 0.5)._replace(terminal=large))
    framed += made.output(chunk(7, b"e\n", OUT, 0.5))
    assert objects(framed) == [
        TypedOutput(0, 0.5, "stdout", "a\n", rows=24, columns=80),
        TypedOutput(2, 0.5, "stdout", "b\n"),
        TypedOutput(4, 0.5, "stdout", "c"),
        TypedOutput(5, 0.5, "stdout", "d\n", rows=50, columns=132),
        TypedOutput(7, 0.5, "stdout", "e\n"),
    ]
    assert objects(framer("ndjson", RUN, 0).output(chunk(0, b"a\n", OUT, 0.5))) == [
        TypedOutput(0, 0.5, "stdout", "a\n")
    ]


def test_what_was_held_comes_before_a_gap() -> None:
    """Text without its newline is not lost, and the offset goes on behind the gap."""
    made = framer("ndjson", RUN, 0)
    frame(made, b"half\xe2")
    assert made.resume_offset == 0
    assert objects(made.gap(Gap(5, 9, "expired"))) == [
        TypedOutput(0, None, "stdout", "half\ufffd"),
        TypedGap(5, 9, "expired"),
    ]
    assert made.resume_offset == 9


def test_a_heartbeat_is_nothing() -> None:
    """Each line is an object, so there is none to send."""
    assert framer("ndjson", RUN, 0).heartbeat() == b""
