"""The places of a client in several runs at once, in one id for an event stream.

`<check>/<place>,<place>…`: eight hexadecimal digits that belong to this list of runs, then a place for each run, in the
order of the list: its offset, hexadecimal, with a `.` behind it when the run's end has been seen too. So 32 runs need
some 600 bytes at most, and an id that comes back with another list of runs is known for what it is. The check guards
against mistakes, not against people: whoever asks must be allowed each run anyway.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tailrace.core.errors import InvalidInput
from tailrace.core.wires.eventstream import MAX_OFFSET

MOST_RUNS: Final = 32
"""in one connection"""
MAX_CHARS: Final = 1000

_SHAPE = re.compile(r"([0-9a-f]{8})/((?:(?:0|[1-9a-f][0-9a-f]{0,15})\.?(?:,(?!$)|$))*)")


class Place(NamedTuple):
    """Where a client stands in one run."""

    offset: int = 0
    is_end: bool = False
    """whether it has seen the end"""


class Places:
    """Where a client stands in each of several runs.

    Args:
        at: its place in each, by the run's id.
    """

    def __init__(self, at: Mapping[str, Place]) -> None:
        self._head = f"{_check_of(tuple(at))}/"
        self._shown = [_shown(place) for place in at.values()]

    def __str__(self) -> str:
        """Return the id."""
        return self._head + ",".join(self._shown)

    def move(self, number: int, place: Place) -> None:
        """Note that the client stands there now, in the run of this number."""
        self._shown[number] = _shown(place)


def parse(text: str, run_ids: Sequence[str]) -> list[Place]:
    """Return the places that an id tells, in the order of the runs.

    Raises:
        InvalidInput: it is not an id that was given out for these runs.
    """
    match = _SHAPE.fullmatch(text) if len(text) <= MAX_CHARS else None
    if match is None:
        raise _bad("is malformed")
    places = [_place(part) for part in match[2].split(",")] if match[2] else []
    if match[1] != _check_of(run_ids) or len(places) != len(run_ids):
        raise _bad("belongs to other runs, or to the same in another order")
    if any(place.offset > MAX_OFFSET for place in places):
        raise _bad("has an offset that cannot be")
    return places


def _shown(place: Place) -> str:
    return f"{place.offset:x}." if place.is_end else f"{place.offset:x}"


def _place(part: str) -> Place:
    return Place(int(part.removesuffix("."), 16), part.endswith("."))


def _check_of(run_ids: Sequence[str]) -> str:
    return f"{zlib.crc32(','.join(run_ids).encode()):08x}"


def _bad(what: str) -> InvalidInput:
    return InvalidInput(
        f"the event id {what}",
        op="follow",
        subject="Last-Event-ID",
        hint="send back the id of the last event as it came, to the same address; leave it out to begin anew",
    )
