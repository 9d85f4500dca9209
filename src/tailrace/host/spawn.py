"""From an order to a running command: pipes or a terminal, then fork, then the child's last steps before exec.

Theory of operation. The forked child, not the keeper, reads the spec and the environment, writes the first
`live.json`, and works out what the keeper is to write there when the command runs: all the memory that this takes goes
with exec, and the keeper stays small. It tells over a pipe that closes on exec: first that it is about to begin, and
then, only if something fails, which step and why. So "not found" is known for sure, and no exit code is invented.
"""

import errno
import fcntl
import os
import resource
import signal
import struct
import termios
import time
from typing import NamedTuple

import msgspec

from tailrace.core import states
from tailrace.core.outcome import FailedToStart
from tailrace.core.run import Live, ProcessId
from tailrace.core.spec import Launch, text_of
from tailrace.core.states import Event, State
from tailrace.host import cgroup, fault, linux, rundir
from tailrace.host.cgroup import Cgroup
from tailrace.host.clock import Clock
from tailrace.host.order import Order
from tailrace.host.rundir import LIVE_BYTES, Damaged, RunDir
from tailrace.host.tree import MARK

DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"
_NULL = "/dev/null"
_STARTED = b"S"
_BEGUN = struct.Struct("=q")
_FAILURE = struct.Struct("=i")
_ABOUT_BYTES = 1000


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


class _Ends(NamedTuple):
    """The two sides of the streams: `ours` stay with the keeper, `theirs` become the child's 0, 1 and 2."""

    ours: tuple[int, int, int]
    theirs: tuple[int, int, int]
    terminal: int


class _Child(NamedTuple):
    """What the forked child needs to become the command."""

    run: RunDir
    order: Order
    ends: _Ends
    cgroup: Cgroup | None
    keeper: int
    report: int


def start(run: RunDir, order: Order) -> tuple[Command, Born] | FailedToStart:
    """Start the command.

    Returns:
        the running command and what it said of itself; or why it did not start: nothing is left behind then.
    """
    try:
        ends = _terminal(order) if order.is_terminal else _pipes(order)
    except OSError as error:
        return FailedToStart(f"no pipe or terminal could be made: {error.strerror}")
    group = cgroup.make(run.id)
    report, reporting = os.pipe2(os.O_CLOEXEC)
    group_fd = group.open() if group else -1
    keeper = os.getpid()
    try:
        forked = linux.fork_into(group_fd)
        if forked.pid == 0:
            _become(_Child(run, order, ends, group, keeper, reporting))
    except OSError as error:
        _close(*ends.ours, *ends.theirs, ends.terminal, report, reporting)
        return FailedToStart(f"no process could be made: {error.strerror}")
    finally:
        if group_fd >= 0:
            os.close(group_fd)
    _close(reporting, *set(ends.theirs) - {ends.terminal})
    told = _read_all(report)
    os.close(report)
    if told[:1] == _STARTED:
        (begun_ns,) = _BEGUN.unpack_from(told, 1)
        told_ns, live = 1 + _BEGUN.size, 1 + _BEGUN.size + LIVE_BYTES
        if len(told) == live:
            return Command(forked.pid, forked.pidfd, *ends.ours, ends.terminal, group), Born(
                begun_ns, told[told_ns:live]
            )
        told = told[live:]
    os.waitpid(forked.pid, 0)
    _close(forked.pidfd, *ends.ours, ends.terminal)
    if group is not None:
        group.remove()
    return _explain(told)


def _read_all(fd: int) -> bytes:
    """Read until the other end closes: by exec, or by the child's death."""
    told = b""
    while part := os.read(fd, 8192):
        told += part
    return told


def _pipes(order: Order) -> _Ends:
    made: list[int] = []
    try:
        out_ours, out_theirs = os.pipe2(os.O_CLOEXEC)
        made += [out_ours, out_theirs]
        err_ours, err_theirs = (-1, out_theirs)
        if not order.is_merged:
            err_ours, err_theirs = os.pipe2(os.O_CLOEXEC)
            made += [err_ours, err_theirs]
        in_theirs, in_ours = os.pipe2(os.O_CLOEXEC) if order.stdin else (os.open(_NULL, os.O_RDONLY | os.O_CLOEXEC), -1)
        made += [in_theirs, in_ours]
    except OSError:
        _close(*made)
        raise
    for fd in (out_ours, err_ours, in_ours):
        if fd >= 0:
            os.set_blocking(fd, False)
    return _Ends((in_ours, out_ours, err_ours), (in_theirs, out_theirs, err_theirs), -1)


def _terminal(order: Order) -> _Ends:
    master, slave = os.openpty()
    set_size(master, order.rows, order.columns)
    os.set_blocking(master, False)
    typing = fcntl.fcntl(master, fcntl.F_DUPFD_CLOEXEC, 3)
    return _Ends((typing, master, -1), (slave, slave, slave), slave)


