r"""What may reach a terminal."""

import itertools
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.terminal import TerminalFilter, escape_text

HARMLESS = re.compile(
    r"(?:[\x08-\x0d\x20-\x7e]|[^\x00-\x9f]|\x1b[78DEM]|\x1b\[[0-9;:]*[A-HJKLMPSTXZIf@`abdemsu])*",
)
"""written anew from what terminals do, to check the filter's own list"""

TOKENS = (
    *(bytes([byte]) for byte in range(0x20)),
    *(b"\x1b" + bytes([byte]) for byte in b"[]PX^_k\\c78(=DEMNOZ#% "),
    *(bytes([byte]) for byte in (*range(0x7F, 0xA0), 0xC2, 0xE2, 0xF0, 0xFF)),
    *(chr(code).encode() for code in range(0x80, 0xA0)),
    b"\x1b[",
    b"\x9b",
    b"\x1b[31m",
    b"\x1b[?1049h",
    b"\x1b]0;title\x07",
    b"52;c;aGk=",
    "é€😀".encode(),
    *(bytes([byte]) for byte in b"0123456789;:<=>?@ABHJKTabchmnpqrstux!\"$'~ "),
)
streams = st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join) | st.binary(max_size=40)


def filtered(*pieces: bytes) -> bytes:
    """Return all that a filter lets through."""
    made = TerminalFilter()
    return b"".join([made.feed(piece) for piece in pieces]) + made.finish()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text\r\n\ttab, \b backspace\x0b\x0c\n",
        "é€😀 \u202e ✛ right".encode(),
        b"\x1b[m\x1b[0;1;31mred\x1b[38;2;255;0;10mrgb\x1b[38:5:9mcolon\x1b[0m",
        b"\x1b[2K\x1b[K\x1b[J\x1b[2J\x1b[1;1H\x1b[10;20f\x1b[3A\x1b[B\x1b[C\x1b[4D\x1b[E\x1b[F\x1b[7G\x1b[5d",
        b"\x1b[2L\x1b[M\x1b[3P\x1b[@\x1b[9X\x1b[S\x1b[2T\x1b[5b",
        b"\x1b7\x1b8\x1b[s\x1b[u\x1bD\x1bE\x1bM",
        ("\u201b\u209b " * 3).encode(),
    ],
)
def test_text_colours_and_movement_pass(data: bytes) -> None:
    """A progress bar, a coloured compiler, a table: all as the command wrote it, byte for byte."""
    assert filtered(data) == data
    assert filtered(*[bytes([byte]) for byte in data]) == data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x07", id="bell"),
        pytest.param(b"\x05", id="enquiry, answered by some terminals"),
        pytest.param(b"\x0e\x0f", id="shift out, shift in"),
        pytest.param(b"\0\x01\x7f", id="other controls"),
        pytest.param(b"\x1b]0;rm -rf\x07", id="title"),
        pytest.param(b"\x1b]2;title\x1b\\", id="title with ST"),
        pytest.param(b"\x1b]2;title\xc2\x9c", id="title with 8-bit ST"),
        pytest.param(b"\x1b]52;c;ZXZpbA==\x07", id="clipboard"),
        pytest.param(b"\x1b]8;;file:///etc/passwd\x1b\\", id="link"),
        pytest.param(b"\x1b]1337;File=:AAAA\x07", id="file transfer"),
        pytest.param(b"\x1b]11;?\x07", id="colour query"),
        pytest.param(b"\x1bP$qm\x1b\\", id="DECRQSS"),
        pytest.param(b"\x1bPq#0~~\x07~~\x1b\\", id="sixel, in which BEL ends nothing"),
        pytest.param(b"\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\", id="passed through tmux"),
        pytest.param(b"\x1b_Ga=T;AAAA\x1b\\", id="APC, kitty's images"),
        pytest.param(b"\x1b^message\x1b\\", id="PM"),
        pytest.param(b"\x1bXstart of string\x1b\\", id="SOS"),
        pytest.param(b"\x1bktitle\x1b\\", id="title of screen and tmux"),
        pytest.param(b"\x1b[6n\x1b[5n\x1b[?15n", id="status"),
        pytest.param(b"\x1b[c\x1b[>c\x1b[=c\x1bZ", id="device attributes"),
        pytest.param(b"\x1b[?2026$p\x1b[4$p", id="DECRQM"),
        pytest.param(b"\x1b[21t\x1b[8;50;100t", id="window"),
        pytest.param(b"\x1b[?1049h\x1b[?1049l\x1b[?47h", id="alternate screen"),
        pytest.param(b"\x1b[?1000;1006h\x1b[?2004h\x1b[?25l", id="mouse, bracketed paste, cursor"),
        pytest.param(b"\x1b[2h\x1b[4h\x1b[20l", id="locked keyboard, insert mode"),
        pytest.param(b"\x1b[>4;2m\x1b[?4m\x1b[>1u\x1b[?u\x1b[=5u", id="keyboard protocols"),
        pytest.param(b"\x1b[5i\x1b[?5i", id="printing"),
        pytest.param(b"\x1b[3J\x1b[22J\x1b[?2J", id="erasing what was scrolled off"),
        pytest.param(b"\x1b[2;5r\x1b[1;9s\x1b[1;2;3;4;5T\x1b[?1;1S", id="margins, highlight tracking, graphics"),
        pytest.param(b"\x1b[3g\x1bH\x1b[0 q\x1b[!p\x1b[1\"q\x1b[1'z", id="tab stops, cursor shape, soft reset"),
        pytest.param(b"\x1b[99999b\x1b[1000b", id="a few bytes that print for hours"),
        pytest.param(b"\x1bc\x1b=\x1b>\x1bN\x1bO\x1bn\x1bo\x1b|", id="reset, keypad, shifts"),
        pytest.param(b"\x1b(0\x1b)B\x1b%@\x1b%G\x1b#8\x1b F", id="character sets, alignment"),
        pytest.param("\x9b6n\x9d0;t\x07\x90q\x9c\x9ex\x9c\x9fx\x9c\x98x\x9c".encode(), id="8-bit"),
        pytest.param("\x84\x85\x88\x8d\x8e\x8f\x9a".encode(), id="8-bit controls without a rest"),
        pytest.param("\x9b31m\x9b2J".encode(), id="even what would pass in 7 bits"),
        pytest.param(b"\x1b[" + b"1;" * 40 + b"m", id="too many parameters"),
        pytest.param(b"\x1b[" + b"1" * 5 + b"m", id="too long a parameter"),
        pytest.param(b"\x1b[" + b"1;" * 100_000 + b"m", id="far too many"),
        pytest.param(b"\x1b[31\x18\x1b]0;t\x1a\x1b\x18", id="cancelled"),
        pytest.param(b"\x1b[3\x1b[6n\x1b\x1b\x1bc", id="begun anew"),
    ],
)
def test_what_acts_on_the_terminal_is_left_out(data: bytes) -> None:
    """Nothing of it is seen, and the text on both sides is, however the bytes are cut."""
    assert filtered(b"<" + data + b">") == b"<>"
    assert filtered(b"<", *[bytes([byte]) for byte in data], b">") == b"<>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x1b[3\r1mred", b"\r\x1b[31mred"),
        (b"\x1b\n[31m", b"\n\x1b[31m"),
        (b"\x1b[3\xc3\xa91m", "é1m".encode()),
        (b"\x1b(\xe2\x82\xacB", "€B".encode()),
        (b"\x1b[31\x1b[32mgreen", b"\x1b[32mgreen"),
        (b"\x1b]0;\x1b[32mgreen", b"\x1b[32mgreen"),
        (b"\x1b]0;t\x18seen", b"seen"),
        (b"bad \xff \xe2\x28 \xa9", "bad \ufffd \ufffd( \ufffd".encode()),
        (b"\x1b[31\x18m\x1b[32\x1am", b"mm"),
        (b"\x1b[31\x7f;1m", b"\x1b[31;1m"),
    ],
)
def test_controls_within_sequences(data: bytes, expected: bytes) -> None:
    """They act by themselves, as on a terminal; what cannot belong to the sequence ends it."""
    assert filtered(data) == expected


