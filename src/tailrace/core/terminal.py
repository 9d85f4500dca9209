r"""What of a command's output may reach a terminal, and how one untrusted string is shown on it.

A terminal obeys the bytes it is given: some change its title, fill the clipboard, ask it a question whose answer is
then typed into the shell, or leave it in a state that its user cannot use. Lists of what is forbidden have always been
too short, so this filter works the other way round. It reads the whole language of escape sequences (ECMA-48, and the
states of Paul Williams' parser for DEC terminals, vt100.net/emu/dec_ansi_parser), and what it writes is nothing but

- characters that are not controls, in valid UTF-8,
- BS, TAB, LF, VT, FF, CR,
- sequences of the 7-bit form that stand in `_ALLOWED`: colours, movement of the cursor, erasing, inserting, scrolling.

Everything else is left out, to its end: operating system commands (titles, the clipboard, links), device control and
the other strings, status queries, modes (alternate screen, mouse, bracketed paste), character sets, resets, printing;
the 8-bit forms of all, U+0080 to U+009F. A byte that is not UTF-8 becomes U+FFFD, and only that: as a single byte, 9D
begins a command on an old terminal, but it is also how a closing quotation mark ends (E2 80 9D), and whoever begins to
read within that mark must not lose everything behind it.

A string without its end swallows what follows, as it does on a terminal, until CAN, SUB or another escape. It is not
kept: a filter holds at most a few hundred characters.
"""

import codecs
import re
import unicodedata
from enum import Enum, auto

ESC = "\x1b"
_CANCEL = "\x18\x1a"
"""CAN and SUB end any sequence"""
_SEQUENCE_CHARS = 256
"""what is kept of a sequence; more than any that may pass"""

_TEXT = r"[\b-\r\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]"
_ALLOWED = (
    r"\x1b(?:[78DEM]"  # save and restore the cursor, index, next line, reverse index
    r"|\[(?:(?:[0-9]{0,4}[;:]){0,31}[0-9]{0,4}m"  # colours and styles
    r"|[0-9]{0,4}(?:;[0-9]{0,4})?[Hf]"  # to a row and column
    r"|[0-9]{0,4}[@A-GILMPSTXZ`ade]"  # move; insert and delete characters and lines; scroll; erase characters
    r"|[0-9]{0,3}b"  # repeat a character; bounded, as a few bytes could print for hours
    r"|[0-2]?[JK]"  # erase on the screen or line, but not what was scrolled off
    r"|[su]))"  # save and restore the cursor; with parameters they would be something else
)
_PASSES = re.compile(f"(?:{_TEXT}++|{_ALLOWED})++")
_WHOLE = re.compile(_ALLOWED)
_SPACING = "\b\t\n\v\f\r"


class _State(Enum):
    """What the next character belongs to."""

    TEXT = auto()
    ESCAPE = auto()
    """behind ESC"""
    DESIGNATE = auto()
    """behind ESC and an intermediate, as in `ESC ( B`"""
    CONTROL = auto()
    """in a control sequence, `ESC [`"""
    STRING = auto()
    """in a string that ends with ST"""
    COMMAND = auto()
    """in a string that ends with ST or BEL"""


_BEHIND_ESCAPE = {
    "[": _State.CONTROL,
    "]": _State.COMMAND,
    "k": _State.COMMAND,  # a title, to screen and tmux
    "P": _State.STRING,
    "X": _State.STRING,
    "^": _State.STRING,
    "_": _State.STRING,
}
_EIGHT_BIT = {chr(ord(char) + 0x40): state for char, state in _BEHIND_ESCAPE.items() if char != "k"}
"""U+009B stands for `ESC [`, and so on"""

_STRING_ENDS = {
    _State.STRING: re.compile("[\x1b\x18\x1a\x9c]"),
    _State.COMMAND: re.compile("[\x07\x1b\x18\x1a\x9c]"),
}
_PARAMETERS = re.compile("[ -?]+")


class TerminalFilter:
    """Filters one command's output on its way to a terminal. How it is cut into pieces makes no difference."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = _State.TEXT
        self._sequence = ""
        """a control sequence so far, with its introducer"""

    def feed(self, data: bytes) -> bytes:
        """Return what may go to the terminal now that `data` is here."""
        return self._filter(self._decoder.decode(data)).encode()

    def finish(self) -> bytes:
        """Return what is left when nothing more comes, and be as new; an unfinished sequence is left out."""
        rest = self._filter(self._decoder.decode(b"", final=True))
        self._state = _State.TEXT
        return rest.encode()

    def _filter(self, text: str) -> str:
        passed: list[str] = []
        at = 0
        while at < len(text):
            at = self._step(text, at, passed)
        return "".join(passed)

    def _step(self, text: str, at: int, passed: list[str]) -> int:
        """Deal with what stands at `at`, and return the place behind it."""
        match self._state:
            case _State.TEXT:
                return self._text(text, at, passed)
            case _State.STRING | _State.COMMAND:
                return self._string(text, at)
            case _State.CONTROL if found := _PARAMETERS.match(text, at):
                self._sequence = (self._sequence + found[0])[:_SEQUENCE_CHARS]
                return found.end()
            case _:
                return self._in_sequence(text, at, passed)

    def _text(self, text: str, at: int, passed: list[str]) -> int:
        if found := _PASSES.match(text, at):
            passed.append(found[0])
            return found.end()
        char = text[at]
        if char == ESC:
            self._state = _State.ESCAPE
        elif char in _EIGHT_BIT:
            self._state = _EIGHT_BIT[char]
            self._sequence = char
        return at + 1

    def _string(self, text: str, at: int) -> int:
        """Leave out the string; only its end matters."""
        found = _STRING_ENDS[self._state].search(text, at)
        if found is None:
            return len(text)
        self._state = _State.ESCAPE if found[0] == ESC else _State.TEXT
        return found.end()

    def _in_sequence(self, text: str, at: int, passed: list[str]) -> int:
        """Take one character of a sequence; a control in it acts by itself, and the sequence goes on."""
        char = text[at]
        if char > "\x7f":
            self._state = _State.TEXT
            return at
        if char in _SPACING:
            passed.append(char)
        elif char == ESC:
            self._state = _State.ESCAPE
        elif char in _CANCEL:
            self._state = _State.TEXT
        elif " " <= char < "\x7f":
            passed.append(self._next(char))
        return at + 1

    def _next(self, char: str) -> str:
        """Go on to the state behind a printable character; return the sequence if that ends it and it may pass."""
        if self._state is _State.ESCAPE and char in _BEHIND_ESCAPE:
            self._state = _BEHIND_ESCAPE[char]
            self._sequence = ESC + char
            return ""
        if char < "0":
            self._state = _State.DESIGNATE
            return ""
        sequence = {_State.ESCAPE: ESC, _State.CONTROL: self._sequence}.get(self._state, "") + char
        self._state = _State.TEXT
        return sequence if _WHOLE.fullmatch(sequence) else ""


def escape_text(text: str) -> str:
    r"""Return one untrusted string (an argument, a label) so that it can stand in a table or message on a terminal.

    Controls, line separators, lone surrogates and invisible format characters, those for the direction of writing
    included, become `\n`, `\x1b`, `\u202e`. Joiners stay: emoji and some scripts are written with them.
    """
    if text.isprintable():
        return text
    return "".join([char if _is_harmless(char) else _escaped(char) for char in text])


def _is_harmless(char: str) -> bool:
    return char in "\u200c\u200d" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
