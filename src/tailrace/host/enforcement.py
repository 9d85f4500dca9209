"""Which limits of a run this host really enforces, and by what.

A limit that is asked for and cannot be enforced is an error, before anything is started: never a wish.
"""

import os
import resource
from collections.abc import Iterator
from typing import Final, NamedTuple

from tailrace.core.errors import Fault, NotEnforceable
from tailrace.core.limits import Resources
from tailrace.host import cgroup, confine, cputime, linux

COUNTED: Final = "the keeper adds up all processes of the run, some 40 times a second"
SUMMED: Final = (
    "the keeper adds up all processes of the run, and misses those that ended while their parents ignored it (SIGCHLD)"
)
NO_GROUP: Final = "no cgroup can be made"
NO_CONTROLLER: Final = "no cgroup has the controller for it"
NO_PROC: Final = "this system has no /proc, from which the keeper would know the run's processes"


class Way(NamedTuple):
    """How one limit is enforced."""

    limit: str
    """as the file calls it"""
    means: str
    """in words; or why it is not"""
    is_enforced: bool = True
    is_kernels: bool = True
    """whether the kernel does it, without a moment in which more is possible"""


def ways() -> Iterator[Way]:
    """Yield how this host enforces each limit of what a run may use."""
    yield _way("max_memory", "memory", "with what its files have in memory; swap too where that is counted")
    yield _way(
        "max_processes", "pids", "threads count", "; RLIMIT_NPROC bounds a command with a `user` of its own, too"
    )
    if _has_proc():
        counts = cputime.what_counts()
        means = SUMMED if counts is None else f"the keeper reads what {counts} has counted of the whole run"
        yield Way("max_cpu", f"{means}; one process alone is ended by RLIMIT_CPU, too", is_kernels=False)
    else:
        yield Way("max_cpu", NO_PROC, is_enforced=False, is_kernels=False)
    most = _most_files()
    shown = "any number" if most is None else f"at most {most}"
    yield Way("max_open_files", f"RLIMIT_NOFILE, of each process, {shown}")


def check_enforceable(resources: Resources) -> None:
    """See that this host can hold a run to this.

    Raises:
        NotEnforceable: it cannot; and how it could.
    """
    for fault in unenforceable(resources):
        raise NotEnforceable(f"{fault}", op="start", subject=fault.subject, hint=fault.hint)


def unenforceable(resources: Resources) -> Iterator[Fault]:
    """Yield which of these limits this host cannot enforce, by their names in the file."""
    watched = {"max_memory": resources.memory, "max_processes": resources.processes, "max_cpu": resources.cpu_s}
    limited = [name for name, number in watched.items() if number is not None]
    if limited and not _has_proc():
        for name in limited:
            yield Fault(name, f"cannot be enforced here: {NO_PROC}", "leave it out, or mount /proc")
    most, wanted = _most_files(), resources.open_files
    if wanted is not None and most is not None and wanted > most:
        message = f"cannot be enforced here: {wanted} are more than the hard limit, {most}"
        yield Fault("max_open_files", message, "ask for fewer, or raise it: LimitNOFILE= of the unit, ulimit -Hn")


def _way(limit: str, controller: confine.Controller, note: str, besides: str = "") -> Way:
    if (group := confine.what_limits(controller)) is not None:
        return Way(limit, f"{group}, of the whole run, {note}")
    if _has_proc():
        why = NO_CONTROLLER if cgroup.parents() else NO_GROUP
        return Way(limit, f"{why}: {COUNTED}{besides if os.geteuid() == 0 else ''}", is_kernels=False)
    return Way(limit, NO_PROC, is_enforced=False, is_kernels=False)


def _has_proc() -> bool:
    return linux.stat_of(os.getpid()) is not None


def _most_files() -> int | None:
    """Return how many open files a process may be allowed; None: whoever is root may raise it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if os.geteuid() == 0 or hard == resource.RLIM_INFINITY else hard
