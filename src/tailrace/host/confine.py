"""Limits of memory and of processes by control groups, where such groups can be made.

A run's own group (`cgroup`) holds its processes together; what can be limited in it depends on which controllers the
place has. In version 2 the limit is a file of the run's own group, if its parent lends the controller. In version 1
every controller has a hierarchy of its own: the run gets a group of the same name in each that is needed, below the
one that the runner is in. So the name alone says where they are, and nothing more has to be recorded. See cgroups(7),
and in the kernel's documentation cgroup-v2, cgroup-v1/memory, cgroup-v1/pids.
"""

import contextlib
import os
from typing import Literal, NamedTuple, TypeAlias

from tailrace.core.limits import Resources
from tailrace.host import cgroup, cputime
from tailrace.host.cgroup import Cgroup

Controller: TypeAlias = Literal["memory", "pids"]

_FILES: dict[tuple[Controller, int], tuple[str, str, str]] = {
    ("memory", 1): ("memory.limit_in_bytes", "memory.oom_control", "oom_kill"),
    ("memory", 2): ("memory.max", "memory.events", "oom_kill"),
    ("pids", 1): ("pids.max", "pids.events", "max"),
    ("pids", 2): ("pids.max", "pids.events", "max"),
}
"""where the limit is written, where the kernel counts how often it had to hold to it, and by which word"""


class Place(NamedTuple):
    """A group in which one controller's limit can be set."""

    controller: Controller
    version: int
    path: str

    def set_limit(self, number: int) -> None:
        """Make the group, if it is a sibling of the run's own, and limit it.

        Raises:
            OSError: the system refuses.
        """
        os.makedirs(self.path, exist_ok=True)
        cgroup.write(os.path.join(self.path, _FILES[self.controller, self.version][0]), str(number))
        if self.controller == "memory":
            self._forbid_swap(number)

    def _forbid_swap(self, number: int) -> None:
        """Count swap with the memory, where it is counted at all; version 2 also ends the whole group at once."""
        more = [("memory.swap.max", "0"), ("memory.oom.group", "1")]
        for name, text in more if self.version == 2 else [("memory.memsw.limit_in_bytes", str(number))]:
            try:
                cgroup.write(os.path.join(self.path, name), text)
            except OSError:
                continue  # this kernel has no such thing

    def enter(self) -> None:
        """Move this process into it.

        Raises:
            OSError: the system refuses.
        """
        Cgroup(self.path, self.version).enter()

    def is_there(self) -> bool:
        """Tell whether the group has been made."""
        return os.path.isdir(self.path)

    def was_reached(self) -> bool:
        """Tell whether the kernel had to hold the group to its limit: it killed in it, or refused it a process."""
        _limit, events, word = _FILES[self.controller, self.version]
        for row in cgroup.read(os.path.join(self.path, events)).splitlines():
            name, _, count = row.partition(" ")
            if name == word:
                return int(count) > 0
        return False


def place_for(controller: Controller, group: Cgroup | None) -> Place | None:
    """Return where the run of this group can be limited; None: nowhere.

    Args:
        controller: `memory` or `pids`.
        group: the run's own; None: it has none.
    """
    if group is None:
        return None
    if group.version == 2 and os.path.exists(os.path.join(group.path, _FILES[controller, 2][0])):
        return Place(controller, 2, group.path)
    directory = cgroup.hierarchies().get(controller)
    return None if directory is None else Place(controller, 1, os.path.join(directory, os.path.basename(group.path)))


def enter(group: Cgroup | None, resources: Resources) -> None:
    """Limit this process and all that it will start, as far as groups can; and have its processor time counted.

    Raises:
        OSError: a group is there, and the system refuses to limit it.
    """
    limits: tuple[tuple[Controller, int | None], ...] = (("memory", resources.memory), ("pids", resources.processes))
    for controller, number in limits:
        if number is not None and (place := place_for(controller, group)) is not None:
            place.set_limit(number)
            if group is None or place.path != group.path:
                place.enter()
    if resources.cpu_s is not None and (counting := cputime.sibling(group)) is not None:
        with contextlib.suppress(OSError):  # the keeper adds up, then
            os.makedirs(counting.path, exist_ok=True)
            counting.enter()


def what_limits(controller: Controller) -> str | None:
    """Return which kind of group can limit runs that are started here: `cgroup v1`; None: none can.

    A group is made for the question, and removed; what runs need is lent to it as it is to them.
    """
    cgroup.lend()
    group = cgroup.make()
    try:
        place = place_for(controller, group)
        return None if place is None else f"cgroup v{place.version}"
    finally:
        if group is not None:
            group.remove()