def set_size(terminal: int, rows: int, columns: int) -> None:
    """Tell the terminal its size; the foreground processes get SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def _become(child: _Child) -> None:
    """Turn the forked child into the command; never returns."""
    step, about = "prepare", ""
    report = child.report
    try:
        os.setsid()
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() != child.keeper:
            os._exit(125)
        fault.point("starting:forked")
        if child.cgroup is not None and child.cgroup.version == 1:
            child.cgroup.enter()
        launch = child.run.launch()
        live = _announce(child)
        if child.ends.terminal >= 0:
            fcntl.ioctl(child.ends.terminal, termios.TIOCSCTTY, 0)
        report = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 3)
        os.umask(launch.umask)
        step, about = "directory", text_of(launch.cwd)
        os.chdir(launch.cwd)
        step = "limits"
        _limit(launch)
        step, about = "program", text_of(launch.argv[0])
        _restore_signals()
        _wire(child.ends.theirs)
        begun_ns = time.monotonic_ns()
        _tell(report, _STARTED + _BEGUN.pack(begun_ns) + rundir.pad(_running(child, live, begun_ns)))
        fault.point("starting:told")
        _execute(child.run.id, launch)
    except OSError as error:
        _tell(report, _FAILURE.pack(error.errno or errno.EIO) + f"{step}\0{about}".encode()[:_ABOUT_BYTES])
    except Damaged as error:
        _tell(report, _FAILURE.pack(errno.EINVAL) + f"damage\0{error}".encode()[:_ABOUT_BYTES])
    except BaseException as error:  # noqa: BLE001 (nothing of ours may go on in this process)
        _tell(report, _FAILURE.pack(errno.EINVAL) + f"prepare\0{error!r}".encode()[:_ABOUT_BYTES])
    finally:
        os._exit(125)


def _announce(child: _Child) -> Live:
    """Write the first live.json, in the keeper's name, before anything of the command can happen."""
    stat = linux.stat_of(child.keeper)
    keeper = ProcessId(linux.boot_id(), stat.start if stat else 0, child.keeper)
    me = linux.stat_of(os.getpid())
    live = Live(
        state=states.after(State.QUEUED, Event.CLAIM),
        keeper=keeper,
        sessions=((os.getpid(), me.start if me else 0),),
        pipes=() if child.order.is_terminal else tuple(os.fstat(fd).st_ino for fd in {*child.ends.theirs[1:]}),
        cgroup=child.cgroup.path if child.cgroup else None,
    )
    child.run.write_live(live)
    fault.point("starting:announced")
    return live


def _running(child: _Child, live: Live, begun_ns: int) -> Live:
    """Return what the keeper is to say once exec has succeeded."""
    stat = linux.stat_of(os.getpid())
    return msgspec.structs.replace(
        live,
        state=states.after(live.state, Event.START),
        command=ProcessId(live.keeper.boot, stat.start if stat else 0, os.getpid()),
        started=Clock(child.order.anchor).wall(begun_ns),
    )


def _tell(report: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(report, view) :]


def _wire(theirs: tuple[int, int, int]) -> None:
    """Make these the child's 0, 1 and 2; copies first, as one of them may itself be 0, 1 or 2."""
    copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) for fd in theirs]
    for target, copy in enumerate(copies):
        os.dup2(copy, target, inheritable=True)


def _limit(launch: Launch) -> None:
    for name, soft, hard in launch.caller_limits:
        _set_limit(name, soft, hard, exact=False)
    for name, value in launch.rlimits:
        _set_limit(name, value, value, exact=True)
    if launch.nice != os.getpriority(os.PRIO_PROCESS, 0):
        try:
            os.setpriority(os.PRIO_PROCESS, 0, launch.nice)
        except PermissionError:
            pass  # the runner is less nice than the caller, and only root may go back
    if launch.no_new_privileges:
        linux.forbid_new_privileges()


def _set_limit(name: str, soft: int, hard: int, *, exact: bool) -> None:
    """Set one limit; the caller's own are taken as far as allowed, those that were asked for exactly or not at all."""
    number = getattr(resource, f"RLIMIT_{name}", None)
    if number is None or resource.getrlimit(number) == (soft, hard):
        return
    try:
        resource.setrlimit(number, (soft, hard))
    except (ValueError, PermissionError):
        if exact:
            raise OSError(errno.EPERM, "above the hard limit") from None
        ceiling = resource.getrlimit(number)[1]
        if soft == resource.RLIM_INFINITY or (ceiling != resource.RLIM_INFINITY and soft > ceiling):
            soft = ceiling
        resource.setrlimit(number, (soft, ceiling))


def _restore_signals() -> None:
    """Undo what Python and the keeper ignore, so that the command dies of SIGPIPE as it would in a shell."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _execute(run_id: str, launch: Launch) -> None:
    """Become the program; looked up in the command's own PATH, as a shell would.

    Raises:
        OSError: it is not there, or is not a program.
    """
    environment = dict(launch.env)
    environment[MARK.encode()] = run_id.encode()
    program = launch.argv[0]
    if b"/" in program:
        os.execve(program, launch.argv, environment)
    is_there = False
    for directory in environment.get(b"PATH", DEFAULT_PATH).split(b":"):
        path = os.path.join(directory or b".", program)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            os.execve(path, launch.argv, environment)
        is_there = is_there or os.access(path, os.F_OK)
    raise OSError(errno.EACCES if is_there else errno.ENOENT, "not to be executed")


def _explain(told: bytes) -> FailedToStart:
    """Say what went wrong, with the exit code that a shell would give."""
    if len(told) < _FAILURE.size:
        return FailedToStart("the process that was to become the command died before it could")
    (number,) = _FAILURE.unpack_from(told)
    step, _, about = told[_FAILURE.size :].decode("utf-8", "replace").partition("\0")
    match step:
        case "directory":
            return FailedToStart(f"directory {about}: {_reason(number)}")
        case "limits":
            return FailedToStart(f"a resource limit could not be set: {_reason(number)}")
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
