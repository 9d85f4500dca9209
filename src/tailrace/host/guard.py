"""What a run uses, against what it may: looked at again and again by its keeper, for as long as the run goes.

Where a control group limits the run, the kernel holds it to that by itself, and counts how often it had to: a look is
a read of that count. Else a look is a sum over the run's processes in /proc. Processor time is always looked at: no
kernel ends a tree by it (see `cputime`). As time cannot be used faster than there are processors, the next look at it
is due when the limit can be reached at the earliest.
"""

import os
import resource
import signal
import time
from typing import Final

from tailrace.core.limits import Resource, Resources
from tailrace.host import confine, cputime
from tailrace.host.family import Family
from tailrace.host.linux import Stat

GROUP_NS: Final = 100_000_000
"""between two looks at a control group's counts"""
COUNT_NS: Final = 25_000_000
"""between two sums over all processes, at least: a tree grows fast"""
CPU_NS: Final = 50_000_000
"""between two looks at processor time, at least"""
SHARE: Final = 10
"""sums take at most one part in so many of a processor, however many processes the host has"""
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Guard:
    """One run's.

    Args:
        limits: what it may use.
        family: its processes; the command has been started.
        now_ns: the time.

    Attributes:
        due_ns: when to look again.
    """

    def __init__(self, limits: Resources, family: Family, now_ns: int) -> None:
        self._limits = limits
        self._family = family
        group = self._group = family.command.cgroup if family.command is not None else None
        memory, pids = confine.place_for("memory", group), confine.place_for("pids", group)
        self._memory_group = memory if limits.memory is not None and memory is not None and memory.is_there() else None
        self._pids_group = pids if limits.processes is not None and pids is not None and pids.is_there() else None
        self._counts = (limits.memory is not None and self._memory_group is None) or (
            limits.processes is not None and self._pids_group is None
        )
        self._cpu_due_ns = now_ns
        self.due_ns = now_ns

    def look(self, now_ns: int) -> Resource | None:
        """Return what the run uses too much of; None: nothing. Sets when to look again."""
        begun_ns = time.monotonic_ns()
        found = self._reached()
        looks_at_cpu = self._limits.cpu_s is not None and now_ns >= self._cpu_due_ns
        if found is None and (self._counts or looks_at_cpu):
            found = self._count(self._family.everybody(), now_ns, looks_at_cpu=looks_at_cpu)
        took_ns = time.monotonic_ns() - begun_ns
        pauses = [now_ns + max(COUNT_NS, SHARE * took_ns)] if self._counts else []
        pauses += [now_ns + GROUP_NS] if self._memory_group or self._pids_group else []
        pauses += [self._cpu_due_ns] if self._limits.cpu_s is not None else []
        self.due_ns = min(pauses)
        return found

    def behind(self, status: int) -> Resource | None:
        """Return the limit by which the kernel ended the command before we looked; None: it did not.

        Args:
            status: the command's raw wait status; one that exited with 0 has borne whatever it met.
        """
        if status == 0:
            return None
        if self._limits.cpu_s is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            return "cpu"
        return self._reached()

    def _reached(self) -> Resource | None:
        if self._memory_group is not None and self._memory_group.was_reached():
            return "memory"
        if self._pids_group is not None and self._pids_group.was_reached():
            return "processes"
        return None

    def _count(self, everybody: list[Stat], now_ns: int, *, looks_at_cpu: bool) -> Resource | None:
        limits = self._limits
        if limits.processes is not None and self._pids_group is None and _threads(everybody) > limits.processes:
            return "processes"
        if limits.memory is not None and self._memory_group is None and _exceeds(everybody, limits.memory):
            return "memory"
        if limits.cpu_s is None or not looks_at_cpu:
            return None
        counted = cputime.of_group(self._group)
        left_s = limits.cpu_s - max(_cpu_s(everybody), counted.total_s if counted else 0.0)
        self._cpu_due_ns = now_ns + max(CPU_NS, round(left_s * 1e9 / (os.cpu_count() or 1)))
        return "cpu" if left_s <= 0 else None


def _threads(everybody: list[Stat]) -> int:
    """Return how many threads they have: the kernel, where it counts, counts those."""
    return sum(each.threads for each in everybody)


def _exceeds(everybody: list[Stat], limit_bytes: int) -> bool:
    """Tell whether the processes together have more than so much memory."""
    pids = [each.pid for each in everybody]
    return sum(map(_resident_bytes, pids)) > limit_bytes and sum(map(_own_bytes, pids)) > limit_bytes


def _cpu_s(everybody: list[Stat]) -> float:
    """Return the seconds that the processes, and all that have ended and were waited for, have used."""
    done = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = sum(sum(map(int, _fields(f"/proc/{each.pid}/stat")[11:15])) for each in everybody)
    return done.ru_utime + done.ru_stime + ticks * _TICK_S


def _resident_bytes(pid: int) -> int:
    """Return the bytes of the process that are in memory (proc(5), statm), with all that it shares with others."""
    fields = _fields(f"/proc/{pid}/statm")
    return int(fields[1]) * _PAGE_BYTES if len(fields) > 1 else 0


def _own_bytes(pid: int) -> int:
    """Return the same without files, and with its part of what it shares (proc(5), smaps_rollup); that takes longer."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:
            rows = (file.readall() or b"").splitlines()
    except OSError:
        return _resident_bytes(pid)  # it has changed its user, or is gone
    sizes = {row.split()[0]: int(row.split()[1]) << 10 for row in rows[1:]}
    return sizes.get(b"Pss:", 0) - sizes.get(b"Pss_File:", 0)


def _fields(path: str) -> list[bytes]:
    """Return the words of a file of /proc; of `stat` those behind the name; none if the process is gone."""
    try:
        with open(path, "rb", buffering=0) as file:
            raw = file.read(1024) or b""
    except OSError:
        return []
    return raw[raw.rfind(b")") + 1 :].split()
