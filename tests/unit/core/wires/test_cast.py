"""The cast wire."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.outcome import Lost
from tailrace.core.piece import Gap
from tailrace.core.timeline import TerminalSize
from tailrace.core.wires import framer
from tests.unit.core.wires.outputs import ERR, OUT, RUN, RUNNING, Output, chunk, outputs

PTY = msgspec.structs.replace(RUNNING, rows=30, columns=100)


def rows(stream: bytes) -> list[object]:
    """Return one value for each line."""
    *lines, rest = stream.split(b"\n")
    assert rest == b""
    return [msgspec.json.decode(line) for line in lines]


def test_a_terminal_is_played_as_it_was() -> None:
    """The header has its size; each stretch its time; bytes are not touched."""
    made = framer("cast", RUN, 0)
    framed = (
        made.begin(PTY) + made.output(chunk(0, b"one\r\n", OUT, 0.5)) + made.output(chunk(5, b"\r10%\n", OUT, 1.25))
    )
    framed += made.flush() + made.heartbeat() + made.state(PTY) + made.interval("silent") + made.end(PTY)
    header = {"version": 2, "width": 100, "height": 30, "title": "make", "tailrace": {"run": RUN, "offset": 0}}
    assert rows(framed) == [header, [0.5, "o", "one\r\n"], [1.25, "o", "\r10%\n"]]
    assert made.resume_offset == 10


def test_a_resize_is_played_where_it_happened() -> None:
    """The header has the last size; who goes on somewhere is told the size that there was."""
    made, small = framer("cast", RUN, 0), TerminalSize(24, 80)
    made.begin(PTY)
    framed = made.output(chunk(0, b"ab", OUT, 0.5)._replace(terminal=small))
    framed += made.output(chunk(2, b"c", OUT, 0.6)._replace(terminal=small))
    framed += made.output(chunk(3, b"d", OUT, 0.7)._replace(terminal=TerminalSize(30, 100)))
    framed += made.output(chunk(4, b"e", OUT, 0.8))
    first = [[0.5, "r", "80x24"], [0.5, "o", "ab"], [0.6, "o", "c"]]
    assert rows(framed) == [*first, [0.7, "r", "100x30"], [0.7, "o", "d"], [0.8, "o", "e"]]
    assert rows(made.at(5).output(chunk(5, b"f", OUT, 0.9)._replace(terminal=small)))[0] == [0.9, "r", "80x24"]
    assert len(rows(made.at(5).output(chunk(5, b"f", OUT, 0.9)._replace(terminal=TerminalSize(30, 100))))) == 1


def test_pipes_get_the_terminals_line_ends() -> None:
    """LF becomes CRLF, a CRLF stays one; a run without a terminal is 80 by 24; times never go back."""
    made = framer("cast", RUN, 3)
    header = rows(made.begin(RUNNING))[0]
    assert isinstance(header, dict)
    assert (header["width"], header["height"], header["tailrace"]["offset"]) == (80, 24, 3)
    framed = made.output(chunk(3, b"a\nb\r\n", OUT, 2.0)) + made.output(chunk(8, b"c", ERR, None))
    assert rows(framed) == [[2.0, "o", "a\r\nb\r\n"], [2.0, "o", "c"]]


def test_characters_stay_whole() -> None:
    """The beginning of a character waits for the rest, but not beyond a gap or the end."""
    made = framer("cast", RUN, 0)
    assert made.output(chunk(0, "é".encode()[:1])) == b""
    assert made.resume_offset == 0
    assert rows(made.output(chunk(1, "é".encode()[1:]))) == [[0.0, "o", "é"]]
    assert made.output(chunk(2, b"\xe2\x82")) == b""
    gap = [0.0, "m", "bytes 4 to 9 are missing: expired"]
    assert rows(made.gap(Gap(4, 9, "expired"))) == [[0.0, "o", "\ufffd"], gap]
    assert made.resume_offset == 9


def test_its_end_is_told() -> None:
    """By the last marker: a lost run's recording does not pass for a whole one."""
    lost = msgspec.structs.replace(RUNNING, outcome=Lost("its keeper died"))
    assert rows(framer("cast", RUN, 0).end(lost)) == [[0.0, "m", "lost: its keeper died"]]


@given(outputs, st.data())
def test_all_text_together_is_the_output(output: Output, data: st.DataObject) -> None:
    """However it was cut; a viewer may begin anywhere."""
    begin = data.draw(st.integers(0, len(output.data)))
    made = framer("cast", RUN, begin)
    framed = made.begin(PTY)
    for piece in output.chunks(begin, lambda most: data.draw(st.integers(1, most))):
        framed += made.output(piece)
        assert begin <= made.resume_offset <= piece.end
    framed += made.end(PTY)
    events = [msgspec.json.decode(line, type=tuple[float, str, str]) for line in framed.splitlines()[1:]]
    assert "".join(text for _time, _code, text in events) == output.decoded(begin, len(output.data))
