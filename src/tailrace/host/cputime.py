"""The processor time that a run has used: what the kernel has counted for its control group, or a sum over processes.

A group counts all that ever was in it. A sum has what is alive, and what has ended and was waited for: whoever ignores
the end of its children (SIGCHLD; wait(2), the notes) has their time counted nowhere else. In version 2 every group
counts; in version 1 `confine` makes one for it, in the hierarchy `cpuacct`. See the kernel's cgroup-v2, and
cgroup-v1/cpuacct.
"""

import os
from typing import NamedTuple

from tailrace.host import cgroup
from tailrace.host.cgroup import Cgroup

CONTROLLER = "cpuacct"
"""that counts in version 1"""


class CpuTime(NamedTuple):
    """Seconds of processors."""

    user_s: float
    system_s: float

    @property
    def total_s(self) -> float:
        """Both together."""
        return self.user_s + self.system_s


def sibling(group: Cgroup | None) -> Cgroup | None:
    """Return the group of version 1 that counts for the run of this group; it need not be there.

    Args:
        group: the run's own; None: it has none.

    Returns:
        None: the run's own group counts, or there is no place for one that does.
    """
    directory = cgroup.hierarchies().get(CONTROLLER)
    if group is None or directory is None or _has_count(group):
        return None
    return Cgroup(os.path.join(directory, os.path.basename(group.path)), 1)


def of_group(group: Cgroup | None) -> CpuTime | None:
    """Return what the run of this group has used; None: nothing counts it."""
    if group is None:
        return None
    if _has_count(group):
        rows = dict(row.split() for row in cgroup.read(os.path.join(group.path, "cpu.stat")).splitlines())
        return CpuTime(int(rows.get("user_usec", 0)) / 1e6, int(rows.get("system_usec", 0)) / 1e6)
    beside = sibling(group)
    return None if beside is None else _of_version_1(beside.path)


def what_counts() -> str | None:
    """Return which kind of group counts for runs that are started here: `cgroup v1`; None: none does."""
    group = cgroup.make()
    try:
        if group is None:
            return None
        if _has_count(group):
            return "cgroup v2"
        return None if sibling(group) is None else "cgroup v1"
    finally:
        if group is not None:
            group.remove()


def _has_count(group: Cgroup) -> bool:
    return group.version == 2 and os.path.exists(os.path.join(group.path, "cpu.stat"))


def _of_version_1(path: str) -> CpuTime | None:
    parts = [cgroup.read(os.path.join(path, f"cpuacct.usage_{part}")) for part in ("user", "sys")]
    return CpuTime(int(parts[0]) / 1e9, int(parts[1]) / 1e9) if all(parts) else None
