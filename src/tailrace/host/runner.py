"""The runner: one process per state directory, which launches keepers and holds the queue.

Theory of operation. It has one thread, imports little, and has a keeper forked per run (see `forker`). It keeps
nothing that is not on disk: the queue is the unfinished runs that no keeper has taken, in the order in which it heard
of them, or of their ids after a restart. So it may be killed at any time; the next one looks through `active/` and
goes on.

Whoever makes a run puts it on disk first and then says `begin`. A run whose maker died in between is found all the
same, because the runner looks at `active/` whenever it has changed.

The forker adopts the orphans of keepers that die (child subreaper), so that not even a process that left its session,
cleaned its environment and closed its pipes is lost sight of.
"""

import gc
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import NamedTuple, NoReturn

import msgspec

from tailrace._version import __version__
from tailrace.core.errors import UnknownRun
from tailrace.core.outcome import FailedToStart, Lost
from tailrace.core.result import Result
from tailrace.host import cgroup, ending, linux, lock, messages, settings, settle, tree, unix
from tailrace.host.clock import Clock, anchor
from tailrace.host.forker import Forker, divide
from tailrace.host.housekeeping import Housekeeping
from tailrace.host.keep import wait_and_keep
from tailrace.host.linux import Stat
from tailrace.host.messages import RUNNER_REQUESTS, Begin, Configure, Drain, Reply, Status
from tailrace.host.order import order_for
from tailrace.host.queue import Queue
from tailrace.host.rehearsal import rehearse
from tailrace.host.room import Room
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.stage import prepare_signals
from tailrace.host.statedir import StateDir, write_file

RESCAN_S = 1.0
"""between two looks at `active/` while nothing was asked"""
CLOCK_TICK_NS = 50_000_000
"""more than the tick of the clock by which a file system notes changes"""
LAUNCHES = 3
"""of one run whose keeper dies before it has done anything, until it is given up"""
SPARE_S = 0.01
"""after a launch, until the next keeper is forked ahead: what was just launched needs the processors first"""
RETRY_S = 0.05
"""until a run is tried again whose lock somebody held for a moment"""
VERSION = tuple(int(part) for part in __version__.split(".")[:3])


class Kept(NamedTuple):
    """A run and its keeper's pid."""

    run_id: str
    pid: int


