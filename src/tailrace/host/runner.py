"""The runner: one process per state directory, which launches keepers and holds the queue.

Theory of operation. It has one thread, imports little, and forks a keeper per run. It keeps nothing that is not on disk: the
queue is the unfinished runs that no keeper has taken, in the order in which it heard of them, or of their ids after a
restart. So it may be killed at any time; the next one looks through `active/` and goes on.

Whoever makes a run puts it on disk first and then says `begin`. A run whose maker died in between is found all the same,
because the runner looks at `active/` whenever it has changed.

It adopts the orphans of keepers that die (child subreaper), so that not even a process that left its session, cleaned its
environment and closed its pipes is lost sight of.
"""

import gc
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import NoReturn

import msgspec

from tailrace._version import __version__
from tailrace.host import linux, lock, messages, settings, settle, tree, unix
from tailrace.host.keeper import keep
from tailrace.host.messages import Begin, Configure, Drain, Reply, RunnerRequest, Status
from tailrace.host.queue import Queue
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.statedir import StateDir, write_file

RESCAN_S = 1.0
"""between two looks at `active/` while nothing was asked"""
RETRY_S = 0.05
"""until a run is tried again whose lock somebody held for a moment"""
VERSION = tuple(int(part) for part in __version__.split(".")[:3])


