"""The process that becomes the command: forked by a keeper ahead of its order, and nothing of ours once it executes.

Theory of operation. It, not the keeper, reads the launch, writes the first `live.json`, and works out what the keeper
is to write there when the command runs: all the memory that this takes goes with exec, and the keeper stays small. It
hears from the keeper once, over a socket that closes on exec: the order, with the descriptors that are to be the
command's 0, 1 and 2. It answers over the same socket: first that it is about to begin, and then, only if something
fails, which step and why. So "not found" is known for sure, and no exit code is invented.
"""

import errno
import fcntl
import math
import os
import resource
import signal
import socket
import stat
import struct
import termios
import time
from typing import NamedTuple, NoReturn

import msgspec

from tailrace.core import states
from tailrace.core.run import Live, ProcessId
from tailrace.core.spec import Account, Launch, text_of
from tailrace.core.states import Event, State
from tailrace.host import confine, fault, linux, order, rundir
from tailrace.host.cgroup import Cgroup
from tailrace.host.clock import Clock
from tailrace.host.order import Order
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.statedir import StateDir
from tailrace.host.tree import MARK

DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"
STARTED = b"S"
BEGUN = struct.Struct("=q")
FAILURE = struct.Struct("=i")
ABOUT_BYTES = 1000
ORDER_BYTES = 4096
CPU_SLACK_S = 2
"""seconds that one process may take more than its run, before the kernel ends it: the keeper is to be first"""
DATA_SLACK_BYTES = 256 << 20
"""of memory that is only reserved, such as the stacks of threads"""
THREADS_SLACK = 32
"""threads that other runs of the same user may have started since, before this one's are refused for it"""


class Self(NamedTuple):
    """What the child knows before it has an order."""

    state: StateDir
    link: socket.socket
    """to the keeper"""
    group: Cgroup | None
    keeper: ProcessId
    session: tuple[int, int]


def wait_and_become(state: StateDir, link: socket.socket, group: Cgroup | None, keeper: int) -> NoReturn:
    """Wait, in a fresh fork, for the order, and become the command; or end with the keeper."""
    try:
        os.setsid()
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() == keeper:
            if group is not None and group.version == 1:
                group.enter()
            _restore_signals()
            _become(Self(state, link, group, _process(keeper), (os.getpid(), _process(os.getpid()).start)))
    finally:
        os._exit(125)


def _process(pid: int) -> ProcessId:
    found = linux.stat_of(pid)
    return ProcessId(linux.boot_id(), found.start if found else 0, pid)


def _become(us: Self) -> None:
    """Wait for the order and turn into the command; returns only if there is no order, or after telling what failed."""
    step, about = "prepare", ""
    message, theirs, _flags, _address = socket.recv_fds(us.link, ORDER_BYTES, 3)
    if not message:
        return
    try:
        for fd in theirs:
            os.set_inheritable(fd, False)  # CPython 3.11's recv_fds ignores MSG_CMSG_CLOEXEC
        ordered = order.decode(message)
        fault.ARMED = ordered.fault
        fault.point("starting:forked")
        with RunDir(us.state, ordered.run_id) as run:
            launch = run.launch()
            live = _announce(us, run, ordered, theirs)
            if launch.secret_files:
                run.write_secrets(launch.secret_files)
        if ordered.is_terminal:
            fcntl.ioctl(theirs[0], termios.TIOCSCTTY, 0)
        _wire(theirs)
        os.umask(launch.umask)
        step = "limits"
        _limit(launch)
        _confine(us.group, ordered, launch)
        if launch.account is not None:
            step = "user"
            _become_user(Account(*launch.account))
        step, about = "directory", text_of(launch.cwd)
        os.chdir(launch.cwd)
        step, about = "program", text_of(launch.argv[0])
        begun_ns = time.monotonic_ns()
        us.link.send(STARTED + BEGUN.pack(begun_ns) + rundir.pad(_running(ordered, live, begun_ns)))
        fault.point("starting:told")
        _execute(ordered.run_id, launch)
    except OSError as error:
        _tell_failure(us, error.errno or errno.EIO, step, about)
    except Damaged as error:
        _tell_failure(us, errno.EINVAL, "damage", str(error))
    except BaseException as error:  # noqa: BLE001 (nothing of ours may go on in this process)
        _tell_failure(us, errno.EINVAL, "prepare", repr(error))


def _tell_failure(us: Self, number: int, step: str, about: str) -> None:
    us.link.send(FAILURE.pack(number) + f"{step}\0{about}".encode()[:ABOUT_BYTES])


def _announce(us: Self, run: RunDir, ordered: Order, theirs: list[int]) -> Live:
    """Write the first live.json, in the keeper's name, before anything of the command can happen."""
    live = Live(
        state=states.after(State.QUEUED, Event.CLAIM),
        keeper=us.keeper,
        sessions=(us.session,),
        pipes=() if ordered.is_terminal else tuple(os.fstat(fd).st_ino for fd in theirs[1:]),
        cgroup=us.group.path if us.group else None,
    )
    run.write_live(live)
    fault.point("starting:announced")
    return live


def _running(ordered: Order, live: Live, begun_ns: int) -> Live:
    """Return what the keeper is to say once exec has succeeded."""
    ((session, start),) = live.sessions
    return msgspec.structs.replace(
        live,
        state=states.after(live.state, Event.START),
        command=ProcessId(live.keeper.boot, start, session),
        started=Clock(ordered.anchor).wall(begun_ns),
    )


def _wire(theirs: list[int]) -> None:
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


def _become_user(account: Account) -> None:
    """Give up being root, for good; the directory and the program are looked for as that user.

    Raises:
        OSError: we are not root, or the system refuses.
    """
    for fd in (0, 1, 2):
        if os.isatty(fd) or stat.S_ISFIFO(os.fstat(fd).st_mode):  # and not /dev/null
            os.fchown(fd, account.uid, -1)  # they are opened by name, too: /dev/stdout, /dev/pts/N
    os.setgroups(account.groups)
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    linux.die_with_parent(signal.SIGKILL)  # a change of user takes that away (prctl(2))


def _confine(group: Cgroup | None, ordered: Order, launch: Launch) -> None:
    """Limit what the keeper looks after, too, by the kernel, so that nothing gets far in between two looks.

    Raises:
        OSError: the system refuses.
    """
    confine.enter(group, ordered.resources)
    if ordered.cpu_s is not None:
        _lower("CPU", math.ceil(ordered.cpu_s) + CPU_SLACK_S)
    if ordered.memory is not None and confine.place_for("memory", group) is None:
        _lower("DATA", 2 * ordered.memory + DATA_SLACK_BYTES)
    if ordered.processes is not None and launch.account is not None and confine.place_for("pids", group) is None:
        uid = Account(*launch.account).uid
        _lower("NPROC", linux.threads_of_user(uid) + 2 * ordered.processes + THREADS_SLACK)


def _lower(name: str, value: int) -> None:
    """Set a limit, unless there is a lower one."""
    number = getattr(resource, f"RLIMIT_{name}")
    soft, hard = resource.getrlimit(number)
    if soft == resource.RLIM_INFINITY or value < soft:
        resource.setrlimit(number, (value, hard))


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
