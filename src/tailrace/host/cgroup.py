"""A control group of its own for a run, where one is writable: then nothing of it can get away.

Version 2 is entered at birth (`linux.fork_into`); version 1 by the child itself, before it executes anything. The
group lies below that of the runner, and is made before its run is known: live.json says which it is. See cgroups(7).

In version 2 a group with processes in it cannot lend controllers to the groups below it (the kernel's cgroup-v2, "No
Internal Process Constraint"), but for some, and then takes no processes any more. So where systemd has put us into a
part of a unit that is given away (`Delegate=` with `DelegateSubgroup=`), the runs' groups lie beside that part, not in
it. Processes are never moved to make room: systemd could not put the unit's next process where it wants it.
"""

import contextlib
import errno
import functools
import os
import signal
import time
from collections.abc import Iterator

PREFIX = "tailrace-"
ABANDONED_S = 60.0
"""an empty group older than that was left by somebody who was killed"""
LENT = ("memory", "pids")
"""controllers that limit a run"""
GUESTS = "tailrace.runners"
"""for runners that were started from inside a run, where its group's parent takes no processes"""
DELEGATED = ("user.delegate", "trusted.delegate")
"""the marks of a group that systemd has given away (systemd.resource-control(5), the section on delegation)"""


@functools.cache
def parents() -> tuple[tuple[int, str], ...]:
    """Return the places where a group can be made, best first: (version, directory)."""
    found = []
    for version, mount, directory in _ours():
        outer = os.path.dirname(directory)
        if version == 2 and directory != mount and is_delegated(outer) and _takes_groups(outer):
            found.append((2, outer))
        elif _takes_groups(directory):
            found.append((version, directory))
    return tuple(sorted(found, reverse=True))


def _ours() -> Iterator[tuple[int, str, str]]:
    """Yield the groups that this process is in, of version 2 and of the hierarchies that can hold a run together.

    Yields:
        version, where its hierarchy is mounted, directory.
    """
    mounts = _mounts()
    for row in read("/proc/self/cgroup").splitlines():
        number, controllers, path = row.split(":", 2)
        version = 2 if number == "0" else 1
        names = [] if version == 2 else controllers.split(",")
        mount = mounts.get("cgroup2" if version == 2 else controllers)
        if mount is not None and (version == 2 or {"pids", "name=systemd"} & set(names)):
            yield version, mount, os.path.normpath(mount + path)


def _takes_groups(directory: str) -> bool:
    return os.access(directory, os.W_OK) and os.access(os.path.join(directory, "cgroup.procs"), os.W_OK)


def is_delegated(directory: str) -> bool:
    """Tell whether systemd has given the group away."""
    for name in DELEGATED:
        try:
            if os.getxattr(directory, name) == b"1":
                return True
        except (OSError, AttributeError):  # no such mark, or no such thing here
            continue
    return False


def lend() -> None:
    """Have the groups of version 2 lend what limits runs, where they have no processes of their own.

    A controller that the system does not lend is missing below, where `confine` looks for it. One with processes could
    lend `pids`, but would take no others as long as a run goes.
    """
    for version, directory in parents():
        if version == 1 or not _may_lend(directory):
            continue
        able = set(read(os.path.join(directory, "cgroup.controllers")).split())
        control = os.path.join(directory, "cgroup.subtree_control")
        for name in sorted(able.intersection(LENT) - set(read(control).split())):
            with contextlib.suppress(OSError):
                write(control, f"+{name}")


def _may_lend(directory: str) -> bool:
    """Tell whether the group has no processes, or is that of the whole machine, to which all this does not apply."""
    is_root = not os.path.exists(os.path.join(directory, "cgroup.type"))
    return is_root or not read(os.path.join(directory, "cgroup.procs")).strip()


@functools.cache
def hierarchies() -> dict[str, str]:
    """Return where the controllers of version 1 that limit a run, or count its processor time, can have groups made.

    Returns:
        directories by the controllers' names.
    """
    mounts = _mounts()
    found = {}
    for row in read("/proc/self/cgroup").splitlines():
        _number, controllers, path = row.split(":", 2)
        for name in {"memory", "pids", "cpuacct"} & set(controllers.split(",")):
            directory = os.path.normpath(mounts.get(name, "") + path)
            if name in mounts and os.access(directory, os.W_OK):
                found[name] = directory
    return found


