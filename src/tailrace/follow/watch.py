"""Waking viewers: one watcher per process, whatever the number of runs and viewers.

A thread of its own (a real one, also where threads are patched) waits for the file system to tell of changes, and
rings whoever asked. Three ways, chosen by the file system: inotify, kqueue, or a look every 250 ms, which is also what
is left when the user's 128 inotify instances are used up. Each watched run's lock is looked at once a second, so that
viewers learn of a dead keeper even when nobody else is there to settle it.

Nothing is shared across a fork of the host program: the child makes its own watcher when it first needs one.
"""

import errno
import os
import posix  # its read is the one that eventlet leaves alone
import select
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Literal

from tailrace.follow.bell import Bell
from tailrace.host import lock, real
from tailrace.host.rundir import RunDir
from tailrace.host.wait import POLLIN

EVENTS_BYTES = 65536
POLL_S = 0.25
LIVENESS_S = 1.0
NEVER = float("inf")
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "virtiofs", "vboxsf")
"""file systems on which changes made elsewhere are not announced"""
Ring = Callable[[], float | None]
"""returns in how many seconds it wants to be called again, if at all"""


class Watched:
    """A run that somebody watches: open descriptors of its directory and lock, and who is to be rung."""

    def __init__(self, run: RunDir) -> None:
        self.fd = os.dup(run.fd)
        self.lock_fd = run.open_lock()
        self.rings: dict[int, Ring] = {}
        self.is_orphaned = False
        """nobody holds the run's lock: its keeper is dead, or it waits in the queue"""
        self.seen: tuple[int, bool] = (-1, False)

    def look(self) -> bool:
        """Look at size and result, for file systems that announce nothing; True if something changed."""
        try:
            size = os.stat("output", dir_fd=self.fd).st_size
        except OSError:
            size = 0
        seen = (size, _exists("result.json", self.fd))
        changed, self.seen = seen != self.seen, seen
        return changed

    def close(self) -> None:
        """Let go of the descriptors."""
        os.close(self.fd)
        os.close(self.lock_fd)


class Subscription:
    """A viewer's wish to be rung; `close` ends it."""

    def __init__(self, watcher: "Watcher", watched: Watched, key: tuple[int, int]) -> None:
        self._watcher = watcher
        self._watched = watched
        self._key = key

    @property
    def is_orphaned(self) -> bool:
        """Whether nobody held the run's lock at the last look, at most a second ago."""
        return self._watched.is_orphaned

    def close(self) -> None:
        """Ring no more; after this call the ring is certainly not used."""
        self._watcher.unsubscribe(self._watched, self._key, id(self))


class Backend(ABC):
    """One way to learn of changes."""

    fd: int = -1
    """readable when something changed; -1: the watcher looks every `POLL_S`"""

    @abstractmethod
    def add(self, watched: Watched) -> tuple[int, ...]:
        """Watch the run; returns the numbers under which `changed` reports it."""

    @abstractmethod
    def remove(self, numbers: tuple[int, ...]) -> None:
        """Watch it no more."""

    @abstractmethod
    def changed(self) -> set[int] | None:
        """Return the numbers of what changed; None: anything may have, look at everything."""

    def close(self) -> None:
        """Let go of descriptors, where there are any."""
        return


class Polling(Backend):
    """A look every 250 ms."""

    def add(self, watched: Watched) -> tuple[int, ...]:
        """Remember how things are."""
        watched.look()
        return ()

    def remove(self, numbers: tuple[int, ...]) -> None:
        """Nothing was made."""

    def changed(self) -> set[int] | None:
        """Everything is to be looked at."""
        return None


class Inotify(Backend):
    """inotify(7), by inotify_simple. A run has two watches: its output, and its directory for result and state."""

    def __init__(self) -> None:
        """Make the instance.

        Raises:
            OSError: this user has too many.
        """
        with real.poll_in_place():  # inotify_simple imports it, and eventlet has taken it away
            from inotify_simple import INotify, flags, parse_events

        self._inotify = INotify()
        self._parse = parse_events
        self._overflow = int(flags.Q_OVERFLOW)
        self._modify = int(flags.MODIFY)
        self._appear = int(flags.CREATE | flags.MOVED_TO)
        self.fd = self._inotify.fileno()

    def add(self, watched: Watched) -> tuple[int, ...]:
        """Watch output and directory, by descriptor: names may be long, or gone."""
        directory = f"/proc/self/fd/{watched.fd}"
        numbers = [self._inotify.add_watch(directory, self._appear)]
        try:
            if _exists("output", watched.fd):
                numbers.append(self._inotify.add_watch(f"{directory}/output", self._modify))
        except OSError:
            self.remove(tuple(numbers))
            raise
        return tuple(numbers)

    def remove(self, numbers: tuple[int, ...]) -> None:
        """Remove the watches; those of a pruned run are gone already."""
        for number in numbers:
            try:
                self._inotify.rm_watch(number)
            except OSError:
                continue

    def changed(self) -> set[int] | None:
        """Return what changed; None after an overflow."""
        events = self._parse(posix.read(self.fd, EVENTS_BYTES))
        if any(event.mask & self._overflow for event in events):
            return None
        return {event.wd for event in events}

    def close(self) -> None:
        """End the instance."""
        self._inotify.close()


