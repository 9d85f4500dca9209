"""Which processes belong to a run, and how to reach all of them.

Theory of operation. While its keeper lives, every process of a run is a descendant of the keeper: it is a child
subreaper, so orphans come to it. A dead keeper's run is found again by what its processes carry with them: the run's
cgroup; the mark in the environment (`TAILRACE_RUN=<id>`); the sessions in which they were seen; the output pipe that
they hold; and whoever descends from one of those. Each mark covers what another misses: `sudo` cleans the environment
but keeps the pipe, a daemon closes the pipe but keeps the environment, `setsid` leaves the session but keeps both.

Signals go through pidfds, compared with the start time seen in the scan, so that a pid that was reused meanwhile is
never hit.
"""

import os
import signal
from typing import NamedTuple

from tailrace.core.result import Child
from tailrace.core.spec import text_of
from tailrace.host import linux
from tailrace.host.cgroup import Cgroup
from tailrace.host.linux import Stat

MARK = "TAILRACE_RUN"
RUNNER_MARK = "TAILRACE_RUNNER"
"""in the environment of runners and keepers: one that was started from inside a run is its guest, not a part of it"""


class Traces(NamedTuple):
    """What a run's processes can be known by."""

    run_id: str
    roots: frozenset[int] = frozenset()
    """pids whose descendants, not themselves, belong to the run: its living keeper"""
    members: frozenset[int] = frozenset()
    """pids that belong to it, with their descendants"""
    sessions: frozenset[tuple[int, int]] = frozenset()
    """(session, start of its leader, or 0 if that was dead)"""
    pipes: frozenset[int] = frozenset()
    cgroup: Cgroup | None = None
    spared: frozenset[int] = frozenset()
    """pids that never belong to it: ours"""


def scan(traces: Traces, *, by_marks: bool) -> list[Stat]:
    """Return the living processes of the run.

    Args:
        traces: what to look for.
        by_marks: also look into environments and open files, which costs some 20 us a process; needed when the keeper
            is dead, or somebody may have escaped it.
    """
    everyone = {pid: stat for pid in _pids() if (stat := linux.stat_of(pid)) is not None and not stat.is_dead}
    spared = traces.spared | {os.getpid()}
    members = {pid for pid in traces.members if pid in everyone}
    sessions = {session for session, start in traces.sessions if _start(everyone.get(session)) in (None, start)}
    members |= {stat.pid for stat in everyone.values() if stat.session in sessions}
    if traces.cgroup is not None:
        members.update(traces.cgroup.pids())
    if by_marks:
        members |= {pid for pid in everyone if pid not in members and _carries_mark(pid, traces)}
    members -= spared
    members |= _descendants(everyone, members | traces.roots) - spared
    guests = {pid for pid in members if is_runners(pid)}
    members -= guests | _descendants(everyone, guests)
    return [everyone[pid] for pid in sorted(members - traces.roots) if pid in everyone]


def send(processes: list[Stat], number: int) -> int:
    """Send the signal to each of them that is still the same process; return how many got it."""
    return sum(_send(process, number) for process in processes)


def kill_all(traces: Traces, *, by_marks: bool) -> list[Stat]:
    """Kill the whole tree: freeze it so that nobody forks, look again until nobody new is found, kill.

    Returns:
        those that were killed; whether they are gone is for the caller to wait for.
    """
    seen: dict[tuple[int, int], Stat] = {}
    for _ in range(50):
        found = scan(traces, by_marks=by_marks)
        fresh = [process for process in found if (process.pid, process.start) not in seen]
        if not fresh:
            break
        seen.update({(process.pid, process.start): process for process in fresh})
        send(fresh, signal.SIGSTOP)
    if traces.cgroup is not None:
        traces.cgroup.kill()
    send(list(seen.values()), signal.SIGKILL)
    return list(seen.values())


def children(processes: list[Stat]) -> tuple[Child, ...]:
    """Return the processes as a result names them."""
    return tuple(Child(process.pid, argv_of(process.pid)) for process in processes)


def argv_of(pid: int) -> str:
    """Return a process's command line for people, at most 200 characters."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            raw = file.read(800) or b""
    except OSError:
        return "?"
    return text_of(raw.rstrip(b"\0").replace(b"\0", b" "))[:200] or "?"


def _start(leader: Stat | None) -> int | None:
    return None if leader is None else leader.start


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _descendants(everyone: dict[int, Stat], roots: set[int] | frozenset[int]) -> set[int]:
    by_parent: dict[int, list[int]] = {}
    for stat in everyone.values():
        by_parent.setdefault(stat.ppid, []).append(stat.pid)
    found: set[int] = set()
    left = list(roots)
    while left:
        for pid in by_parent.get(left.pop(), ()):
            if pid not in found:
                found.add(pid)
                left.append(pid)
    return found


def _carries_mark(pid: int, traces: Traces) -> bool:
    return mark_of(pid) == traces.run_id or (bool(traces.pipes) and _holds_pipe(pid, traces.pipes))


def is_runners(pid: int) -> bool:
    """Tell whether the process is a runner, a forker or a keeper: of whatever state directory."""
    return _variable(pid, RUNNER_MARK) is not None


def mark_of(pid: int) -> str | None:
    """Return the id of the run that stands in the process's environment, or None."""
    return _variable(pid, MARK)


def _variable(pid: int, name: str) -> str | None:
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            environment = file.readall() or b""
    except OSError:
        return None
    prefix = f"{name}=".encode()
    for entry in environment.split(b"\0"):
        if entry.startswith(prefix):
            return entry[len(prefix) :].decode("ascii", "replace")
    return None


def _holds_pipe(pid: int, pipes: frozenset[int]) -> bool:
    """Tell whether the process has the writing end of one of the pipes (a viewer of ours never has)."""
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if (
                    os.stat(f"/proc/{pid}/fd/{fd}").st_ino in pipes
                    and os.readlink(f"/proc/{pid}/fd/{fd}")[:5] == "pipe:"
                ):
                    return True
            except OSError:
                continue
    except OSError:
        return False
    return False


def _send(process: Stat, number: int) -> bool:
    pidfd = linux.pidfd_of(process.pid)
    try:
        now = linux.stat_of(process.pid)
        if now is None or now.start != process.start or now.is_dead:
            return False
        if pidfd >= 0:
            signal.pidfd_send_signal(pidfd, number)
        else:
            os.kill(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        if pidfd >= 0:
            os.close(pidfd)
    return True