class Runner:
    """Everything the runner knows; all of it can be read from the disk again."""

    def __init__(self, state: StateDir, listener: socket.socket, forker: Forker, *, stay: bool = False) -> None:
        self._state = state
        self._stay = stay
        self._listener = listener
        self._forker = forker
        self._settings = settings.load(state)
        self._housekeeping = Housekeeping(state)
        self._queue = Queue()
        self._keepers: dict[int, Kept] = {}
        """by a descriptor that becomes readable when the keeper ends (below 0 where the system has none)"""
        self._stillborn: dict[str, int] = {}
        """how often a run's keeper died before it had announced itself"""
        self._room = Room(state)
        self._strangers: set[tuple[int, int]] = set()
        """(pid, start) of processes that runs which ended in order have left"""
        self._peers: dict[int, tuple[socket.socket, messages.Inbox]] = {}
        self._poll = select.poll()
        self._active_mtime = -1
        self._spare_due = 0.0
        self._busy_at = time.monotonic()
        self._is_draining = False

    def serve(self) -> None:
        """Work until told to go, or until there has been nothing to do for a while."""
        for fd in (self._forker.fileno(), self._listener.fileno()):
            self._poll.register(fd, select.POLLIN)
        self._rescan()
        self._schedule()
        is_needed = True
        while is_needed:
            for fd, _events in self._poll.poll(self._timeout_ms()):
                self._dispatch(fd)
            self._rescan()
            self._schedule()
            self._make_spare()
            self._housekeeping.look(self._settings)
            is_needed = not self._is_draining and not self._is_idle()

    def _dispatch(self, fd: int) -> None:
        if fd in self._keepers:
            self._note_ended(fd)
        elif fd == self._listener.fileno():
            self._accept()
        elif fd in self._peers:
            self._receive(fd)
        elif fd == self._forker.fileno():
            self._hear_forker()

    def _hear_forker(self) -> None:
        try:
            self._forker.receive()
        except OSError as error:
            _log(str(error))
            self._is_draining = True

    def _timeout_ms(self) -> float:
        timeout_s = RETRY_S if self._queue.is_retrying else RESCAN_S
        if self._forker.needs_spare:
            timeout_s = min(timeout_s, max(0.0, self._spare_due - time.monotonic()) + 0.001)
        return timeout_s * 1000

    def _make_spare(self) -> None:
        """Have a keeper forked ahead, if there is none; a refusal is not asked about again at once."""
        now = time.monotonic()
        if self._forker.needs_spare and now >= self._spare_due:
            self._forker.prepare()
            self._spare_due = now + RESCAN_S

    def _is_idle(self) -> bool:
        if self._keepers or self._queue or self._peers or self._stay or self._settings.stay:
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
            request = RUNNER_REQUESTS.decode(body)
        except msgspec.MsgspecError as error:
            return self._about(error=f"not understood: {error}", hint="see that all run the same Tailrace")
        match request:
            case Begin(run=run_id):
                if run_id not in self._going():
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
            running=len(self._keepers),
            queued=tuple(self._queue.ids()[:10_000]),
            max_running=self._settings.max_running,
        )

    # The queue

    def _rescan(self) -> None:
        """Look through `active/`, if it changed, for runs that nobody told us of and keepers that are not ours."""
        for fd in [fd for fd in self._keepers if fd < 0 and not self._is_kept(self._keepers[fd])]:
            self._note_ended(fd)
        mtime = os.fstat(self._state.active_fd).st_mtime_ns
        if mtime == self._active_mtime and not self._queue.is_retrying:
            return
        is_fresh = time.time_ns() - mtime < CLOCK_TICK_NS  # more may come with the same time
        self._active_mtime = -1 if is_fresh else mtime
        known = {*self._going(), *self._queue.ids()}
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
        if live is not None:
            self._watch(run.id, live.keeper.pid, linux.pidfd_of(live.keeper.pid))

    def _schedule(self) -> None:
        """Launch what may run now, in order; a run whose key is going waits, those behind it do not."""
        keys: set[str] = set()
        if self._queue.has_keys:
            keys = {key for run_id in self._going() if (key := self._state.active_key(run_id))}
        if self._queue:
            self._room.begin(self._going(), len(self._queue))
        for run_id, key in self._queue.items():
            if len(self._keepers) >= self._settings.max_running:
                break
            if key is not None and key in keys:
                keys.add(key)
                continue
            if not self._room.has(run_id) or not self._launch(run_id):
                continue
            self._room.take(run_id)
            if key is not None:
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
                ordered = order_for(run.spec(), run.launch())
                spare = self._forker.take()
                spare.begin(ordered, fd)
            except Damaged as error:
                self._queue.remove(run_id)
                ending.record(run, Result(outcome=FailedToStart(str(error)), ended=Clock(anchor()).wall()))
                return False
            except OSError as error:
                _log(f"run {run_id} waits: {error}")
                self._queue.retry(run_id, keep_if=True)
                return False
            finally:
                os.close(fd)
        self._queue.remove(run_id)
        self._watch(run_id, spare.pid, spare.pidfd)
        self._spare_due = time.monotonic() + SPARE_S
        return True

    def _forget_missing(self, run_id: str, error: Exception) -> None:
        """Drop an entry whose run never appeared; its maker died, or removed it again."""
        self._queue.remove(run_id)
        _log(f"run {run_id}: {error}")

    # Keepers

    def _going(self) -> set[str]:
        return {kept.run_id for kept in self._keepers.values()}

    def _watch(self, run_id: str, pid: int, pidfd: int) -> None:
        """Learn of the keeper's end; one that has ended already is seen to at once."""
        if pidfd < 0 and linux.IS_LINUX:
            self._finish(run_id, frozenset())
            return
        if pidfd >= 0:
            self._poll.register(pidfd, select.POLLIN)
        self._keepers[pidfd if pidfd >= 0 else -pid] = Kept(run_id, pid)

    def _is_kept(self, kept: "Kept") -> bool:
        try:
            with RunDir(self._state, kept.run_id) as run:
                return run.is_kept()
        except UnknownRun:
            return False

    def _note_ended(self, fd: int) -> None:
        """A keeper ended: see to its run, and to the orphans that it may have left to the forker."""
        if fd >= 0:
            self._poll.unregister(fd)
            os.close(fd)
        run_id = self._keepers.pop(fd).run_id
        pids = {kept.pid for kept in self._keepers.values()}
        orphans = [stat for pid in self._forker.children() - pids - {os.getpid()} if (stat := linux.stat_of(pid))]
        fresh = [stat for stat in orphans if not stat.is_dead and self._is_fresh(stat)]
        if self._state.is_active(run_id) or (fresh and self._is_lost(run_id)):
            self._finish(run_id, frozenset(stat.pid for stat in fresh if tree.mark_of(stat.pid) in (None, run_id)))
        self._strangers = {(stat.pid, stat.start) for stat in orphans}

    def _finish(self, run_id: str, orphans: frozenset[int]) -> None:
        """See that the run whose keeper ended has its result; if the keeper was killed, its orphans go with it."""
        try:
            with RunDir(self._state, run_id) as run:
                if run.has("live.json") or run.has("result.json"):
                    settle.end_orphans(run, orphans)
                    settle.settle(run)
                else:
                    self._try_again(run)
        except Exception as error:
            _log(f"run {run_id}: {error!r}")

    def _is_fresh(self, stat: Stat) -> bool:
        return (stat.pid, stat.start) not in self._strangers and not tree.is_runners(stat.pid)

    def _is_lost(self, run_id: str) -> bool:
        """Tell whether somebody has settled the run already, who cannot know the orphans."""
        try:
            with RunDir(self._state, run_id) as run:
                result = run.result()
        except (UnknownRun, Damaged):
            return False
        return result is not None and isinstance(result.outcome, Lost)

    def _try_again(self, run: RunDir) -> None:
        """Nothing has been executed: put the run back in the queue, unless that has happened too often."""
        failures = self._stillborn.pop(run.id, 0) + 1
        if failures < LAUNCHES:
            self._stillborn[run.id] = failures
            self._queue.add(run.id, self._state.active_key(run.id))
        else:
            settle.give_up(run)