def test_a_byte_that_is_no_character_begins_nothing() -> None:
    """The last byte of a quotation mark is an old terminal's command; alone it is U+FFFD, and the text goes on."""
    assert filtered("“quoted” and on".encode()[2:]) == "\ufffdquoted” and on".encode()
    assert filtered(b"\x9d0;t \x9b6n \x90q") == "\ufffd0;t \ufffd6n \ufffdq".encode()


def test_text_is_not_held_back() -> None:
    """A prompt is seen at once; only a character or a sequence that has begun waits."""
    made = TerminalFilter()
    assert made.feed(b"name: ") == b"name: "
    assert made.feed(b"\xe2\x82") == b""
    assert made.feed(b"\xac\x1b[3") == "€".encode()
    assert made.feed(b"1m") == b"\x1b[31m"


def test_an_unfinished_end_is_left_out() -> None:
    """Half a character is U+FFFD, half a sequence nothing, and the filter is as new."""
    made = TerminalFilter()
    assert made.feed(b"a\xe2\x82") + made.finish() == "a\ufffd".encode()
    assert made.feed(b"b\x1b[31") + made.finish() == b"b"
    assert made.feed(b"1mc") == b"1mc"


@pytest.mark.parametrize("opening", [b"\x1b]0;", b"\x1bP", b"\x1b[", b"\xc2\x9d", b"\x1b("])
def test_an_endless_sequence_takes_no_memory(opening: bytes) -> None:
    """It swallows what follows, and keeps none of it."""
    made = TerminalFilter()
    made.feed(opening)
    for _ in range(100):
        assert made.feed(b"1" * 10_000 if opening != b"\x1b(" else b" " * 10_000) == b""
    assert sum(sys.getsizeof(value) for value in vars(made).values()) < 2000