class Runner:
    """Everything the runner knows; all of it can be read from the disk again."""

    def __init__(self, state: StateDir, listener: socket.socket, lock_fd: int) -> None:
        self._state = state
        self._listener = listener
        self._lock_fd = lock_fd
        self._settings = settings.load(state)
        self._queue = Queue()
        self._keepers: dict[int, str] = {}
        """our children: pid → run"""
        self._adopted: dict[int, str] = {}
        """keepers of an earlier runner: pidfd → run"""
        self._strangers: set[int] = set()
        """processes that came to us from runs that may leave some"""
        self._peers: dict[int, tuple[socket.socket, messages.Inbox]] = {}
        self._poll = select.poll()
        self._active_mtime = -1
        self._busy_at = time.monotonic()
        self._is_draining = False

    def serve(self) -> None:
        """Work until told to go, or until there has been nothing to do for a while."""
        wakeup = _wake_on_child()
        for fd in (wakeup, self._listener.fileno()):
            self._poll.register(fd, select.POLLIN)
        self._rescan()
        self._schedule()
        while not self._is_draining and not self._is_idle():
            for fd, _events in self._poll.poll(self._timeout_ms()):
                self._dispatch(fd, wakeup)
            self._reap()
            self._rescan()
            self._schedule()

    def _dispatch(self, fd: int, wakeup: int) -> None:
        if fd == wakeup:
            os.read(fd, 4096)
        elif fd == self._listener.fileno():
            self._accept()
        elif fd in self._peers:
            self._receive(fd)
        elif fd in self._adopted:
            self._poll.unregister(fd)
            os.close(fd)
            self._finish(self._adopted.pop(fd), frozenset())

    def _timeout_ms(self) -> float:
        return (RETRY_S if self._queue.is_retrying else RESCAN_S) * 1000

    def _is_idle(self) -> bool:
        if self._keepers or self._adopted or self._queue or self._peers or self._settings.stay:
            self._busy_at = time.monotonic()
        return time.monotonic() - self._busy_at > self._settings.idle_s

    # Requests

    def _accept(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        if not unix.is_same_user(peer):
            peer.close()
            return
        peer.setblocking(False)
        self._peers[peer.fileno()] = (peer, messages.Inbox())
        self._poll.register(peer, select.POLLIN)
        self._receive(peer.fileno())

    def _receive(self, fd: int) -> None:
        peer, inbox = self._peers[fd]
        try:
            data = peer.recv(65536)
            inbox.feed(data)
            while (body := inbox.take()) is not None:
                peer.send(messages.encode(self._answer(body)))
        except BlockingIOError:
            return
        except (OSError, ValueError):
            data = b""
        if not data:
            del self._peers[fd]
            self._poll.unregister(fd)
            peer.close()

    def _answer(self, body: bytes) -> Reply:
        try:
            request = msgspec.msgpack.decode(body, type=RunnerRequest)
        except msgspec.MsgspecError as error:
            return self._about(error=f"not understood: {error}", hint="see that all run the same Tailrace")
        match request:
            case Begin(run=run_id):
                self._queue.add(run_id, self._state.active_key(run_id))
                self._schedule()
            case Drain():
                self._is_draining = True
                os.unlink("runner.sock", dir_fd=self._state.fd)
            case Configure():
                self._settings = settings.load(self._state)
            case Status():
                pass
        return self._about()

    def _about(self, error: str = "", hint: str = "") -> Reply:
        return Reply(
            error=error,
            hint=hint,
            version=VERSION,
            pid=os.getpid(),
            running=len(self._keepers) + len(self._adopted),
            queued=tuple(self._queue.ids()[:10_000]),
            max_running=self._settings.max_running,
        )

    # The queue

    def _rescan(self) -> None:
        """Look through `active/`, if it changed, for runs that nobody told us of and keepers that are not ours."""
        mtime = os.fstat(self._state.active_fd).st_mtime_ns
        if mtime == self._active_mtime and not self._queue.is_retrying:
            return
        self._active_mtime = mtime
        known = {*self._keepers.values(), *self._adopted.values(), *self._queue.ids()}
        for run_id in self._state.active():
            if run_id not in known:
                self._look_at(run_id)

    def _look_at(self, run_id: str) -> None:
        """Find out what an unfinished run that we do not know is: queued, kept by another's keeper, or dead."""
        try:
            with RunDir(self._state, run_id) as run:
                if not run.has("live.json") and not run.has("result.json"):
                    self._queue.add(run_id, self._state.active_key(run_id))
                elif run.is_kept():
                    self._adopt(run)
                else:
                    settle.settle(run)
        except Exception as error:
            _log(f"run {run_id}: {error!r}")

    def _adopt(self, run: RunDir) -> None:
        try:
            live = run.live()
        except Damaged:
            return
        if live is None or live.keeper.pid in self._keepers:
            return
        pidfd = linux.pidfd_of(live.keeper.pid)
        stat = linux.stat_of(live.keeper.pid)
        if pidfd < 0 or stat is None or stat.start != live.keeper.start:
            self._active_mtime = -1
            if pidfd >= 0:
                os.close(pidfd)
            return
        self._adopted[pidfd] = run.id
        self._poll.register(pidfd, select.POLLIN)

    def _schedule(self) -> None:
        """Launch what may run now, in order; a run whose key is going waits, those behind it do not."""
        going = {*self._keepers.values(), *self._adopted.values()}
        keys = {key for run_id in going if (key := self._state.active_key(run_id))} if self._queue.has_keys else set()
        for run_id, key in self._queue.items():
            if len(self._keepers) + len(self._adopted) >= self._settings.max_running:
                break
            if key is not None and key in keys:
                keys.add(key)
                continue
            if self._launch(run_id) and key is not None:
                keys.add(key)

    def _launch(self, run_id: str) -> bool:
        """Fork a keeper for the run; False if it does not need one, or cannot have one yet."""
        try:
            run = RunDir(self._state, run_id)
        except Exception as error:
            self._forget_missing(run_id, error)
            return False
        with run:
            fd = run.open_lock()
            try:
                if not lock.try_lock(fd):
                    self._queue.retry(run_id, keep_if=not run.has("live.json"))
                    return False
                if run.has("result.json") or run.has("live.json"):
                    self._queue.remove(run_id)
                    self._active_mtime = -1
                    return False
                pid = self._fork(run)
            except OSError as error:
                _log(f"run {run_id} waits: {error}")
                self._queue.retry(run_id, keep_if=True)
                return False
            finally:
                os.close(fd)
        self._keepers[pid] = run_id
        self._queue.remove(run_id)
        return True

    def _forget_missing(self, run_id: str, error: Exception) -> None:
        """Drop an entry whose run never appeared; its maker died, or removed it again."""
        self._queue.remove(run_id)
        _log(f"run {run_id}: {error}")

    def _fork(self, run: RunDir) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            self._become_keeper()
            keep(run)
            code = 0
        except BaseException as error:
            _log(f"the keeper of {run.id} failed: {error!r}")
        finally:
            os._exit(code)

    def _become_keeper(self) -> None:
        """Let go of everything that is the runner's alone."""
        signal.set_wakeup_fd(-1)
        for peer, _inbox in self._peers.values():
            peer.close()
        self._listener.close()
        os.close(self._lock_fd)
        for pidfd in self._adopted:
            os.close(pidfd)

    # Children

    def _reap(self) -> None:
        """Collect keepers that ended, and the orphans that some left to us."""
        ended: list[int] = []
        while True:
            try:
                pid, _status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            self._strangers.discard(pid)
            if pid in self._keepers:
                ended.append(pid)
        if not ended:
            return
        orphans = _children_of_ours() - set(self._keepers) - self._strangers
        for pid in ended:
            run_id = self._keepers.pop(pid)
            self._finish(run_id, frozenset(orphan for orphan in orphans if tree.mark_of(orphan) in (None, run_id)))
        self._strangers |= orphans

    def _finish(self, run_id: str, orphans: frozenset[int]) -> None:
        """See that the run whose keeper ended has its result; if the keeper was killed, its orphans go with it."""
        if self._is_entry_gone(run_id):
            return
        try:
            with RunDir(self._state, run_id) as run:
                if not run.has("live.json") and not run.has("result.json"):
                    self._queue.add(run_id, self._state.active_key(run_id))
                else:
                    settle.settle(run, orphans=orphans)
        except Exception as error:
            _log(f"run {run_id}: {error!r}")

    def _is_entry_gone(self, run_id: str) -> bool:
        try:
            os.stat(run_id, dir_fd=self._state.active_fd)
        except FileNotFoundError:
            return True
        return False


def _children_of_ours() -> set[int]:
    """Return the pids of this process's children."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
            return {int(pid) for pid in (file.readall() or b"").split()}
    except OSError:
        return set()


def _wake_on_child() -> int:
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return reading


def _log(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}", file=sys.stderr, flush=True)


def main(path: str, ready_fd: int, *, detach: bool) -> NoReturn:
    """Be the runner of the state directory, unless it has one. `ready_fd` gets a line when requests are served."""
    if detach and os.fork():
        os._exit(0)
    _forget_starter(ready_fd, detach=detach)
    state = StateDir(path, create=False)
    lock_fd = lock.open_lock("runner.lock", dir_fd=state.fd)
    if not lock.try_lock(lock_fd):
        _tell(ready_fd, b"taken\n")
        os._exit(0)
    if detach:
        _log_to_file(state)
    linux.become_subreaper()
    listener = unix.listen("runner.sock", dir_fd=state.fd)
    write_file("runner.lock", f"{os.getpid()} {__version__}\n".encode(), dir_fd=state.fd, flags=os.O_TRUNC)
    runner = Runner(state, listener, lock_fd)
    _tell(ready_fd, b"ready\n")
    gc.collect()
    gc.freeze()
    gc.disable()
    runner.serve()
    os._exit(0)


def _tell(ready_fd: int, line: bytes) -> None:
    if ready_fd >= 0:
        os.write(ready_fd, line)
        os.close(ready_fd)


def _forget_starter(ready_fd: int, *, detach: bool) -> None:
    """Inherit nothing from whoever happened to start the runner."""
    if detach:
        os.setsid()
        for name in os.listdir("/proc/self/fd") if linux.IS_LINUX else map(str, range(3, 256)):
            fd = int(name)
            if fd > 2 and fd != ready_fd:
                try:
                    os.close(fd)
                except OSError:
                    pass  # it was the descriptor of the listing itself
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.chdir("/")
    os.umask(0o077)
    for name in ("NOFILE", "FSIZE", "CPU", "AS", "DATA", "NPROC"):
        number = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(number)[1]
        resource.setrlimit(number, (hard, hard))
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except PermissionError:
        pass  # only root may become less nice again; keepers do little, and commands get the caller's value


def _log_to_file(state: StateDir) -> None:
    """Send what we have to say to runner.log; a large one is begun anew."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    fd = os.open("runner.log", flags, 0o600, dir_fd=state.fd)
    if os.fstat(fd).st_size > 1 << 20:
        os.ftruncate(fd, 0)
    os.dup2(fd, 2)
    os.close(fd)
