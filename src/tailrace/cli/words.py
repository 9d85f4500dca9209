"""Numbers, times and endings in a few words for people."""

import shlex
from datetime import UTC, datetime

from tailrace.core.outcome import (
    Cancelled,
    Exited,
    FailedToStart,
    Lost,
    Outcome,
    OutputLimit,
    Signaled,
    Stopped,
    TimedOut,
    signal_name,
)
from tailrace.core.result import Child, LadderStep
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec
from tailrace.core.terminal import escape_text

_LONG = ((86400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s"))
NOT_FOUND = ": command not found"
"""is said of every program; of a path one expects to hear of the file"""
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


def moment(at: datetime) -> str:
    """Return the instant on this machine's clock: `2026-11-22 17:03:36 UTC`."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def took(info: RunInfo) -> float | None:
    """Return the seconds that the run took, or has taken so far; None if it has not begun."""
    if info.duration_s is not None or info.started is None:
        return info.duration_s
    return None if info.is_finished else max(0.0, (now() - info.started).total_seconds())


def command_line(info: RunInfo) -> str:
    """Return the command as one would type it, fit for a terminal."""
    return escape_text(shlex.join(info.argv)) or "(unknown)"


def processes(count: int) -> str:
    """Return `1 process`, `3 processes`."""
    return f"{count} process{'' if count == 1 else 'es'}"


def child(process: Child) -> str:
    """Return `sleep 100 (pid 12)`."""
    return f"{process.argv or 'a process'} (pid {process.pid})"


def rung(step: LadderStep) -> str:
    """Return `INT to 2 processes`."""
    return f"{step.signal} to {processes(step.processes)}"


def state(info: RunInfo) -> str:
    """Return the state or the outcome in a word or two: `running`, `exited 0`, `timed out`."""
    match info.outcome:
        case None:
            return f"queued #{info.queue_place}" if info.queue_place else str(info.state)
        case Exited(code):
            return f"exited {code}"
        case Signaled(number):
            return signal_name(number)
        case TimedOut() | OutputLimit() | FailedToStart() | Stopped() | Cancelled() | Lost():
            return str(info.outcome.__struct_config__.tag).replace("_", " ")


def ending(outcome: Outcome, spec: Spec | None) -> str:
    """Return how the run ended, with the limits that it had."""
    match outcome:
        case Exited(code):
            return f"exited with code {code}"
        case Signaled(number):
            return f"ended by signal {number} ({signal_name(number)})"
        case TimedOut("wall"):
            return f"timed out{_after(spec.timeout_s if spec else None)} (--timeout)"
        case TimedOut():
            return f"timed out{_after(spec.idle_timeout_s if spec else None)} without output (--idle-timeout)"
        case Stopped(by):
            return f"stopped by {by}" if by else "stopped"
        case OutputLimit():
            limit = f" of {size(spec.output_limit)}" if spec and spec.output_limit is not None else ""
            return f"stopped at its output limit{limit}"
        case FailedToStart(error):
            program = error.removesuffix(NOT_FOUND)
            return f"{program}: no such file" if "/" in program and program != error else error
        case Cancelled(by):
            return f"cancelled by {by} before it started" if by else "cancelled before it started"
        case Lost(why):
            return f"lost: {why}"


def _after(seconds: float | None) -> str:
    return "" if seconds is None else f" after {duration(seconds)}"
