"""Ways to learn that a run may have changed: inotify, kqueue, or a look every 250 ms."""

import os
import posix  # its read is the one that eventlet leaves alone
import select
import struct
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

from tailrace.host import real
from tailrace.host.rundir import RunDir

EVENTS_BYTES = 65536
POLL_S = 0.25
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "virtiofs", "vboxsf")
"""file systems on which changes made elsewhere are not announced"""
Ring: TypeAlias = Callable[[], float | None]
"""returns in how many seconds it wants to be called again, if at all"""


_EVENT = struct.Struct("iIII")
"""struct inotify_event, without the name behind it"""


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
            from inotify_simple import INotify, flags

        self._inotify = INotify()
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
        data = posix.read(self.fd, EVENTS_BYTES)
        at, numbers = 0, set()
        while at < len(data):
            number, mask, _cookie, name_bytes = _EVENT.unpack_from(data, at)
            if mask & self._overflow:
                return None
            numbers.add(number)
            at += _EVENT.size + name_bytes
        return numbers

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


def native() -> Backend:
    """Return this system's own way; a look every 250 ms where the user has no instances left."""
    try:
        if sys.platform == "linux":
            return Inotify()
        if hasattr(select, "kqueue"):
            return Kqueue()
    except OSError:
        return Polling()  # the user's instances are used up; the same promises, a quarter of a second later
    return Polling()


def is_remote(device: int) -> bool:
    """Tell whether changes on this device may come from other machines, by the kind of its mount, if that is known."""
    if sys.platform != "linux":
        return False
    wanted = f"{os.major(device)}:{os.minor(device)}".encode()
    try:
        with open("/proc/self/mountinfo", "rb", buffering=0) as file:
            rows = (file.readall() or b"").splitlines()
    except OSError:
        return True
    for row in rows:
        fields, _, rest = row.partition(b" - ")
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
