"""How a run ended: exactly one of these, recorded once.

On the wire and on disk an outcome is an object with `kind` and what belongs to that kind only:
`{"kind": "exited", "code": 0}`, `{"kind": "signaled", "signal": 15}`.
"""

import signal
from typing import Final, Literal, TypeAlias

import msgspec

from tailrace.core.limits import Resource

BY_LIMIT = "limit: "
"""how `by` begins where a limit asked for the end"""


class Exited(msgspec.Struct, frozen=True, tag_field="kind", tag="exited"):
    """The command ended by itself with `code` (0 to 255)."""

    code: int


class Signaled(msgspec.Struct, frozen=True, tag_field="kind", tag="signaled"):
    """A signal that we did not send ended the command."""

    signal: int


class TimedOut(msgspec.Struct, frozen=True, tag_field="kind", tag="timed_out"):
    """A limit of time was reached: `wall` since the start, `idle` since the last output."""

    limit: Literal["wall", "idle"]


class Stopped(msgspec.Struct, frozen=True, tag_field="kind", tag="stopped"):
    """Somebody asked for the end, or a limit did; `by` says who, as far as known.

    Where the run used more than it may, `limit` says of what, and `by` is `limit: memory`. Else it is not there.
    """

    by: str | None = None
    limit: Resource | msgspec.UnsetType = msgspec.UNSET


class OutputLimit(msgspec.Struct, frozen=True, tag_field="kind", tag="output_limit"):
    """The output reached its limit, and the policy was to stop."""


class FailedToStart(msgspec.Struct, frozen=True, tag_field="kind", tag="failed_to_start"):
    """The command never ran. `exit_code` is what a shell would give: 127 not found, 126 not executable, else 125."""

    error: str
    exit_code: int = 125


class Cancelled(msgspec.Struct, frozen=True, tag_field="kind", tag="cancelled"):
    """It left the queue unstarted."""

    by: str | None = None


class Lost(msgspec.Struct, frozen=True, tag_field="kind", tag="lost"):
    """Nobody saw the end: its keeper died, or the host restarted."""

    why: str


Outcome: TypeAlias = Exited | Signaled | TimedOut | Stopped | OutputLimit | FailedToStart | Cancelled | Lost

KINDS = ("exited", "signaled", "timed_out", "stopped", "output_limit", "failed_to_start", "cancelled", "lost")

INTERRUPTED_HERE = 130
"""what a program exits with after ^C at its own terminal: 128 + SIGINT"""


LIMITED = 122
"""of a run that used, or wrote, more than it may"""
WORDS: Final[dict[Resource, str]] = {"cpu": "CPU time", "memory": "memory", "processes": "processes"}


def limited(limit: Resource) -> Stopped:
    """Return the outcome of a run that used more of something than it may."""
    return Stopped(BY_LIMIT + limit, limit)


def limit_of(outcome: Outcome | None) -> str | None:
    """Return which limit ended the run: `wall`, `idle`, `output`, `cpu`, `memory` or `processes`; None: none did."""
    match outcome:
        case TimedOut(limit):
            return limit
        case OutputLimit():
            return "output"
        case Stopped(limit=limit):
            return limit or None
        case _:
            return None


def exit_code(outcome: Outcome, *, interrupted_here: bool = False) -> int:
    """Return what `tailrace run` and `tailrace follow` exit with.

    Args:
        outcome: how the run ended.
        interrupted_here: whether the stop was a ^C at this very terminal.
    """
    match outcome:
        case Exited(code):
            return code
        case Signaled(number):
            return 128 + number
        case TimedOut():
            return 124
        case Stopped(limit=limit):
            return LIMITED if limit else INTERRUPTED_HERE if interrupted_here else 143
        case OutputLimit():
            return LIMITED
        case FailedToStart(exit_code=code):
            return code
        case Cancelled() | Lost():
            return 125


def describe(outcome: Outcome) -> str:
    """Return the outcome in a few words for people."""
    match outcome:
        case Exited(code):
            return f"exited with code {code}"
        case Signaled(number):
            return f"ended by signal {number} ({signal_name(number)})"
        case TimedOut(limit):
            return "stopped at its time limit" if limit == "wall" else "stopped after being silent for too long"
        case Stopped(by, limit):
            return f"stopped at its limit of {WORDS[limit]}" if limit else f"stopped by {by}" if by else "stopped"
        case OutputLimit():
            return "stopped at its output limit"
        case FailedToStart(error):
            return f"failed to start: {error}"
        case Cancelled(by):
            return f"cancelled by {by} before it started" if by else "cancelled before it started"
        case Lost(why):
            return f"lost: {why}"


def signal_name(number: int) -> str:
    """Return `SIGTERM` for 15; real-time and unknown signals as `SIG34`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def signal_number(name: str) -> int:
    """Return 15 for `TERM`, `SIGTERM`, `term` or `15`.

    Raises:
        ValueError: this system has no such signal.
    """
    if name.isascii() and name.isdecimal():
        number = int(name)
        if number in {int(known) for known in signal.valid_signals()}:
            return number
        raise ValueError(f"no signal has the number {name}")
    upper = name.upper()
    try:
        return signal.Signals[upper if upper.startswith("SIG") else f"SIG{upper}"].value
    except KeyError:
        raise ValueError(f"no signal is named {name!r}") from None
