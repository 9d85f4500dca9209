"""The terminal we sit at: its size, its raw mode, and leaving it as it was found."""

import os
import re
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_MODES = re.compile(rb"\x1b\[\?([0-9;]{1,64})([hl])")
_HELD = 70
"""bytes of a mode switch that may still be incomplete"""
_ON_BY_DEFAULT = {7, 25}
"""wrapping at the margin, and the cursor's being visible"""


def size(*fds: int) -> tuple[int, int] | None:
    """Return (rows, columns) of the first of the descriptors that is a terminal and knows its size."""
    for fd in fds:
        try:
            columns, rows = os.get_terminal_size(fd)
        except OSError:
            continue
        if rows > 0 and columns > 0:
            return rows, columns
    return None


@contextmanager
def raw(fd: int) -> Iterator[None]:
    """Pass every key on as it is pressed, while entered."""
    saved = termios.tcgetattr(fd)
    tty.setraw(fd, termios.TCSADRAIN)  # what was typed already is kept
    try:
        yield
    finally:
        with suppress(termios.error):  # it has hung up: nothing is left to restore
            termios.tcsetattr(fd, termios.TCSADRAIN, saved)


class Modes:
    """Watches what a program switches at the terminal, so that it can be switched back when the program did not."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Take note of the switches in the output."""
        text = self._held + data
        for found in _MODES.finditer(text):
            for number in map(int, filter(None, found[1].split(b";"))):
                if (found[2] == b"h") is (number in _ON_BY_DEFAULT):
                    self._changed.discard(number)
                else:
                    self._changed.add(number)
        escape = text.rfind(b"\x1b", -_HELD)
        self._held = text[escape:] if escape >= 0 and not _MODES.match(text, escape) else b""

    def undo(self) -> bytes:
        """Return what switches everything back; empty if the program left the terminal as it was."""
        back = [
            b"\x1b[?%d%b" % (number, b"h" if number in _ON_BY_DEFAULT else b"l") for number in sorted(self._changed)
        ]
        self._changed.clear()
        return b"".join(back)
