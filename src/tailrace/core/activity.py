"""How much a command printed when: bytes by time, for a spark."""

import msgspec

from tailrace.core.errors import InvalidInput
from tailrace.core.progress import Progress

BUCKETS = 60
MOST_BUCKETS = 1000


class Activity(msgspec.Struct, frozen=True, kw_only=True, rename={"begin_s": "from", "until_s": "until"}):
    """Bytes of output in equal stretches of time, one after another. Times are seconds since the command's start."""

    begin_s: float
    """where the first stretch begins"""
    until_s: float
    """where the last one ends"""
    bytes: tuple[int, ...]
    """that came in each, to about a millisecond"""
    unplaced: int
    """bytes of the output of which it is not known when they came: there is no record of that"""
    progress: Progress | None = None
    """what the last 4 KiB of a run that goes tell of its progress; None: nothing, or it is over"""


def check_span(buckets: int, begin_s: float, until_s: float | None) -> None:
    """See that time can be divided so.

    Raises:
        InvalidInput: it cannot.
    """
    if not 0 < buckets <= MOST_BUCKETS:
        raise _bad(f"there cannot be {buckets} buckets", "buckets", f"1 to {MOST_BUCKETS}")
    if begin_s < 0 or (until_s is not None and until_s <= begin_s):
        raise _bad("the time from which and the time until which are no span", "until", "0 <= from < until, in seconds")


def _bad(message: str, subject: str, hint: str) -> InvalidInput:
    return InvalidInput(message, op="read", subject=subject, hint=hint)
