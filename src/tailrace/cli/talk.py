"""What is said to whoever sits there: on stderr, never on stdout, where the output is.

Texts that come from elsewhere are escaped; colours are there only on a terminal, and not when NO_COLOR is set.
"""

import os
from functools import cache

from tailrace.core.terminal import escape_text

STDERR = 2
DIM, RED, GREEN, YELLOW, BOLD = "2", "31", "32", "33", "1"


def complain(message: str, hint: str = "") -> None:
    """Say what went wrong, and what to do about it."""
    say(message, colour=RED)
    advise(hint)


def advise(hint: str) -> None:
    """Say what to do about what was just said, if there is a hint."""
    if hint:
        write(painted(f"  hint: {escape_text(hint)}", DIM, STDERR) + "\n")


def say(message: str, *, colour: str = DIM, end: str = "\n") -> None:
    """Say one line."""
    write(f"{painted('tailrace:', colour, STDERR)} {escape_text(message)}{end}")


def write(text: str) -> None:
    """Write to stderr, as much as it takes; when nobody is there to read, nothing is lost by it."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(STDERR, data) :]
    except OSError:
        return


def painted(text: str, colour: str, fd: int) -> str:
    """Return the text in a colour, if the descriptor is a terminal that shows one."""
    return f"\x1b[{colour}m{text}\x1b[0m" if text and has_colour(fd) else text


@cache
def has_colour(fd: int) -> bool:
    """Tell whether colours may be written to the descriptor (no-color.org)."""
    return os.isatty(fd) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write_to(fd: int, data: bytes) -> None:
    """Write to a descriptor what it takes now; for what must not fail, and may be lost."""
    try:
        os.write(fd, data)
    except OSError:
        return