class Kqueue(Backend):
    """kqueue(2) of the BSDs and macOS: vnode notes on the directory and the output."""

    def __init__(self) -> None:
        self._queue = select.kqueue()  # type: ignore[attr-defined,unused-ignore]
        self.fd = self._queue.fileno()

    def add(self, watched: Watched) -> tuple[int, ...]:
        """Open and watch the directory and the output."""
        numbers = [os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=watched.fd)]
        if _exists("output", watched.fd):
            numbers.append(os.open("output", os.O_RDONLY | os.O_CLOEXEC, dir_fd=watched.fd))
        add = select.KQ_EV_ADD | select.KQ_EV_CLEAR  # type: ignore[attr-defined,unused-ignore]
        notes = select.KQ_NOTE_WRITE | select.KQ_NOTE_EXTEND  # type: ignore[attr-defined,unused-ignore]
        kind = select.KQ_FILTER_VNODE  # type: ignore[attr-defined,unused-ignore]
        changes = [select.kevent(fd, kind, add, notes) for fd in numbers]  # type: ignore[attr-defined,unused-ignore]
        self._queue.control(changes, 0)
        return tuple(numbers)

    def remove(self, numbers: tuple[int, ...]) -> None:
        """Closing a descriptor ends its notes."""
        for number in numbers:
            os.close(number)

    def changed(self) -> set[int] | None:
        """Return what changed."""
        return {int(event.ident) for event in self._queue.control(None, 256, 0)}

    def close(self) -> None:
        """End the queue."""
        self._queue.close()


