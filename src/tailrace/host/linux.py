"""The few Linux calls that the standard library lacks.

Sources: prctl(2), clone(2) for clone3 and CLONE_INTO_CGROUP, proc(5). On other systems every call here does less, and
says so by its return value; nothing raises for being elsewhere.
"""

import ctypes
import functools
import os
import signal
import struct
import sys
from typing import NamedTuple

IS_LINUX = sys.platform == "linux"

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_SYS_CLONE3 = 435
"""the same number on every architecture that has clone3"""
_CLONE_PIDFD = 0x1000
_CLONE_INTO_CGROUP = 0x2_0000_0000

_libc = ctypes.PyDLL(None, use_errno=True)


def become_subreaper() -> bool:
    """Adopt orphaned descendants from now on; False where the system has no such thing."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int) -> bool:
    """Ask for a signal when the parent dies; cleared by setuid programs, kept across exec."""
    return _prctl(_PR_SET_PDEATHSIG, signal_number)


def forbid_new_privileges() -> bool:
    """Make setuid bits and file capabilities powerless for this process and all it starts."""
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def forbid_dumps() -> bool:
    """Let nothing of this process's memory get into a core dump, nor be read by other processes of its user."""
    return _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> bool:
    return IS_LINUX and _libc.prctl(option, value, 0, 0, 0) == 0


class Forked(NamedTuple):
    """What a fork gave: pid 0 in the child; in the parent the child's pid and a pidfd (-1 where there is none)."""

    pid: int
    pidfd: int


def fork_into(cgroup_fd: int) -> Forked:
    """Fork; in one step into the cgroup (v2) whose directory this is, so that not even a first instant is outside.

    Moving a process afterwards by `cgroup.procs` takes a lock of the whole machine: 11 ms when it was idle, measured.

    Args:
        cgroup_fd: an open cgroup v2 directory, or -1 for an ordinary fork.

    Raises:
        OSError: the system gave no new process.
    """
    if cgroup_fd >= 0:
        forked = _clone3(cgroup_fd)
        if forked is not None:
            return forked
    pid = os.fork()
    return Forked(pid, pidfd_of(pid) if pid else -1)


def _clone3(cgroup_fd: int) -> Forked | None:
    """Fork by clone3; None where that is refused (an old kernel, a seccomp filter, a cgroup that takes nobody).

    Only for a process with one thread: no at-fork handler runs.
    """
    pidfd = ctypes.c_int(-1)
    flags = _CLONE_PIDFD | _CLONE_INTO_CGROUP
    arguments = struct.pack("=11Q", flags, ctypes.addressof(pidfd), 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, cgroup_fd)
    buffer = ctypes.create_string_buffer(arguments, len(arguments))
    pid = _libc.syscall(ctypes.c_long(_SYS_CLONE3), buffer, ctypes.c_size_t(len(arguments)))
    if pid < 0:
        return None
    return Forked(pid, pidfd.value)


def pidfd_of(pid: int) -> int:
    """Return a descriptor that becomes readable when the process ends, or -1."""
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return -1


@functools.cache
def boot_id() -> str:
    """Return what tells this boot of the machine from every other."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


class Stat(NamedTuple):
    """The parts of /proc/PID/stat that say who a process is."""

    pid: int
    ppid: int
    group: int
    session: int
    start: int
    state: str
    threads: int

    @property
    def is_dead(self) -> bool:
        """Whether only its entry in the table is left."""
        return self.state in "ZX"


def stat_fields(pid: int) -> list[bytes] | None:
    """Return the fields of /proc/PID/stat from the third on (proc(5)), or None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            raw = file.read(1024)
    except OSError:
        return None
    return raw[raw.rindex(b")") + 2 :].split()


def stat_of(pid: int) -> Stat | None:
    """Return who the process is, or None if there is none (any more)."""
    fields = stat_fields(pid)
    if fields is None:
        return None
    ppid, group, session, threads, start = (int(fields[at]) for at in (1, 2, 3, 17, 19))
    return Stat(pid, ppid, group, session, start, fields[0].decode(), threads)


def threads_of_user(uid: int) -> int:
    """Return how many threads the user's processes have together, as RLIMIT_NPROC counts them (getrlimit(2))."""
    found = 0
    for name in os.listdir("/proc"):
        if name.isdecimal() and _owner(name) == uid and (fields := stat_fields(int(name))) is not None:
            found += int(fields[17])
    return found


def _owner(name: str) -> int | None:
    """Return the user whose process it is; None if it is gone."""
    try:
        return os.stat(f"/proc/{name}").st_uid
    except OSError:
        return None


def children_of(pid: int) -> set[int]:
    """Return the pids of a single-threaded process's children; none where the system does not say."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb", buffering=0) as file:
            return {int(child) for child in (file.readall() or b"").split()}
    except OSError:
        return set()


def umask_of_this_process() -> int:
    """Return the umask without setting it, which would race with other threads."""
    try:
        with open("/proc/self/status", "rb", buffering=0) as file:
            for line in file.read(4096).splitlines():
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except OSError:
        pass
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
