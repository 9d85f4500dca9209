"""Waking viewers: one watcher per process, whatever the number of runs and viewers.

A thread of its own (a real one, also where threads are patched) waits for the file system to tell of changes, and
rings whoever asked. Three ways, chosen by the file system: inotify, kqueue, or a look every 250 ms, which is also what
is left when the user's 128 inotify instances are used up. Each watched run's lock is looked at once a second, so that
viewers learn of a dead keeper even when nobody else is there to settle it.

An event loop that has many viewers turns a watcher of its own instead (`tailrace.follow.loop`): what is rung is then
rung in the loop, with no thread between the file and the viewer.

Nothing is shared across a fork of the host program: the child makes its own watcher when it first needs one.
"""

import errno
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TypeAlias

from tailrace.follow.backends import Backend, Polling, Ring, Watched, is_remote, native
from tailrace.follow.bell import Bell
from tailrace.host import lock, real
from tailrace.host.rundir import RunDir
from tailrace.host.wait import POLLIN

POLL_S = 0.25
LIVENESS_S = 1.0
NEVER = float("inf")

Kind: TypeAlias = Literal["native", "polling"]


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


class Watcher(ABC):
    """Rings viewers of runs on one kind of file system; begins with the first subscription."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._guard = real.make_lock()
        self._watched: dict[tuple[int, int], Watched] = {}
        self._numbers: dict[int, tuple[int, int]] = {}
        self._by_key: dict[tuple[int, int], tuple[int, ...]] = {}
        self._period_s = LIVENESS_S if backend.fd >= 0 else POLL_S
        self._looked = 0.0
        self._due: dict[int, tuple[float, Ring]] = {}
        """by subscription: when it wants to be rung again"""

    def subscribe(self, run: RunDir, ring: Ring) -> Subscription:
        """Ring whenever the run may have changed, and once now.

        Args:
            run: the run; it may be closed afterwards.
            ring: called by the watcher; must not block.

        Raises:
            OSError: no descriptors or watches are left.
        """
        status = os.fstat(run.fd)
        key = (status.st_dev, status.st_ino)
        with self._guard:
            self._begin()
            watched = self._watched.get(key) or self._add(run, key)
            subscription = Subscription(self, watched, key)
            watched.rings[id(subscription)] = ring
            self._due[id(subscription)] = 0.0, ring
        self._wake()
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

    def turn(self, *, is_announced: bool) -> float | None:
        """Ring whoever is to be rung now.

        Args:
            is_announced: whether the backend's descriptor is readable.

        Returns:
            The seconds until the next turn, at the latest; None: nothing is watched.
        """
        now = time.monotonic()
        is_due = now - self._looked >= self._period_s
        with self._guard:
            ringing = self._changed(is_announced=is_announced, is_due=is_due)
            if is_due:
                self._looked = now
                ringing += self._orphaned()
            for watched in ringing:
                self._ring(watched.rings, now)
            self._ring_late(now)
        return self.next_s()

    def next_s(self) -> float | None:
        """Return the seconds until the next turn, at the latest; None: nothing is watched."""
        with self._guard:
            if not self._watched:
                return None
            soonest = min([due for due, _ring in self._due.values()], default=NEVER)
        return max(0.0, min(self._period_s, soonest - time.monotonic()))

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; only where nothing is subscribed."""

    @abstractmethod
    def _begin(self) -> None:
        """Take turns from now on. Safe to repeat.

        Raises:
            OSError: no thread is to be had.
        """

    @abstractmethod
    def _wake(self) -> None:
        """Have a turn taken soon."""

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

    def _changed(self, *, is_announced: bool, is_due: bool) -> list[Watched]:
        if self._backend.fd < 0:
            return [watched for watched in self._watched.values() if watched.look()] if is_due else []
        if not is_announced:
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


class ThreadWatcher(Watcher):
    """Turned by a thread of its own, until the process ends."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._bell = Bell()
        self._is_running = False

    def close(self) -> None:
        """Let go of everything; only before the first subscription."""
        self._backend.close()
        self._bell.close()

    def _begin(self) -> None:
        if not self._is_running:
            try:
                real.start_thread(self._serve)
            except RuntimeError as error:
                raise OSError(errno.EAGAIN, str(error)) from None
            self._is_running = True

    def _wake(self) -> None:
        self._bell.ring()

    def _serve(self) -> None:
        poll = real.make_poll()
        poll.register(self._bell.fd, POLLIN)
        if self._backend.fd >= 0:
            poll.register(self._backend.fd, POLLIN)
        left_s = self.next_s()
        while True:
            ready = [fd for fd, _events in poll.poll(None if left_s is None else left_s * 1000)]
            if self._bell.fd in ready:
                self._bell.clear()
            left_s = self.turn(is_announced=self._backend.fd in ready)


class Watchers(Protocol):
    """A watcher for each kind of file system."""

    def of(self, kind: Kind) -> Watcher:
        """Return the one of this kind; made on first use."""


class ProcessWatchers:
    """This process's, with a thread each."""

    def __init__(self) -> None:
        self._made: dict[Kind, ThreadWatcher] = {}
        self._guard = real.make_lock()

    def of(self, kind: Kind) -> Watcher:
        """See `Watchers.of`."""
        if kind in self._made:
            return self._made[kind]
        # not under the guard: inotify_simple's first instance runs ldconfig, and gevent runs other greenlets meanwhile
        fresh = ThreadWatcher(native() if kind == "native" else Polling())
        with self._guard:
            watcher = self._made.setdefault(kind, fresh)
        if watcher is not fresh:
            fresh.close()
        return watcher

    def forget(self) -> None:
        """In a forked child: the parent's watchers, with their threads, are not here."""
        self._made.clear()
        self._guard = real.make_lock()


_process: Final = ProcessWatchers()
_using: ContextVar[Watchers] = ContextVar("tailrace watchers", default=_process)
os.register_at_fork(after_in_child=_process.forget)


@contextmanager
def using(watchers: Watchers) -> Iterator[None]:
    """Subscribe with these watchers within the context, instead of the process's."""
    token = _using.set(watchers)
    try:
        yield
    finally:
        _using.reset(token)


def subscribe(run: RunDir, ring: Ring) -> Subscription:
    """Ring whenever the run may have changed, and once now; see `Watcher.subscribe`.

    Raises:
        OSError: no descriptors are left.
    """
    watchers = _using.get()
    if not is_remote(os.fstat(run.fd).st_dev):
        try:
            return watchers.of("native").subscribe(run, ring)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return watchers.of("polling").subscribe(run, ring)  # also where the user's watches are used up
