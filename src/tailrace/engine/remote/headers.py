"""Headers of the user's own, which go with every request to a server: a login that a proxy asks for.

What they say may be a secret, so no message repeats a value.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tailrace.core.errors import InvalidInput

FILE_SIGN: Final = "@"
"""before the name of a file that holds headers, a line each"""
OURS: Final = frozenset({
    "accept", "accept-encoding", "connection", "content-length", "content-type", "expect", "host", "keep-alive",
    "last-event-id", "range", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
"""said by the client itself, of each request or connection"""
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2"""
_VALUE: Final = re.compile(r"[\x21-\x7e\xa0-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?")
"""RFC 9110, 5.5"""
_HINT: Final = "for example 'Authorization: Bearer TOKEN'; @FILE names a file with one a line"


def read_headers(text: str) -> dict[str, str]:
    """Return the headers in `NAME: VALUE`, in several such lines, or in the file of `@FILE`.

    Empty lines, and those that begin with `#`, mean nothing.

    Raises:
        InvalidInput: one is no header, or is not for the user to say, or the file cannot be read.
    """
    return checked(_pair(line) for line in _lines(text) if line.strip() and not line.startswith("#"))


def checked(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers that can be sent, by their names in one way of writing them.

    Raises:
        InvalidInput: one cannot.
    """
    found = {}
    for name, value in pairs:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise _bad("this is no header")
        if name.lower() in OURS:
            raise _bad(f"{name} is said by the client itself")
        found[name.title()] = value
    return found


def _lines(text: str) -> list[str]:
    if not text.startswith(FILE_SIGN):
        return text.split("\n")
    path = text.removeprefix(FILE_SIGN)
    try:
        return Path(path).read_text(encoding="latin-1").split("\n")
    except OSError as error:
        raise InvalidInput(
            f"the headers in {path[:200]} cannot be read: {(error.strerror or str(error)).lower()}",
            op="read",
            subject=path[:200],
            hint="name a file that you may read, with one header a line",
        ) from None


def _pair(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise _bad("this is no header")
    return name, value.strip(" \t\r")


def _bad(why: str) -> InvalidInput:
    return InvalidInput(why, op="read", subject="header", hint=_HINT)
