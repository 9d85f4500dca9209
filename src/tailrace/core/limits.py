"""What a run may use, and how many runs there may be.

Two kinds of limits. `Resources` are what one run may use: who exceeds them is ended. `Quota` is a row of a small table:
how many runs of one scope (of a command, of a user, of all) may go, wait, and be started in a minute: who exceeds it is
refused at the start, or waits. A run carries its rows in its spec, so whoever launches it knows them. How many viewers
there may be concerns no run, but whoever serves them.
"""

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from tailrace.core.errors import Fault, LimitReached

Number = TypeVar("Number", int, float)
MINUTE_US = 60_000_000
AGAIN_S = 10.0
"""after which to try again where nobody knows when a run will end"""
FEWEST_FILES = 8
"""open files, below which hardly a program starts"""
LEAST_BYTES = 1 << 20
"""of memory, below which none does"""

MOST_PROCESSES = 1 << 22
"""that Linux can number (PID_MAX_LIMIT); a cgroup takes no larger limit"""

Resource: TypeAlias = Literal["cpu", "memory", "processes"]


class Scope(StrEnum):
    """Which runs a quota counts."""

    COMMAND = "command"
    """those of the same declared command"""
    USER = "user"
    """those that the same user asked for; all who have no name are one"""
    ALL = "all"
    """every run of the state directory"""


