"""Numbers, times and endings in a few words for people."""

import shlex
from datetime import UTC, datetime

from tailrace.core.limits import Resource, Resources
from tailrace.core.outcome import (
    WORDS,
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
from tailrace.core.words import ago, duration, short_size, size, state

__all__ = [
    "ago", "child", "command_line", "duration", "ending", "moment", "now", "processes", "rung", "short_size", "size",
    "state", "took",
]  # fmt: skip

NOT_FOUND = ": command not found"
"""is said of every program; of a path one expects to hear of the file"""


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
        case Stopped():
            return _stopped(outcome, spec)
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


def _stopped(outcome: Stopped, spec: Spec | None) -> str:
    if outcome.limit:
        return _limited(outcome.limit, spec)
    return f"stopped by {outcome.by}" if outcome.by else "stopped"


def _limited(limit: Resource, spec: Spec | None) -> str:
    had = spec.resources if spec else Resources()
    most = {
        "cpu": "" if had.cpu_s is None else duration(had.cpu_s),
        "memory": "" if had.memory is None else size(had.memory),
        "processes": "" if had.processes is None else str(had.processes),
    }[limit]
    number = f", {most}" if most else ""
    return f"stopped at its limit of {WORDS[limit]}{number} (--max-{limit})"


def _after(seconds: float | None) -> str:
    return "" if seconds is None else f" after {duration(seconds)}"
