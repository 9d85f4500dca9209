"""What is still to be told: a file for each delivery, until its receiver has it.

Only the process that holds the lock of `STATE/hooks` touches them. A delivery's name says what it is about, so that one
that is put in again, after a crash, is the same one.
"""

import os
import threading
from collections import Counter
from typing import Final

import msgspec

from tailrace.core.hook import Event
from tailrace.host.statedir import names_in, read_file, write_file

MOST: Final = 10_000
"""deliveries that wait for one hook; what happens then is not told to it, and the log says so"""
FIRST_PAUSE_S: Final = 5.0
"""after a first failure; each further one doubles it"""
LONGEST_PAUSE_S: Final = 3600.0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is told to one hook."""

    id: str
    """the same however often it is sent"""
    hook: str
    event: Event
    run: str
    since: float
    """when it was put in, in seconds since 1970"""
    body: str
    """what is sent, byte for byte the same each time"""
    due: float = 0.0
    """when it is to be sent"""
    attempts: int = 0

    def failed(self, now: float) -> "Delivery":
        """Return it as it is after one more vain attempt."""
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self.attempts, 30))
        return msgspec.structs.replace(self, due=now + pause_s, attempts=self.attempts + 1)


def delivery_id(run: str, event: Event, hook: str) -> str:
    """Return what names a delivery."""
    return f"{run}.{event}.{hook}"


_DELIVERY = msgspec.json.Decoder(Delivery)


class Outbox:
    """A directory of deliveries. Safe to use from several threads of the one process.

    Args:
        path: the directory; it is made if it is not there.

    Raises:
        OSError: it cannot be used.
    """

    def __init__(self, path: str) -> None:
        os.makedirs(path, mode=0o700, exist_ok=True)
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, float]] = {}
        """(hook, due) by id"""
        self._counts: Counter[str] = Counter()
        """how many wait, by hook"""
        try:
            for name in names_in(self._fd):
                self._find(name)
        except OSError:
            os.close(self._fd)
            raise

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def is_full(self, delivery: Delivery) -> bool:
        """Tell whether so much waits for its hook that it finds no room, unless it is there already."""
        with self._lock:
            return self._counts[delivery.hook] >= MOST and delivery.id not in self._waiting

    def put(self, delivery: Delivery) -> None:
        """Keep the delivery, whatever happens to this process or machine; in the place of an earlier one of its id.

        Raises:
            OSError: it could not be kept.
        """
        with self._lock:
            temporary = f".{delivery.id}"
            write_file(temporary, msgspec.json.encode(delivery), dir_fd=self._fd, flags=os.O_TRUNC)
            sync(temporary, self._fd)
            os.rename(temporary, delivery.id, src_dir_fd=self._fd, dst_dir_fd=self._fd)
            os.fsync(self._fd)
            self._note(delivery)

    def next_of(self, hook: str, now: float) -> Delivery | None:
        """Return what is due to be told to the hook, the oldest first; None if nothing is.

        One that is no delivery any more, as somebody has removed or changed its file, is forgotten: it must not stand
        before all others for ever.

        Raises:
            OSError: it cannot be read at the moment.
        """
        with self._lock:
            for each in sorted(each for each, (name, at) in self._waiting.items() if name == hook and at <= now):
                if (delivery := self._load(each)) is not None:
                    return delivery
                self._forget(each)
        return None

    def remove(self, delivery: str) -> None:
        """Forget one that has been delivered, or given up."""
        with self._lock:
            self._forget(delivery)
            try:
                os.unlink(delivery, dir_fd=self._fd)
            except FileNotFoundError:
                return

    def drop_others(self, hooks: frozenset[str]) -> int:
        """Forget what waits for hooks that are not among these, and return how much that was."""
        others = [each for each, (name, _due) in self._waiting.items() if name not in hooks]
        for each in others:
            self.remove(each)
        return len(others)

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._fd)

    def _find(self, name: str) -> None:
        """Take what a process before has left: a delivery waits, and what never became one goes.

        Raises:
            OSError: it cannot be read at the moment, and stays.
        """
        delivery = None if name.startswith(".") else self._load(name)
        if delivery is None:
            os.unlink(name, dir_fd=self._fd)
        else:
            self._note(delivery)

    def _note(self, delivery: Delivery) -> None:
        self._counts[delivery.hook] += delivery.id not in self._waiting
        self._waiting[delivery.id] = (delivery.hook, delivery.due)

    def _forget(self, name: str) -> None:
        if (found := self._waiting.pop(name, None)) is not None:
            self._counts[found[0]] -= 1

    def _load(self, name: str) -> Delivery | None:
        """Return the delivery; None if the file is gone, or none.

        Raises:
            OSError: it cannot be read at the moment.
        """
        try:
            found = _DELIVERY.decode(read_file(name, dir_fd=self._fd))
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return found if found.id == name else None


def sync(name: str, dir_fd: int) -> None:
    """Have a file's content outlive the machine.

    Raises:
        OSError: it cannot be.
    """
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
