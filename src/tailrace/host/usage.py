"""What a run that is going uses: the sum over its processes, as /proc says (proc(5)).

While its keeper lives, every process of a run descends from the keeper, and what has ended and was waited for is in
the times of whoever waited, the keeper at last. So the keeper's waited-for children and all its descendants together
have used what the run has. The processes are looked at one after another: one that ends meanwhile may be missing for a
moment.
"""

import os
import resource
from collections.abc import Iterator
from typing import NamedTuple

from tailrace.core.result import Usage
from tailrace.core.run import ProcessId
from tailrace.host import cputime, linux, tree
from tailrace.host.cgroup import Cgroup

MOST_PROCESSES = 1000
"""that are looked at; of a larger run nothing is told"""
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PEAK, _NOW = b"VmHWM:", b"VmRSS:"


class _Used(NamedTuple):
    """Times in clock ticks; those of children are of ones that have been waited for."""

    user: int
    system: int
    childrens_user: int
    childrens_system: int


def usage_of(keeper: ProcessId) -> Usage | None:
    """Return what the keeper's run has used so far, and uses now; None: that cannot be known.

    Args:
        keeper: as live.json names it; one that is dead has no run any more.
    """
    stat = linux.stat_of(keeper.pid) if keeper.boot == linux.boot_id() else None
    if stat is None or stat.is_dead or stat.start != keeper.start or (used := _used(keeper.pid)) is None:
        return None
    user, system, peak_bytes, now_bytes, count = used.childrens_user, used.childrens_system, 0, 0, 0
    for pid in _descendants(keeper.pid):
        if count == MOST_PROCESSES:
            return None
        if (used := _used(pid)) is not None:
            count += 1
            user += used.user + used.childrens_user
            system += used.system + used.childrens_system
            peak, now = _memory(pid)
            peak_bytes, now_bytes = max(peak_bytes, peak), now_bytes + now
    return Usage(user * _TICK_S, system * _TICK_S, peak_bytes, rss_bytes=now_bytes, processes=count)


def at_end(group: Cgroup | None) -> Usage:
    """Return what the run of this keeper has used in all, now that its processes have ended.

    Args:
        group: the run's, which may know of more than was waited for; None: it has none.
    """
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    waited_for = cputime.CpuTime(used.ru_utime, used.ru_stime)
    most = max((waited_for, cputime.of_group(group) or waited_for), key=lambda time: time.total_s)
    return Usage(most.user_s, most.system_s, used.ru_maxrss * (1024 if linux.IS_LINUX else 1))


def _descendants(pid: int) -> Iterator[int]:
    """Yield the processes below this one, without runners and what is theirs: those are guests of the run."""
    left = _children(pid)
    while left:
        pid = left.pop()
        if not tree.is_runners(pid):
            yield pid
            left += _children(pid)


def _children(pid: int) -> list[int]:
    """Return the children of all threads of the process."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                found += [int(child) for child in (file.readall() or b"").split()]
    except OSError:
        return found
    return found


def _used(pid: int) -> _Used | None:
    """Return the times of the process, fields 14 to 17 of /proc/PID/stat; None: it is gone."""
    fields = linux.stat_fields(pid)
    return None if fields is None else _Used(*map(int, fields[11:15]))


def _memory(pid: int) -> tuple[int, int]:
    """Return the bytes that the process has had at most, and has now; 0 where it is gone."""
    found = {}
    try:
        with open(f"/proc/{pid}/status", "rb", buffering=0) as file:
            for line in file.read(8192).splitlines():
                if line.startswith((_PEAK, _NOW)):
                    found[line[:6]] = int(line.split()[1]) << 10
    except OSError:
        return 0, 0
    return found.get(_PEAK, 0), found.get(_NOW, 0)