class Quota(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many runs of a scope there may be; None: any number."""

    scope: Scope
    running: int | None = None
    """at the same time; more wait"""
    queued: int | None = None
    """that wait because of `running`; more are refused"""
    starts_per_minute: int | None = None
    """more are refused"""

    @property
    def is_empty(self) -> bool:
        """Whether it allows any number of everything."""
        return self.running is None and self.starts_per_minute is None


class Resources(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run with all its processes may use; None: as much as there is. Times in seconds, sizes in bytes."""

    cpu_s: float | None = None
    memory: int | None = None
    processes: int | None = None
    open_files: int | None = None
    """of each process"""

    @property
    def is_watched(self) -> bool:
        """Whether the keeper has something to look after."""
        return (self.cpu_s, self.memory, self.processes) != (None, None, None)


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs one user may have."""

    max_running: int | None = None
    """at most so many runs of one user go at a time; more wait"""
    max_queued: int | None = None
    """at most so many of a user's runs wait because of `max_running`; more are refused"""
    max_starts_per_minute: int | None = None
    """at most so many runs are started by one user in a minute; more are refused"""
    max_viewers: int | None = None
    """at most so many viewers of one user watch at a time, whatever they watch; more are refused"""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every run that a server starts. Times in seconds, sizes in bytes."""

    max_running: int | None = None
    """at most so many runs go at a time; more wait"""
    max_queued: int | None = None
    """at most so many runs wait because of `max_running`; more are refused"""
    max_starts_per_minute: int | None = None
    """at most so many runs are started in a minute; more are refused"""
    max_viewers: int | None = None
    """at most so many viewers watch at a time, whatever they watch; more are refused"""
    max_cpu: float | None = None
    """of each run, as for a command; the stricter of both holds"""
    max_memory: int | None = None
    """of each run, as for a command; the stricter of both holds"""
    max_processes: int | None = None
    """of each run, as for a command; the stricter of both holds"""
    max_open_files: int | None = None
    """of each process, as for a command; the stricter of both holds"""
    user: Allowance = Allowance()
    """how many runs one user may have, a table of its own; all who have no name are one user"""

    @property
    def resources(self) -> Resources:
        """Return what each run may use."""
        return Resources(self.max_cpu, self.max_memory, self.max_processes, self.max_open_files)

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """Return how many runs there may be; the rows that say something."""
        user = self.user
        rows = (
            Quota(Scope.USER, user.max_running, user.max_queued, user.max_starts_per_minute),
            Quota(Scope.ALL, self.max_running, self.max_queued, self.max_starts_per_minute),
        )
        return tuple(row for row in rows if not row.is_empty)


class Member(NamedTuple):
    """What a run is counted by."""

    command: str | None
    by: str | None


class Count(NamedTuple):
    """How many runs of a scope there are, and when the ones of the last minute were made, oldest first."""

    unfinished: int
    starts_us: Sequence[int]


def is_within(scope: Scope, member: Member, of: Member) -> bool:
    """Tell whether a quota of this scope counts the run for the other one."""
    match scope:
        case Scope.COMMAND:
            return member.command == of.command
        case Scope.USER:
            return member.by == of.by
        case Scope.ALL:
            return True


def check_admission(quota: Quota, count: Count, member: Member, now_us: int) -> None:
    """See that the quota has room for one more run.

    Args:
        quota: the row.
        count: what its scope has now.
        member: the run that is to be.
        now_us: the time, in microseconds since 1970.

    Raises:
        LimitReached: it has not; with when to try again.
    """
    whose = _whose(quota.scope, member)
    most = quota.starts_per_minute
    if most is not None and (made := [at for at in count.starts_us if at > now_us - MINUTE_US]) and len(made) >= most:
        wait_s = (made[-most] + MINUTE_US - now_us) / 1e6 if most else 60.0
        raise _reached(f"{_times(most)} a minute {whose} may be started", "max_starts_per_minute", wait_s)
    if most == 0:
        raise _reached(f"no run {whose} may be started", "max_starts_per_minute", 60.0)
    if quota.running is None or quota.queued is None or count.unfinished < quota.running + quota.queued:
        return
    what = f"{_times(quota.running)} {whose} may go at a time"
    if quota.queued:
        raise _reached(f"{what}, and {quota.queued} more wait already", "max_queued", AGAIN_S)
    raise _reached(f"{what}, and none may wait", "max_running", AGAIN_S)


def least(one: Resources, other: Resources) -> Resources:
    """Return the stricter of both limits, each by itself."""
    return Resources(
        _least(one.cpu_s, other.cpu_s),
        _least(one.memory, other.memory),
        _least(one.processes, other.processes),
        _least(one.open_files, other.open_files),
    )


def _least(one: Number | None, other: Number | None) -> Number | None:
    return min((number for number in (one, other) if number is not None), default=None)


def quota_faults(running: int | None, queued: int | None, starts: int | None) -> Iterator[Fault]:
    """Yield what is wrong with the numbers of a quota, by their names in the file."""
    if running is not None and running < 1:
        yield Fault("max_running", f"cannot be {running}", "1 or more; to have nothing started, leave the command out")
    for name, number in (("max_queued", queued), ("max_starts_per_minute", starts)):
        if number is not None and number < 0:
            yield Fault(name, f"cannot be {number}", "0 or more; leave it out for any number")
    if queued is not None and running is None:
        yield Fault("max_queued", "means nothing without max_running", "say how many may go before others wait")


def viewer_faults(viewers: int | None) -> Iterator[Fault]:
    """Yield what is wrong with how many viewers there may be, by its name in the file."""
    if viewers is not None and viewers < 1:
        yield Fault("max_viewers", f"cannot be {viewers}", "1 or more; leave it out for any number")


def viewers_reached(limit: str, most: int, whose: str, hint: str) -> LimitReached:
    """Return what refuses one viewer too many.

    Args:
        limit: its name in the file.
        most: how many there may be.
        whose: in words: `of ann`.
        hint: what to do, besides trying again.
    """
    many = f"there {'is' if most == 1 else 'are'} {most} viewer{'' if most == 1 else 's'} {whose} already"
    again = f"{hint}, and try again in {AGAIN_S:.0f} s"
    error = LimitReached(f"{many}, as many as are let in", op="follow", subject=limit, hint=again)
    error.retry_s = round(AGAIN_S)
    return error


def resource_faults(resources: Resources) -> Iterator[Fault]:
    """Yield what is wrong with the numbers of resources, by their names in the file."""
    cpu_s, memory = resources.cpu_s, resources.memory
    if cpu_s is not None and not 0 < cpu_s <= 1e9:
        yield Fault("max_cpu", f"cannot be {cpu_s:g}", "more than 0 s; leave it out for no limit")
    if memory is not None and not LEAST_BYTES <= memory < 1 << 62:
        yield Fault("max_memory", f"cannot be {memory}", f"{LEAST_BYTES} bytes or more; leave it out for no limit")
    if resources.processes is not None and not 1 <= resources.processes <= MOST_PROCESSES:
        hint = f"1 to {MOST_PROCESSES}; leave it out for no limit"
        yield Fault("max_processes", f"cannot be {resources.processes}", hint)
    if resources.open_files is not None and not FEWEST_FILES <= resources.open_files < 1 << 31:
        hint = f"{FEWEST_FILES} or more; leave it out for the limit that the server has"
        yield Fault("max_open_files", f"cannot be {resources.open_files}", hint)


def _whose(scope: Scope, member: Member) -> str:
    match scope:
        case Scope.COMMAND:
            return f"of {member.command}"
        case Scope.USER:
            return f"of {member.by}" if member.by else "of those who have no name"
        case Scope.ALL:
            return "of all here"


def _times(number: int) -> str:
    return f"only {number} run{'' if number == 1 else 's'}"


def _reached(what: str, limit: str, retry_s: float) -> LimitReached:
    wait_s = max(1, math.ceil(retry_s))
    error = LimitReached(what, op="start", subject=limit, hint=f"try again in {wait_s} s; nothing was started")
    error.retry_s = wait_s
    return error
