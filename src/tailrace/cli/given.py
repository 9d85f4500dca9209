"""What is typed for the parameters of a declared command: `NAME=VALUE`, of two types more than that.

A secret is never an argument, which `ps` would show to everybody: it comes from a file, a variable of the environment
or standard input, or is asked for at the terminal. A file is given by its path.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import click

from tailrace.cli.values import pair
from tailrace.core.errors import InvalidInput

LONGEST_BYTES: Final = 64 << 10
"""of a secret that is read; more is for whoever checks it to refuse"""
INPUT: Final = "-"
FILE: Final = "@"
VARIABLE: Final = "env:"


class Wanted(NamedTuple):
    """Which parameters are more than text."""

    secrets: Mapping[str, bool]
    """by their names, whether each must be given"""
    files: Mapping[str, int]
    """by their names, the most bytes that each may have"""


class Given(NamedTuple):
    """What there is of them."""

    texts: list[tuple[str, str]]
    """(parameter, value), as they were typed; secrets as they are"""
    files: dict[str, str]
    """by their names, the path of each file"""


def given(words: Sequence[str], wanted: Wanted, *, has_input: bool) -> Given:
    """Return what was typed; secrets that must be given, and were not, are asked for at the terminal.

    Args:
        words: `NAME=VALUE` each.
        wanted: which of them are secrets and files.
        has_input: whether standard input is for the command.

    Raises:
        click.BadParameter: a word is no NAME=VALUE.
        InvalidInput: a secret stands in a word, cannot be read, or cannot be asked for; or a file cannot be read.
    """
    found = Given([], {})
    reading = _Reading(has_input=has_input)
    for name, text in map(pair, words):
        if name in found.files:
            raise _bad(name, "stands there twice", "give each file once")
        if name in wanted.files:
            found.files[name] = reading.path(name, text, wanted.files[name])
        else:
            found.texts.append((name, reading.secret(name, text) if name in wanted.secrets else text))
    there = {name for name, _text in found.texts}
    for name, is_required in wanted.secrets.items():
        if is_required and name not in there:
            found.texts.append((name, asked(name)))
    return found


def no_input(command: str) -> InvalidInput:
    """Return what is told of `--input`, to whoever runs a command that takes none."""
    return InvalidInput(
        f"the command {command} takes no input",
        op="run",
        subject="input",
        hint="leave out --input; the file that declares it lets it take some, by stdin = true",
    )


def asked(name: str) -> str:
    """Return a secret, asked for at the terminal, which does not show it.

    Raises:
        InvalidInput: there is no terminal.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        raise _bad(name, "is missing, and there is no terminal to ask for it", _ways(name)) from None
    return str(click.prompt(name, hide_input=True, err=True))


class _Reading:
    """Reads what words name; standard input once."""

    def __init__(self, *, has_input: bool) -> None:
        self._taker = "the command, by --input," if has_input else ""
        """who has standard input"""

    def secret(self, name: str, text: str) -> str:
        """Return the secret that a word names."""
        if not text:
            return asked(name)
        if text == INPUT:
            self._take_input(name)
            if sys.stdin.isatty():
                return asked(name)  # who types there would see what he types
            return _line(name, sys.stdin.buffer.read(LONGEST_BYTES + 1), "standard input")
        if text.startswith(FILE):
            return _line(name, _content(name, text[1:]), text[1:])
        variable = text.removeprefix(VARIABLE)
        if variable != text:
            if (value := os.environ.get(variable)) is None:
                raise _bad(name, f"is to be what {variable[:40]} says, which is not set", f"export {variable[:40]}=…")
            return value
        raise _bad(name, "is a secret, and an argument is for everybody to see: `ps` shows it", _ways(name))

    def path(self, name: str, text: str, most: int) -> str:
        """Return the path of the file that a word names."""
        if text == INPUT:
            self._take_input(name)
            return _spooled(name, most)
        path = Path(text[1:] if text.startswith(FILE) else text)
        try:
            size = path.stat().st_size
        except (OSError, ValueError) as error:
            raise _unread(name, str(path), error) from None
        if not path.is_file():
            raise _bad(
                name, f"is to be a file, and {path} is none", f"give the path of one, or {name}=- for standard input"
            )
        if size > most:
            raise _bad(name, f"takes up to {most} bytes, and {path} has {size}", "give a smaller file")
        return str(path)

    def _take_input(self, name: str) -> None:
        if self._taker:
            raise _bad(name, f"is to come from standard input, which is for {self._taker} already", _ways(name))
        self._taker = name


def _spooled(name: str, most: int) -> str:
    """Return the path of a file without a name, of this process, that has what comes on standard input."""
    data = sys.stdin.buffer.read(most + 1)
    if len(data) > most:
        raise _bad(name, f"takes up to {most} bytes, and standard input has more", "give a smaller file")
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        file.seek(0)
        return f"/dev/fd/{os.dup(file.fileno())}"


def _content(name: str, path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(LONGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unread(name, path, error) from None


def _line(name: str, data: bytes, source: str) -> str:
    """Return the text of a secret, without the newline that editors and `echo` put behind it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _bad(name, f"is to be text, and {source} is not UTF-8", "see that it is the right one") from None
    return text.removesuffix("\n").removesuffix("\r")


def _ways(name: str) -> str:
    return f"{name}=@FILE, {name}=env:VARIABLE, {name}=- for standard input; or leave it out, to be asked at a terminal"


def _unread(name: str, path: str, error: OSError | ValueError) -> InvalidInput:
    why = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return _bad(name, f"cannot be read from {path}: {why.lower()}", "give the path of a file")


def _bad(name: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{name} {what}", op="run", subject=name, hint=hint)
