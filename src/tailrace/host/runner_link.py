"""How any process reaches the runner of a state directory: asks it, starts it if there is none, replaces an older one.

The runner is started with `posix_spawn` (a threaded or async host program is never forked), by an interpreter that is
found properly (under uWSGI, or embedded, `sys.executable` is not Python), isolated from the host's environment. It
detaches itself and answers over a pipe when it serves.
"""

import errno
import fcntl
import os
import signal
import sys
import sysconfig
import time

import msgspec

from tailrace._version import __version__
from tailrace.core.errors import EngineUnavailable, WrongVersion
from tailrace.host import messages, unix
from tailrace.host.messages import PROTOCOL, Begin, Drain, Reply, RunnerRequest
from tailrace.host.statedir import StateDir
from tailrace.host.tree import RUNNER_MARK
from tailrace.host.wait import readable

DEADLINE_S = 20.0
ANSWER_S = 10.0
TRIES = 3
"""failed starts in a row, until the caller is told"""
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VERSION = tuple(int(part) for part in __version__.split(".")[:3])
ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": os.defpath, RUNNER_MARK: "1"}
_BOOT = (
    "import sys; sys.path[:0] = {paths!r}; "
    "from tailrace.host.runner import main; main({state!r}, {ready}, detach={detach})"
)
_GONE = (errno.ENOENT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE)


def begin(state: StateDir, run_id: str) -> None:
    """Have the runner take a run that is on disk; may be repeated.

    Raises:
        EngineUnavailable: no runner could be reached or started in time; the run stays queued, and is taken by the
        next. WrongVersion: a newer runner serves the directory and cannot be talked to.
    """
    ask(state, Begin(run_id, VERSION))


def ask(state: StateDir, request: RunnerRequest) -> Reply:
    """Send the request to the runner, starting or replacing it first if need be, and return its answer.

    Raises:
        EngineUnavailable: no runner could be reached or started in time.
        WrongVersion: a newer runner serves the directory and cannot be talked to.
    """
    deadline = time.monotonic() + DEADLINE_S
    why, failures = "it does not answer", 0
    while time.monotonic() < deadline and failures < TRIES:
        try:
            reply = ask_once(state, request)
        except OSError as error:
            if error.errno not in _GONE and not isinstance(error, TimeoutError | BlockingIOError):
                raise _unavailable(state, str(error)) from None
            failure = _start_or_wait(state)
            why, failures = (failure, failures + 1) if failure else (why, failures)
            continue
        if reply.protocol > PROTOCOL:
            raise WrongVersion(
                f"the runner of {state.path} is newer than this Tailrace",
                op="start",
                subject=state.path,
                hint=f"upgrade this installation ({__version__}), or choose another state directory",
            )
        if reply.version < VERSION:
            _drain(state)
            continue
        if reply.error:
            raise EngineUnavailable(reply.error, op="start", subject=state.path, hint=reply.hint)
        return reply
    raise _unavailable(state, why)


def ask_once(state: StateDir, request: RunnerRequest) -> Reply:
    """Send the request to the runner that is there.

    Raises:
        OSError: there is none, or it went away.
    """
    peer = unix.connect("runner.sock", dir_fd=state.fd, timeout_s=ANSWER_S)
    try:
        return messages.ask(peer, request)
    finally:
        peer.close()


def _drain(state: StateDir) -> None:
    """Send an older runner away; its keepers go on, and its queue is on disk."""
    try:
        ask_once(state, Drain())
    except OSError:
        return
    for _ in range(500):
        if not state.has_runner():
            return
        readable([], 0.01)


def _start_or_wait(state: StateDir) -> str:
    """Start a runner, or wait a little while somebody else does; returns what went wrong, if anything."""
    fd = os.open("runner.start", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=state.fd)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        readable([], 0.005)
        return ""
    else:
        if state.has_runner():
            readable([], 0.005)
            return ""
        return _spawn(state)
    finally:
        os.close(fd)


def foreground(state: StateDir) -> list[str]:
    """Return the argv of a runner that stays where it is started, talks on stderr, and never goes by itself."""
    return _boot(state, ready=-1, detach=False)


def _boot(state: StateDir, *, ready: int, detach: bool) -> list[str]:
    code = _BOOT.format(paths=_import_paths(), state=state.path, ready=ready, detach=detach)
    return [interpreter(), "-I", "-S", "-c", code]


def _spawn(state: StateDir) -> str:
    reading, low = os.pipe2(os.O_CLOEXEC)
    writing = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(low)
    try:
        argv = _boot(state, ready=3, detach=True)
        actions = [
            (os.POSIX_SPAWN_OPEN, 2, _error_log(state), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, writing, 3),
        ]
        pid = os.posix_spawn(
            argv[0], argv, ENVIRONMENT,
            file_actions=actions, setsigmask=(), setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )  # fmt: skip
    except OSError as error:
        os.close(reading)
        return f"{interpreter()} could not be started: {error.strerror}"
    finally:
        os.close(writing)
    try:
        answer = _read_line(reading, ANSWER_S)
    finally:
        os.close(reading)
        _collect(pid)
    return "" if answer else f"it failed; see {os.path.join(state.path, 'runner.log')}"


def _error_log(state: StateDir) -> str:
    return f"/proc/self/fd/{state.fd}/runner.log" if sys.platform == "linux" else os.path.join(state.path, "runner.log")


def _read_line(fd: int, timeout_s: float) -> bytes:
    return os.read(fd, 64) if readable([fd], timeout_s) else b""


def _collect(pid: int) -> None:
    """Reap the process that detached the runner, unless the host program did."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _import_paths() -> list[str]:
    """Return where Tailrace and what its keepers need were imported from, for an interpreter without site-packages."""
    places = (_PACKAGE, os.path.dirname(os.path.abspath(msgspec.__file__)))
    return list(dict.fromkeys(os.path.dirname(place) for place in places))


def interpreter() -> str:
    """Return the path of a Python that can import what we import. TAILRACE_PYTHON overrides the search."""
    if chosen := os.environ.get("TAILRACE_PYTHON"):
        return chosen
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    directories = [os.path.join(prefix, "bin") for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix)]
    directories.append(sysconfig.get_config_var("BINDIR") or "/usr/bin")
    named = [os.path.join(directory, name) for directory in directories for name in (version, "python3", "python")]
    own = [sys.executable] if os.path.basename(sys.executable or "").startswith(("python", "pypy")) else []
    for path in [*own, *named]:
        if os.access(path, os.X_OK):
            return path
    return "python3"


def _unavailable(state: StateDir, why: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"the runner of {state.path} cannot be reached: {why}",
        op="start",
        subject=state.path,
        hint="`tailrace runner --foreground` shows what is wrong; TAILRACE_PYTHON names another interpreter",
    )
