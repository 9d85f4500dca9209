"""From a spec to a running command: pipes or a terminal, then fork, then the child's last steps before exec.

The child runs a few lines of ours between fork and exec, in a process with a single thread. What fails there comes back
over a pipe that closes on exec, as (which step, errno), so that "not found" is known for sure and no exit code is invented.
"""

import errno
import fcntl
import os
import resource
import signal
import struct
import termios
from typing import NamedTuple

from tailrace.core.outcome import FailedToStart
from tailrace.core.spec import Launch, Spec, Stdio, text_of
from tailrace.host import cgroup, linux
from tailrace.host.cgroup import Cgroup
from tailrace.host.tree import MARK

DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"
_NULL = "/dev/null"
_FAILURE = struct.Struct("=ii")
_STEPS = ("prepare", "directory", "limits", "program")


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

    def pipes(self) -> tuple[int, ...]:
        """Return the inodes of the output pipes."""
        return tuple(os.fstat(fd).st_ino for fd in (self.stdout, self.stderr) if fd >= 0 and self.terminal < 0)


class _Ends(NamedTuple):
    """The two sides of the streams: `ours` stay with the keeper, `theirs` become the child's 0, 1 and 2."""

    ours: tuple[int, int, int]
    theirs: tuple[int, int, int]
    terminal: int


def start(spec: Spec, launch: Launch) -> Command | FailedToStart:
    """Start the command.

    Returns:
        the running command, or why it did not start; nothing is left behind then.
    """
    try:
        ends = _terminal(spec) if spec.stdio is Stdio.PTY else _pipes(spec)
    except OSError as error:
        return FailedToStart(f"no pipe or terminal could be made: {error.strerror}")
    group = cgroup.make(spec.id)
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    group_fd = group.open() if group else -1
    keeper = os.getpid()
    try:
        forked = linux.fork_into(group_fd)
        if forked.pid == 0:
            _become(spec, launch, ends, group, (keeper, write_end))
    except OSError as error:
        _close(*ends.ours, *ends.theirs, ends.terminal, read_end, write_end)
        return FailedToStart(f"no process could be made: {error.strerror}")
    finally:
        if group_fd >= 0:
            os.close(group_fd)
    os.close(write_end)
    failure = os.read(read_end, _FAILURE.size)
    _close(read_end, *set(ends.theirs) - {ends.terminal})
    if failure:
        os.waitpid(forked.pid, 0)
        _close(forked.pidfd, *ends.ours, ends.terminal)
        if group is not None:
            group.remove()
        return _explain(*_FAILURE.unpack(failure), launch)
    return Command(forked.pid, forked.pidfd, *ends.ours, ends.terminal, group)


def _pipes(spec: Spec) -> _Ends:
    made: list[int] = []
    try:
        out_ours, out_theirs = os.pipe2(os.O_CLOEXEC)
        made += [out_ours, out_theirs]
        err_ours, err_theirs = (-1, out_theirs)
        if spec.stdio is Stdio.PIPES:
            err_ours, err_theirs = os.pipe2(os.O_CLOEXEC)
            made += [err_ours, err_theirs]
        in_theirs, in_ours = os.pipe2(os.O_CLOEXEC) if spec.stdin else (os.open(_NULL, os.O_RDONLY | os.O_CLOEXEC), -1)
        made += [in_theirs, in_ours]
    except OSError:
        _close(*made)
        raise
    for fd in (out_ours, err_ours, in_ours):
        if fd >= 0:
            os.set_blocking(fd, False)
    return _Ends((in_ours, out_ours, err_ours), (in_theirs, out_theirs, err_theirs), -1)


def _terminal(spec: Spec) -> _Ends:
    master, slave = os.openpty()
    set_size(master, spec.rows, spec.columns)
    os.set_blocking(master, False)
    typing = fcntl.fcntl(master, fcntl.F_DUPFD_CLOEXEC, 3)
    return _Ends((typing, master, -1), (slave, slave, slave), slave)


def set_size(terminal: int, rows: int, columns: int) -> None:
    """Tell the terminal its size; the foreground processes get SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def _become(spec: Spec, launch: Launch, ends: _Ends, group: Cgroup | None, parent: tuple[int, int]) -> None:
    """Turn the forked child into the command; never returns. `parent` is the keeper's pid and where to report to."""
    step = 0
    keeper, report = parent
    try:
        os.setsid()
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(125)
        if group is not None and group.version == 1:
            group.enter()
        if ends.terminal >= 0:
            fcntl.ioctl(ends.terminal, termios.TIOCSCTTY, 0)
        report = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 3)
        _wire(ends.theirs)
        step = 1
        os.umask(launch.umask)
        os.chdir(launch.cwd)
        step = 2
        _limit(spec, launch)
        step = 3
        _restore_signals()
        _execute(spec, launch)
    except OSError as error:
        os.write(report, _FAILURE.pack(step, error.errno or errno.EIO))
    except BaseException:
        os.write(report, _FAILURE.pack(0, errno.EINVAL))
        raise
    finally:
        os._exit(125)


def _wire(theirs: tuple[int, int, int]) -> None:
    """Make these the child's 0, 1 and 2; copies first, as one of them may itself be 0, 1 or 2."""
    copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) for fd in theirs]
    for target, copy in enumerate(copies):
        os.dup2(copy, target, inheritable=True)


def _limit(spec: Spec, launch: Launch) -> None:
    for name, soft, hard in launch.rlimits:
        _set_limit(name, soft, hard, exact=False)
    for name, value in spec.rlimits.items():
        _set_limit(name, value, value, exact=True)
    if launch.nice != os.getpriority(os.PRIO_PROCESS, 0):
        try:
            os.setpriority(os.PRIO_PROCESS, 0, launch.nice)
        except PermissionError:
            pass  # the runner is less nice than the caller, and only root may go back
    if spec.no_new_privileges:
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


def _execute(spec: Spec, launch: Launch) -> None:
    environment = dict(launch.env)
    environment[MARK.encode()] = spec.id.encode()
    argv = (b"stdbuf", b"-oL", b"-eL", *launch.argv) if spec.unbuffer else launch.argv
    if b"/" in argv[0]:
        os.execve(argv[0], argv, environment)
    denied: OSError | None = None
    for directory in environment.get(b"PATH", DEFAULT_PATH).split(b":"):
        try:
            os.execve(os.path.join(directory or b".", argv[0]), argv, environment)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            denied = error
    raise denied or OSError(errno.ENOENT, "not found")


def _explain(step: int, number: int, launch: Launch) -> FailedToStart:
    """Say what went wrong, with the exit code that a shell would give."""
    program = text_of(launch.argv[0])
    if _STEPS[step] == "directory":
        return FailedToStart(f"directory {text_of(launch.cwd)}: {_reason(number)}")
    if _STEPS[step] == "limits":
        return FailedToStart(f"a resource limit could not be set: {_reason(number)}")
    if _STEPS[step] != "program":
        return FailedToStart(f"the command could not be prepared: {_reason(number)}")
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