@given(streams, st.lists(st.integers(0, 60), max_size=6))
def test_how_it_is_cut_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    """Any pieces give what the whole gives."""
    borders = [0, *sorted(cuts), len(data)]
    pieces = [data[begin:end] for begin, end in itertools.pairwise(borders)]
    assert b"".join(pieces).startswith(data)
    assert filtered(*pieces) == filtered(data)


@given(streams, streams)
def test_only_what_is_harmless_comes_out(data: bytes, more: bytes) -> None:
    """All that passes is text and known sequences, each whole; filtering it again changes nothing."""
    passed = filtered(data, more)
    assert HARMLESS.fullmatch(passed.decode())
    assert filtered(passed) == passed


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])))
def test_text_is_never_touched(text: str) -> None:
    """Whatever can be written without controls is shown as it is."""
    assert filtered(text.encode()) == text.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("make -j4", "make -j4"),
        ("naïve €😀 日本", "naïve €😀 日本"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31m\x07\x9b", r"\x1b[31m\x07\x9b"),
        ("\u202eexe.txt\u2066\u200f\u061c", r"\u202eexe.txt\u2066\u200f\u061c"),
        ("\u2028\u2029\ufeff\u00ad", r"\u2028\u2029\ufeff\xad"),
        ("\U000e0041", r"\U000e0041"),
        ("lone \udcff", r"lone \udcff"),
        ("👩\u200d💻\n", "👩\u200d💻" + r"\n"),
        ("no\u00a0break", "no\u00a0break"),
        ("C:\\new", "C:\\new"),
    ],
)
def test_one_string_is_shown_with_visible_escapes(text: str, shown: str) -> None:
    """Nothing in it moves the cursor, breaks the line, or turns the direction of what follows."""
    assert escape_text(text) == shown


@given(st.text(alphabet=st.characters(codec=None)))
def test_a_shown_string_stays_on_its_line(text: str) -> None:
    """It can always be encoded, is one line, and passes the filter unchanged."""
    raw = escape_text(text).encode()
    assert filtered(raw) == raw
    assert len(escape_text(text).splitlines()) <= 1
