"""Secrets from whoever types: at a prompt that shows nothing, or on standard input; never as an argument."""

import sys

import click

from tailrace.core.errors import InvalidInput

MOST_BYTES = 4096
"""of a line"""


def read_secret(what: str, *, twice: bool = False) -> str:
    """Return a secret: asked for at a terminal, else the first line of standard input.

    Args:
        what: it is, for the prompt: `Password`.
        twice: whether it is typed twice, so that a mistyped one is noticed.

    Raises:
        InvalidInput: there is none, or not one that could be typed.
    """
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))
    line = sys.stdin.buffer.readline(MOST_BYTES + 1)
    if len(line) > MOST_BYTES:
        raise _unfit(what, f"has more than {MOST_BYTES} bytes", "see that it is the right file")
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _unfit(what, "is not UTF-8", "see that it is the right file, or convert it: iconv -t UTF-8") from None
    if not text:
        raise _unfit(what, "is missing", "type it at a terminal, or send it in: tailrace … < FILE")
    return text


def _unfit(what: str, why: str, hint: str) -> InvalidInput:
    subject = what.lower()
    return InvalidInput(f"the {subject} on standard input {why}", op="read", subject=subject, hint=hint)
