r"""Leaving out escape sequences: the text without its colours, titles and movements of the cursor.

The opposite of `tailrace.core.terminal`, which lets pass what a terminal may obey. What is left out is every sequence
of the 7-bit form (ECMA-48), to its end: control sequences, `ESC [ … m` and the like; strings, `ESC ] … BEL` and the
like; and the short ones. All other bytes stay as they are, CR and what is no UTF-8 included.

An LF always stays, and ends whatever it stands in. So lines keep their numbers, and a string without its end swallows
no more than the rest of its line.

Each stream is read by itself: what stderr says in the middle of a sequence of stdout belongs to neither's other half.
Nothing is held back: between two chunks there is only a state.
"""

import re
from enum import Enum, auto

from tailrace.core.piece import Chunk
from tailrace.core.timeline import Stream

_ESC = b"\x1b"
_CONTROL = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
"""what nearly all sequences are"""
_STRINGS = b"]PX^_k"
"""behind ESC, these begin a string; `k` is a title, to screen and tmux"""
_STRING_END = re.compile(rb"[\x07\x18\x1a\x1b\n]")


class _State(Enum):
    """What the next byte belongs to."""

    TEXT = auto()
    ESCAPE = auto()
    """behind ESC"""
    SHORT = auto()
    """behind ESC and an intermediate, as in `ESC ( B`"""
    CONTROL = auto()
    """in a control sequence"""
    STRING = auto()


_REST = {
    _State.SHORT: re.compile(rb"[ -/]*"),
    _State.CONTROL: re.compile(rb"[ -?]*"),
}
_FINAL = {
    _State.SHORT: range(0x30, 0x7F),
    _State.CONTROL: range(0x40, 0x7F),
}


class Stripper:
    """Strips the output of one run. How it is cut into chunks makes no difference to the text."""

    def __init__(self) -> None:
        self._states: dict[Stream, _State] = {}

    def strip(self, chunk: Chunk) -> list[Chunk]:
        """Return the stretches that are left of a chunk, each at its own offset in the output."""
        data, state = chunk.data, self._states.get(chunk.stream, _State.TEXT)
        stretches: list[Chunk] = []
        at = 0
        while at < len(data):
            if state is not _State.TEXT:
                state, at = _behind(data, at, state)
                continue
            found = data.find(_ESC, at)
            end = len(data) if found < 0 else found
            if end > at:
                stretches.append(chunk._replace(offset=chunk.offset + at, data=data[at:end]))
            at = end
            if found >= 0:
                whole = _CONTROL.match(data, found)
                state, at = (_State.TEXT, whole.end()) if whole else (_State.ESCAPE, found + 1)
        self._states[chunk.stream] = state
        return stretches


def _behind(data: bytes, at: int, state: _State) -> tuple[_State, int]:
    """Return the state behind what stands at `at` and belongs to a sequence, and where that ends."""
    match state:
        case _State.STRING:
            found = _STRING_END.search(data, at)
            return (state, len(data)) if found is None else _ended(data, found.start())
        case _State.SHORT | _State.CONTROL:
            rest = _REST[state].match(data, at)
            end = at if rest is None else rest.end()
            if end == len(data):
                return state, end
            return (_State.TEXT, end + 1) if data[end] in _FINAL[state] else _ended(data, end)
        case _:
            return _begun(data, at)


def _begun(data: bytes, at: int) -> tuple[_State, int]:
    """Return the state behind the byte that follows an ESC."""
    byte = data[at : at + 1]
    if byte == b"[":
        return _State.CONTROL, at + 1
    if byte in _STRINGS:
        return _State.STRING, at + 1
    if b" " <= byte <= b"/":
        return _State.SHORT, at + 1
    return (_State.TEXT, at + 1) if b"0" <= byte <= b"~" else _ended(data, at)


def _ended(data: bytes, at: int) -> tuple[_State, int]:
    """Return the state behind a byte that ends a sequence without being its proper end, or that ends a string."""
    byte = data[at : at + 1]
    if byte == _ESC:
        return _State.ESCAPE, at + 1
    return _State.TEXT, at + (byte in b"\x07\x18\x1a")
