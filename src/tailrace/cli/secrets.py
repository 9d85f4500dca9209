"""Secrets from whoever types: at a prompt that shows nothing, or on standard input; never as an argument."""

import sys

import click

from tailrace.core.errors import InvalidInput

MOST_BYTES = 4096


def read_secret(what: str, *, twice: bool = False) -> str:
    """Return a secret: asked for at a terminal, else the first line of standard input.

    Args:
        what: it is, for the prompt: `Password`.
        twice: whether it is typed twice, so that a mistyped one is noticed.

    Raises:
        InvalidInput: there is none.
    """
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))
    text = sys.stdin.buffer.readline(MOST_BYTES).decode("utf-8", "replace").rstrip("\r\n")
    if not text:
        raise InvalidInput(
            f"there is no {what.lower()} on standard input", op="read", subject=what.lower(),
            hint="type it at a terminal, or send it in: tailrace … < FILE",
        )  # fmt: skip
    return text
