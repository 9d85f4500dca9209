"""Sizes, durations and endings in a few words, the same for people at a terminal and before a page."""

from datetime import datetime
from typing import Final

from tailrace.core.limits import Resource
from tailrace.core.outcome import (
    Cancelled,
    Exited,
    FailedToStart,
    Lost,
    OutputLimit,
    Signaled,
    Stopped,
    TimedOut,
    signal_name,
)
from tailrace.core.run import RunInfo

_LONG = ((86400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s"))
LIMITS: Final[dict[Resource, str]] = {"cpu": "CPU limit", "memory": "memory limit", "processes": "process limit"}
"""what a run came to that used more than it may"""
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def size(count: int) -> str:
    """Return `17 bytes`, `4.2 MiB`."""
    if count < 1024:
        return f"{count} byte{'' if count == 1 else 's'}"
    return short_size(count)


def short_size(count: int) -> str:
    """Return `17 B`, `4.2 MiB`."""
    if count < 1024:
        return f"{count} B"
    power = 1
    while count / 1024**power >= 1023.5 and power < len(_UNITS):
        power += 1
    number = count / 1024**power
    return f"{number:.{1 if number < 99.95 else 0}f} {_UNITS[power - 1]}"


def duration(seconds: float) -> str:
    """Return `12 ms`, `5.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    large, small, name, rest_name = next(row for row in _LONG if whole >= row[0])
    rest = whole % large // small
    return f"{whole // large} {name}" + (f" {rest} {rest_name}" if rest else "")


def ago(at: datetime, now: datetime) -> str:
    """Return `just now`, `5 min ago`, `3 d ago`."""
    seconds = (now - at).total_seconds()
    if seconds < 1:
        return "just now"
    for length, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length:.0f} {name} ago"
    return f"{seconds:.0f} s ago"


def state(info: RunInfo) -> str:
    """Return the state or the outcome in a word or two: `running`, `exited 0`, `timed out`."""
    match info.outcome:
        case None:
            return f"queued #{info.queue_place}" if info.queue_place else str(info.state)
        case Exited(code):
            return f"exited {code}"
        case Signaled(number):
            return signal_name(number)
        case Stopped(limit=str() as limit):
            return LIMITS[limit]
        case TimedOut() | OutputLimit() | FailedToStart() | Stopped() | Cancelled() | Lost():
            return str(info.outcome.__struct_config__.tag).replace("_", " ")