def _log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
    sys.stderr.flush()


def main(path: str, ready_fd: int, *, detach: bool) -> NoReturn:
    """Be the runner of the state directory, unless it has one. `ready_fd` gets a line when requests are served."""
    if detach and os.fork():
        os._exit(0)
    _forget_starter(ready_fd, detach=detach)
    state = StateDir(path, create=False)
    lock_fd = lock.open_lock("runner.lock", dir_fd=state.fd)
    if not lock.try_lock(lock_fd):
        _tell(ready_fd, b"taken\n")
        if not detach:
            _log(f"another runner serves {path}")
        os._exit(0 if detach else 1)
    if detach:
        _log_to_file(state)
    linux.become_subreaper()
    _leave_run()
    _remove_abandoned_groups()
    cgroup.lend()
    prepare_signals()
    _warm_up(state)
    forker = divide(lambda link: _keep(state, link), let_go=(lock_fd, ready_fd))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system collects what does the housekeeping
    listener = unix.listen("runner.sock", dir_fd=state.fd)
    write_file("runner.lock", f"{os.getpid()} {__version__}\n".encode(), dir_fd=state.fd, flags=os.O_TRUNC)
    runner = Runner(state, listener, forker, stay=not detach)
    _tell(ready_fd, b"ready\n")
    runner.serve()
    os._exit(0)


def _leave_run() -> None:
    try:
        cgroup.leave_run()
    except OSError as error:
        _log(f"still in the cgroup of the run that started it: {error}")


def _remove_abandoned_groups() -> None:
    try:
        cgroup.remove_abandoned()
    except OSError as error:
        _log(f"old control groups are still there: {error}")


def _keep(state: StateDir, link: socket.socket) -> None:
    try:
        wait_and_keep(state, link)
    except Exception as error:
        _log(f"keeper {os.getpid()} failed: {error!r}")


def _warm_up(state: StateDir) -> None:
    """Touch now what every keeper would touch, and leave what is in memory alone from then on."""
    try:
        rehearse(state)
    except OSError as error:
        _log(f"no rehearsal: {error}")
    gc.collect()
    gc.freeze()
    gc.disable()


def _tell(ready_fd: int, line: bytes) -> None:
    if ready_fd >= 0:
        try:
            os.write(ready_fd, line)
        except BrokenPipeError:
            pass  # who started us has waited for too long; the next one finds us here
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