def leave_run() -> None:
    """Move this process out of the group of the run in which it happens to have been started, if it was.

    A runner that stayed there would be ended with that run, and with it whatever it has launched since.
    """
    ours = [(version, directory) for version, _mount, directory in _ours()]
    for version, directory in (*ours, *((1, directory) for directory in hierarchies().values())):
        outer, found, _ = directory.partition(f"/{PREFIX}")
        if found:
            _enter_outer(outer, version)
    parents.cache_clear()
    hierarchies.cache_clear()


def _enter_outer(outer: str, version: int) -> None:
    """Move this process into the group, or into one below it if it takes no processes because it lends controllers.

    Raises:
        OSError: the system refuses.
    """
    try:
        Cgroup(outer, version).enter()
    except OSError as error:
        if version == 1 or error.errno != errno.EBUSY:
            raise
        beside = Cgroup(os.path.join(outer, GUESTS), version)
        os.makedirs(beside.path, exist_ok=True)
        beside.enter()


class Cgroup:
    """One run's group. Every call is harmless when the group is already gone."""

    def __init__(self, path: str, version: int) -> None:
        self.path = path
        self.version = version

    def open(self) -> int:
        """Return a descriptor of the directory, to fork into; -1 for version 1, which has no such thing."""
        return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if self.version == 2 else -1

    def enter(self) -> None:
        """Move this process into it.

        Raises:
            OSError: the system refuses.
        """
        write(os.path.join(self.path, "cgroup.procs"), "0")

    def holds_us(self) -> bool:
        """Tell whether this process is in it."""
        return os.getpid() in self.pids()

    def pids(self) -> list[int]:
        """Return its processes, those in groups below it included."""
        found: list[int] = []
        for directory, _names, _files in os.walk(self.path):
            found += [int(pid) for pid in read(os.path.join(directory, "cgroup.procs")).split()]
        return [pid for pid in found if pid]

    def kill(self) -> bool:
        """Kill all in it in one step; False where the system cannot."""
        try:
            write(os.path.join(self.path, "cgroup.kill"), "1")
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Remove it, and what limits its run, if nothing is left in it."""
        name = os.path.basename(self.path)
        siblings = [os.path.join(place, name) for place in hierarchies().values()]
        for path in dict.fromkeys((self.path, *siblings)):
            for directory, _names, _files in os.walk(path, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    break


def make() -> Cgroup | None:
    """Make a new group; None where there is no place for one."""
    name = PREFIX + os.urandom(8).hex()
    for version, directory in parents():
        path = os.path.join(directory, name)
        try:
            os.mkdir(path)
        except OSError:
            continue
        return Cgroup(path, version)
    return None


def remove_abandoned() -> None:
    """Remove groups that their makers could not remove any more, whoever they were; one in use refuses."""
    for directory in {*(directory for _version, directory in parents()), *hierarchies().values()}:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith(PREFIX) and entry.stat().st_mtime < time.time() - ABANDONED_S:
                    with contextlib.suppress(OSError):  # it has processes, or groups below it, and is somebody's
                        os.rmdir(entry.path)


def existing(path: str | None) -> Cgroup | None:
    """Return the group that a run recorded, if it is still there and named as ours are."""
    if not path or not os.path.basename(path).startswith(PREFIX) or not os.path.isdir(path):
        return None
    return Cgroup(path, 2 if os.path.exists(os.path.join(path, "cgroup.kill")) else 1)


def signal_pids(pids: list[int], number: int) -> None:
    """Send the signal to each; who is gone is gone."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def end(group: Cgroup) -> None:
    """Kill everything in it."""
    if not group.kill():
        signal_pids(group.pids(), signal.SIGKILL)


def _mounts() -> dict[str, str]:
    """Return where each hierarchy is mounted: `cgroup2`, or the list of controllers as /proc/self/cgroup has it."""
    found: dict[str, str] = {}
    for row in read("/proc/self/mountinfo").splitlines():
        fields, _, rest = row.partition(" - ")
        kind, _source, options = rest.split(" ", 2)
        root, mount = fields.split()[3:5]
        if root != "/":
            continue
        if kind == "cgroup2":
            found.setdefault("cgroup2", mount)
        elif kind == "cgroup":
            named = [option for option in options.split(",") if option not in ("rw", "ro", "xattr", "none")]
            for name in named:
                found.setdefault(name, mount)
            found.setdefault(",".join(named), mount)
    return found


def read(path: str) -> str:
    """Return what a file of a group says; nothing if it is not there."""
    try:
        with open(path, "rb", buffering=0) as file:
            return (file.readall() or b"").decode()
    except OSError:
        return ""


def write(path: str, text: str) -> None:
    """Write to a file of a group.

    Raises:
        OSError: it is not there, or the system refuses.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
