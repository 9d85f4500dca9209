"""What a viewer may say in the query about what it wants to see."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tailrace.core.errors import InvalidInput
from tailrace.core.timeline import Stream
from tailrace.core.wires.eventstream import MAX_OFFSET

PLACES = ("from", "tail", "follow")
"""options that make sense only for a run that is there already"""
STREAMS = {"stdout": Stream.STDOUT, "stderr": Stream.STDERR}

KEEP, STRIP = ANSI = ("keep", "strip")
"""what becomes of escape sequences"""

MAX_DIGITS = 19
"""of a number that may be an offset"""

_NUMBER = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}")


@dataclass(frozen=True, kw_only=True)
class View:
    """Where to begin, what to show, and whether to wait for more."""

    offset: int = 0
    tail: int | None = None
    """begin with the last so many lines of what there is now, instead of at the offset"""
    stream: Stream | None = None
    """this stream alone"""
    follow: bool = True
    """False: give what there is now"""
    is_plain: bool = False
    """without escape sequences"""


def view_of(query: Mapping[str, str]) -> View:
    """Return what the query's `from`, `tail`, `stream`, `follow` and `ansi` say.

    Raises:
        InvalidInput: one of them makes no sense, or two exclude each other.
    """
    if "from" in query and "tail" in query:
        raise _bad("tail", "and from exclude each other", "say where to begin with one of them")
    return View(
        offset=_number("from", query.get("from", "0"), "an offset in bytes"),
        tail=_number("tail", query["tail"], "a number of lines") if "tail" in query else None,
        stream=STREAMS[_one_of("stream", query["stream"], STREAMS)] if "stream" in query else None,
        follow=_one_of("follow", query.get("follow", "1"), ("1", "0")) == "1",
        is_plain=_one_of("ansi", query.get("ansi", KEEP), ANSI) == STRIP,
    )


def _number(name: str, text: str, what: str) -> int:
    if _NUMBER.fullmatch(text) is None or int(text) > MAX_OFFSET:
        raise _bad(name, f"cannot be {text[:40]!r}", f"it is {what}, 0 or more, in decimal digits")
    return int(text)


def _one_of(name: str, text: str, choices: Collection[str]) -> str:
    if text not in choices:
        raise _bad(name, f"cannot be {text[:40]!r}", f"one of: {', '.join(choices)}")
    return text


def _bad(name: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{name} {what}", op="follow", subject=name, hint=hint)
