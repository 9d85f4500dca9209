"""What processes cost: processor time, memory, and the kernel's for their sockets, from /proc."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024
TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and its children, without theirs: a master and its workers, not the commands."""
    return [pid, *children(pid)]


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    entries = (entry for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return [int(entry.name) for entry in entries if _parent(entry) == pid]


def cpu_s(pids: Iterable[int]) -> float:
    """Return the processor time that these have taken, in seconds, user and system."""
    return sum(max(_by_tasks_s(pid), _by_ticks_s(pid)) for pid in pids)


def pss_kib(pids: Iterable[int]) -> int:
    """Return the memory of these: each page shared by its users."""
    return sum(int(PSS.findall(_text(Path(f"/proc/{pid}/smaps_rollup")))[0]) for pid in pids)


def sockets_kib() -> float:
    """Return what the kernel holds in the buffers of all TCP sockets of this machine."""
    found = re.search(r"^TCP:.* mem (\d+)", _text(Path("/proc/net/sockstat")), re.MULTILINE)
    assert found
    return int(found[1]) * PAGE_KIB


def _by_tasks_s(pid: int) -> float:
    """To the nanosecond, but without threads that have ended."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int((_text(task) or "0").split()[0]) for task in tasks) / 1e9


def _by_ticks_s(pid: int) -> float:
    """All threads, but in whole hundredths of a second, which is more than what ten viewers cost in one."""
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def _parent(entry: Path) -> int:
    fields = _text(entry / "stat").rpartition(")")[2].split()
    return int(fields[1]) if fields else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""
