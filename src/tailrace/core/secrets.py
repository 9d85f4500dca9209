"""The secrets of a run: what its command is given, and nobody is to see.

There are three ways to the command: a variable of its environment, a line that its standard input begins with, or a
file that only its owner can read. None is an argument: those are for everybody to see, in `ps` and in the run's spec.
Whatever the way, the value is masked in the output (see `masking`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tailrace.core.errors import InvalidInput

FILES = "secrets"
"""the directory, within that of the run, of the secrets that are files"""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


class Secrets(NamedTuple):
    """What a run is given in secret, exact to the byte."""

    env: tuple[tuple[str, bytes], ...] = ()
    """(variable, value)"""
    files: tuple[tuple[str, bytes], ...] = ()
    """(name, content)"""
    lines: tuple[bytes, ...] = ()
    """that the standard input begins with"""

    @property
    def values(self) -> tuple[bytes, ...]:
        """All that is to be masked, each once."""
        return tuple(dict.fromkeys([*(value for _name, value in (*self.env, *self.files)), *self.lines]))

    @property
    def input(self) -> bytes:
        """What the standard input begins with."""
        return b"".join(line + b"\n" for line in self.lines)


def secret_file(name: str) -> str:
    """Return what stands for the path of a secret's file, in an argument or a variable's value, until it is known.

    It has NULs in it, which no argument can have: so no value that somebody gives is ever taken for it.

    Args:
        name: the secret's, in `secret_files`.
    """
    return f"\0{name}\0"


def secrets_of(env: object, files: object, lines: object) -> Secrets:
    """Return the secrets that a caller gives.

    Args:
        env: values by the names of variables, or None.
        files: values by the names of files, or None.
        lines: a list of values, or None.

    Raises:
        InvalidInput: one is not usable. It is named; its value is not told.
    """
    return Secrets(
        tuple((name, _bytes_of(value, name)) for name, value in _items(env, "secrets")),
        tuple((_file_name(name), _bytes_of(value, name)) for name, value in _items(files, "secret_files")),
        tuple(_line(value) for value in _list(lines)),
    )


def placed(text: object, secrets: Secrets, directory: str) -> object:
    """Return an argument, or a variable's value, with the paths of the files where `secret_file` holds their places.

    Args:
        text: what stands there; what is no text stays as it is.
        secrets: of the run.
        directory: where the files will be.
    """
    if isinstance(text, str) and "\0" in text:
        for name, _value in secrets.files:
            text = text.replace(secret_file(name), f"{directory}/{name}")
    return text


def check_hidden(secrets: Secrets, shown: Sequence[str]) -> None:
    """See that no secret stands in what everybody may see of the run.

    Raises:
        InvalidInput: one does.
    """
    for value in secrets.values:
        if any(value.decode("utf-8", "backslashreplace") in text for text in shown):
            raise InvalidInput(
                "a secret stands in the arguments, the directory, the key or a label, too, where everybody may see it",
                op="start",
                subject="secrets",
                hint="leave it out there: the command has it from its environment, its input or a file",
            )


def _items(given: object, option: str) -> list[tuple[str, object]]:
    if given is None:
        return []
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise _bad(option, "must be a dictionary", 'names and values: {"TOKEN": "…"}')
    return list(given.items())


def _list(given: object) -> Sequence[object]:
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        raise _bad("secret_input", "must be a list of texts", "each becomes a line")
    return given


def _line(value: object) -> bytes:
    raw = _bytes_of(value, "secret_input")
    if b"\n" in raw:
        raise _bad("secret_input", "has a secret of several lines", "give it as a file instead")
    return raw


def _file_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise _bad("secret_files", "has a name that cannot be a file's", "1 to 64 of letters, digits, _ and -")
    return name


def _bytes_of(value: object, name: str) -> bytes:
    if not isinstance(value, str | bytes):
        raise _bad(name, f"must be text, not {type(value).__name__}", "a secret is text, or bytes")
    try:
        return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    except UnicodeEncodeError:
        raise _bad(name, "has half of a character", "a secret is text, or bytes") from None


def _bad(subject: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{subject} {what}", op="start", subject=subject, hint=hint)
