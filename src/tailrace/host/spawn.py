"""From an order to a running command: pipes or a terminal, and the process that becomes it (see `child`).

That process is forked ahead, before there is an order: what a fork costs is not on the way from a request to its first
byte.
"""

import errno
import fcntl
import os
import socket
import struct
import termios
from typing import NamedTuple

from tailrace.core.outcome import FailedToStart
from tailrace.host import cgroup, child, linux, order
from tailrace.host.cgroup import Cgroup
from tailrace.host.child import BEGUN, FAILURE, STARTED
from tailrace.host.order import Order
from tailrace.host.rundir import LIVE_BYTES
from tailrace.host.statedir import StateDir
from tailrace.host.unix import pair

_ANSWER_BYTES = 8192


class Blank(NamedTuple):
    """A process that waits to become a command, in the control group that will be the run's."""

    pid: int
    pidfd: int
    link: socket.socket
    group: Cgroup | None

    def abandon(self) -> None:
        """End it; it has not become anything."""
        self.link.close()
        os.waitpid(self.pid, 0)
        _close(self.pidfd)
        if self.group is not None:
            self.group.remove()


class Command(NamedTuple):
    """A command that runs, and our ends of its streams (-1: not there)."""

    pid: int
    pidfd: int
    stdin: int
    stdout: int
    stderr: int
    terminal: int
    """the slave side of the pty, held open until the command has exited"""
    cgroup: Cgroup | None


class Born(NamedTuple):
    """What the child says of itself just before it becomes the command."""

    begun_ns: int
    """the monotonic instant that times of the run count from"""
    live: bytes
    """live.json, as it is to read when the command runs"""


class Ends(NamedTuple):
    """The two sides of the streams: `ours` stay with the keeper, `theirs` become the child's 0, 1 and 2."""

    ours: tuple[int, int, int]
    theirs: tuple[int, int, int]
    terminal: int


def prepare(state: StateDir) -> Blank:
    """Fork a process that can become the command of any run of the state directory.

    Raises:
        OSError: the system gave no process.
    """
    group = cgroup.make()
    group_fd = group.open() if group else -1
    ours, theirs = pair()
    keeper = os.getpid()
    try:
        forked = linux.fork_into(group_fd)
        if forked.pid == 0:
            ours.close()
            child.wait_and_become(state, theirs, group, keeper)
    except OSError:
        ours.close()
        if group is not None:
            group.remove()
        raise
    finally:
        theirs.close()
        _close(group_fd)
    return Blank(forked.pid, forked.pidfd, ours, group)


def begin(blank: Blank, ordered: Order) -> Ends | FailedToStart:
    """Tell the waiting process what to become; `finish` says what came of it.

    Returns:
        the command's streams; or why there is none: the waiting process is gone then.

    Raises:
        BrokenPipeError: the process was killed while it waited; nothing has happened, and another may be told.
    """
    try:
        ends = _terminal(ordered) if ordered.is_terminal else _pipes(ordered)
    except OSError as error:
        blank.abandon()
        return FailedToStart(f"no pipe or terminal could be made: {error.strerror}")
    try:
        socket.send_fds(blank.link, [order.encode(ordered)], ends.theirs)
    except OSError:
        blank.abandon()
        _close(*ends.ours, ends.terminal)
        raise
    finally:
        _close(*set(ends.theirs) - {ends.terminal})
    return ends


def finish(blank: Blank, ends: Ends) -> tuple[Command, Born] | FailedToStart:
    """Wait until the process has become the command, or failed to.

    Returns:
        the running command and what it said of itself; or why it did not start: nothing is left behind then.
    """
    told = _read_all(blank.link)
    if told[:1] == STARTED:
        (begun_ns,) = BEGUN.unpack_from(told, 1)
        start, end = 1 + BEGUN.size, 1 + BEGUN.size + LIVE_BYTES
        if len(told) == end:
            blank.link.close()
            return Command(blank.pid, blank.pidfd, *ends.ours, ends.terminal, blank.group), Born(
                begun_ns, told[start:end]
            )
        told = told[end:]
    blank.abandon()
    _close(*ends.ours, ends.terminal)
    return _explain(told)


def _read_all(link: socket.socket) -> bytes:
    """Read until the other end closes: by exec, or by the child's death."""
    told = b""
    try:
        while part := link.recv(_ANSWER_BYTES):
            told += part
    except ConnectionResetError:
        pass  # it died with the order unread
    return told


def _pipes(ordered: Order) -> Ends:
    made: list[int] = []
    try:
        out_ours, out_theirs = os.pipe2(os.O_CLOEXEC)
        made += [out_ours, out_theirs]
        err_ours, err_theirs = (-1, out_theirs)
        if not ordered.is_merged:
            err_ours, err_theirs = os.pipe2(os.O_CLOEXEC)
            made += [err_ours, err_theirs]
        in_theirs, in_ours = os.pipe2(os.O_CLOEXEC) if ordered.stdin else (os.open(os.devnull, os.O_RDONLY), -1)
        made += [in_theirs, in_ours]
    except OSError:
        _close(*made)
        raise
    for fd in (out_ours, err_ours, in_ours):
        if fd >= 0:
            os.set_blocking(fd, False)
    return Ends((in_ours, out_ours, err_ours), (in_theirs, out_theirs, err_theirs), -1)


def _terminal(ordered: Order) -> Ends:
    master, slave = os.openpty()
    set_size(master, ordered.rows, ordered.columns)
    os.set_blocking(master, False)
    typing = fcntl.fcntl(master, fcntl.F_DUPFD_CLOEXEC, 3)
    return Ends((typing, master, -1), (slave, slave, slave), slave)


def set_size(terminal: int, rows: int, columns: int) -> None:
    """Tell the terminal its size; the foreground processes get SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def _explain(told: bytes) -> FailedToStart:
    """Say what went wrong, with the exit code that a shell would give."""
    if len(told) < FAILURE.size:
        return FailedToStart("the process that was to become the command died before it could")
    (number,) = FAILURE.unpack_from(told)
    step, _, about = told[FAILURE.size :].decode("utf-8", "replace").partition("\0")
    match step:
        case "directory":
            return FailedToStart(f"directory {about}: {_reason(number)}")
        case "limits":
            return FailedToStart(f"a resource limit could not be set: {_reason(number)}")
        case "user":
            return FailedToStart(f"it could not become the user that it is for: {_reason(number)}")
        case "program":
            return _explain_program(number, about)
        case "damage":
            return FailedToStart(about)
        case _:
            return FailedToStart(f"the command could not be prepared: {about or _reason(number)}")


def _explain_program(number: int, program: str) -> FailedToStart:
    if number in (errno.ENOENT, errno.ENOTDIR):
        return FailedToStart(f"{program}: command not found", 127)
    reason = {
        errno.EACCES: "not executable (permission denied)",
        errno.ENOEXEC: "not a program the system can run (a script needs a first line such as #!/bin/sh)",
        errno.E2BIG: "the arguments and the environment together are too long for the system",
        errno.EISDIR: "it is a directory",
    }.get(number, _reason(number))
    return FailedToStart(f"{program}: {reason}", 126)


def _reason(number: int) -> str:
    return os.strerror(number).lower()


def _close(*fds: int) -> None:
    for fd in set(fds):
        if fd >= 0:
            os.close(fd)