class Watcher:
    """Rings viewers of runs on one kind of file system. Its thread begins with the first subscription."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._guard = real.make_lock()
        self._watched: dict[tuple[int, int], Watched] = {}
        self._numbers: dict[int, tuple[int, int]] = {}
        self._by_key: dict[tuple[int, int], tuple[int, ...]] = {}
        self._bell = Bell()
        self._is_running = False
        self._due: dict[int, tuple[float, Ring]] = {}
        """by subscription: when it wants to be rung again"""

    def subscribe(self, run: RunDir, ring: Ring) -> Subscription:
        """Ring whenever the run may have changed, and once now.

        Args:
            run: the run; it may be closed afterwards.
            ring: called from the watcher's thread; must not block.

        Raises:
            OSError: no descriptors or watches are left.
        """
        status = os.fstat(run.fd)
        key = (status.st_dev, status.st_ino)
        with self._guard:
            self._run()
            watched = self._watched.get(key) or self._add(run, key)
            subscription = Subscription(self, watched, key)
            watched.rings[id(subscription)] = ring
            self._due[id(subscription)] = 0.0, ring
        self._bell.ring()
        return subscription

    def unsubscribe(self, watched: Watched, key: tuple[int, int], number: int) -> None:
        """Ring this subscription no more, and forget the run with its last one."""
        with self._guard:
            watched.rings.pop(number, None)
            self._due.pop(number, None)
            if watched.rings or self._watched.get(key) is not watched:
                return
            del self._watched[key]
            numbers = self._by_key.pop(key)
            for wd in numbers:
                self._numbers.pop(wd, None)
            self._backend.remove(numbers)
            watched.close()

    def close(self) -> None:
        """Let go of everything; only before the first subscription."""
        self._backend.close()
        self._bell.close()

    def _run(self) -> None:
        if not self._is_running:
            try:
                real.start_thread(self._serve)
            except RuntimeError as error:
                raise OSError(errno.EAGAIN, str(error)) from None
            self._is_running = True

    def _add(self, run: RunDir, key: tuple[int, int]) -> Watched:
        watched = Watched(run)
        try:
            numbers = self._backend.add(watched)
        except OSError:
            watched.close()
            raise
        self._watched[key] = watched
        self._by_key[key] = numbers
        self._numbers.update(dict.fromkeys(numbers, key))
        return watched

    def _serve(self) -> None:
        """Wait and ring, until the process ends."""
        poll = real.make_poll()
        poll.register(self._bell.fd, POLLIN)
        if self._backend.fd >= 0:
            poll.register(self._backend.fd, POLLIN)
        period = LIVENESS_S if self._backend.fd >= 0 else POLL_S
        checked = time.monotonic()
        while True:
            ready = [fd for fd, _events in poll.poll(self._timeout_ms(period))]
            if self._bell.fd in ready:
                self._bell.clear()
            now = time.monotonic()
            is_due = now - checked >= period
            with self._guard:
                ringing = self._changed(announced=self._backend.fd in ready, is_due=is_due)
                if is_due:
                    checked = now
                    ringing += self._orphaned()
                for watched in ringing:
                    self._ring(watched.rings, now)
                self._ring_late(now)

    def _timeout_ms(self, period_s: float) -> float | None:
        with self._guard:
            if not self._watched:
                return None
            soonest = min([due for due, _ring in self._due.values()], default=NEVER)
        return max(0.0, min(period_s, soonest - time.monotonic())) * 1000

    def _ring_late(self, now: float) -> None:
        """Ring those who wanted it about now."""
        if self._due:
            self._ring({key: ring for key, (due, ring) in self._due.items() if due <= now}, now)

    def _ring(self, rings: dict[int, Ring], now: float) -> None:
        for key, ring in rings.items():
            again_s = ring()
            if again_s is None:
                self._due.pop(key, None)
            else:
                self._due[key] = now + again_s, ring

    def _changed(self, *, announced: bool, is_due: bool) -> list[Watched]:
        if self._backend.fd < 0:
            return [watched for watched in self._watched.values() if watched.look()] if is_due else []
        if not announced:
            return []
        numbers = self._backend.changed()
        if numbers is None:
            return list(self._watched.values())
        keys = {self._numbers[number] for number in numbers if number in self._numbers}
        return [self._watched[key] for key in keys]

    def _orphaned(self) -> list[Watched]:
        found = []
        for watched in self._watched.values():
            watched.is_orphaned = not lock.is_locked(watched.lock_fd)
            if watched.is_orphaned:
                found.append(watched)
        return found


_watchers: Final[dict[str, Watcher]] = {}
_watchers_guard = real.make_lock()


def subscribe(run: RunDir, ring: Ring) -> Subscription:
    """Ring whenever the run may have changed, and once now; see `Watcher.subscribe`.

    Raises:
        OSError: no descriptors are left.
    """
    if not _is_remote(os.fstat(run.fd).st_dev):
        try:
            return _watcher("native").subscribe(run, ring)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return _watcher("polling").subscribe(run, ring)  # also where the user's watches are used up


def _watcher(kind: Literal["native", "polling"]) -> Watcher:
    """Return this process's watcher of the kind."""
    if kind in _watchers:
        return _watchers[kind]
    # not under the guard: inotify_simple's first instance runs ldconfig, and gevent runs other greenlets meanwhile
    fresh = Watcher(_native() if kind == "native" else Polling())
    with _watchers_guard:
        watcher = _watchers.setdefault(kind, fresh)
    if watcher is not fresh:
        fresh.close()
    return watcher


def _native() -> Backend:
    try:
        if sys.platform == "linux":
            return Inotify()
        if hasattr(select, "kqueue"):
            return Kqueue()
    except OSError:
        return Polling()  # the user's instances are used up; the same promises, a quarter of a second later
    return Polling()


def _forget_parents() -> None:
    """In a forked child: the parent's watchers, with their threads, are not here."""
    global _watchers_guard  # noqa: PLW0603
    _watchers.clear()
    _watchers_guard = real.make_lock()


os.register_at_fork(after_in_child=_forget_parents)


def _is_remote(device: int) -> bool:
    """Tell whether changes on this device may come from other machines, by the kind of its mount."""
    if sys.platform != "linux":
        return False
    wanted = f"{os.major(device)}:{os.minor(device)}".encode()
    with open("/proc/self/mountinfo", "rb", buffering=0) as file:
        for line in (file.readall() or b"").splitlines():
            fields, _, rest = line.partition(b" - ")
            if fields.split()[2] == wanted:
                kind = rest.split()[0].decode()
                return kind in REMOTE or kind.startswith("fuse.")
    return False


def _exists(name: str, dir_fd: int) -> bool:
    try:
        os.stat(name, dir_fd=dir_fd)
    except OSError:
        return False
    return True
