"""Writing: any number of processes append to one file, and rotate it, without losing, tearing or mixing a line.

Beside the file lies another, `….lock`. Whoever writes holds it for the few microseconds that this takes: looks whether
the file is still the one that it has open (somebody else may have renamed it), renames it and its elders if it is full,
and appends its line with one write. What was not written whole, since the disk is full, is cut off again. If a writer
dies in the middle of a line, the next one begins a new line behind it.
"""

import atexit
import errno
import fcntl
import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from tailrace.audit.strangers import WINDOW_S, Strangers
from tailrace.core.audit import Audit, Entry
from tailrace.core.errors import InvalidInput, InvalidValues, NotRecorded

log = logging.getLogger("tailrace")

PATIENCE_S: Final = 5.0
"""for another process that holds the lock, and for threads before us that wait for it; one that was stopped in that
instant must not hold up all others"""
PAUSE_S: Final = 0.002
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Journal:
    """One audit. Safe to use from several threads, and after a fork.

    Args:
        settings: where it is, and how it is kept.
    """

    def __init__(self, settings: Audit) -> None:
        if settings.file is None:
            raise ValueError("an audit needs a file")
        self.views = settings.views
        self.is_strict = settings.on_failure == "refuse"
        self._path = os.path.abspath(settings.file)
        self._max_bytes = settings.max_bytes
        self._keep = settings.keep
        self._opened: _Opened | None = None
        self._later: threading.Timer | None = None
        self.begin_anew()
        _journals.add(self)

    def begin_anew(self) -> None:
        """Forget what the threads of this process did; for a child after a fork, which has none of them."""
        self._threads = threading.Lock()
        self._strangers = Strangers()

    def check(self) -> None:
        """See that it can be written, before anything depends on it.

        Raises:
            InvalidInput: it cannot.
        """
        try:
            with self._held():
                pass
        except OSError as error:
            raise InvalidInput(
                f"the audit cannot be written to {self._path}: {_words(error)}",
                op="serve",
                subject="audit.file",
                hint="name a file in a directory that is there and may be written to",
            ) from None

    def write(self, entry: Entry) -> None:
        """Append the entry; of what is refused to many strangers, a line for all of it follows later.

        Raises:
            NotRecorded: it is not there, nor any part of it.
        """
        for each in self._strangers.take(entry, time.monotonic()):
            self._write(each)
        if (self._later is None or not self._later.is_alive()) and self._strangers.is_owing:
            self._later = threading.Timer(WINDOW_S, self.catch_up)
            self._later.daemon = True
            self._later.start()

    def finish(self) -> None:
        """Append what is still to follow; for when a process ends.

        Raises:
            NotRecorded: it cannot be written.
        """
        for each in self._strangers.due(math.inf):
            self._write(each)

    def catch_up(self) -> None:
        """Append what is due, as nothing else is to be recorded that would have it written."""
        try:
            self.finish()
        except NotRecorded as error:
            log.error("%s (%s)", error.message, error.hint)  # noqa: TRY400  no traceback for a full disk

    def _write(self, entry: Entry) -> None:
        """Append it.

        Raises:
            NotRecorded: it is not there, nor any part of it.
        """
        line = msgspec.json.encode(entry) + b"\n"
        try:
            with self._held() as opened:
                self._append(opened, line)
        except OSError as error:
            raise NotRecorded(
                f"the audit cannot be written to {self._path}: {_words(error)}",
                op="record",
                subject=self._path,
                hint="make room, or see who may write there",
            ) from None

    @contextmanager
    def _held(self) -> Iterator["_Opened"]:
        """Have the newest file open, and nobody else write to it.

        Raises:
            OSError: it cannot be opened, or somebody else holds it for too long.
        """
        deadline = time.monotonic() + PATIENCE_S
        if not self._threads.acquire(timeout=PATIENCE_S):
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
        try:
            opened = self._opened
            if opened is None or opened.pid != os.getpid():
                opened = self._opened = _Opened(self._path)
            opened.lock(deadline)
            try:
                opened.find()
                yield opened
            finally:
                opened.unlock()
        finally:
            self._threads.release()

    def _append(self, opened: "_Opened", line: bytes) -> None:
        size = os.fstat(opened.fd).st_size
        if size and size + len(line) > self._max_bytes:
            self._rotate()
            opened.find()
            size = 0
        if size and os.pread(opened.fd, 1, size - 1) != b"\n":
            line = b"\n" + line
        try:
            written = os.write(opened.fd, line)
        except OSError:
            os.ftruncate(opened.fd, size)
            raise
        if written < len(line):
            os.ftruncate(opened.fd, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _rotate(self) -> None:
        """Rename the file and its elders, up to a free name, as somebody leaves who dies in the middle."""
        names = [numbered(self._path, number) for number in range(self._keep + 1)]
        free = next((number for number, name in enumerate(names) if not os.path.lexists(name)), self._keep)
        for number in range(free, 0, -1):
            with suppress(FileNotFoundError):  # another program was faster, which knows of no lock
                os.replace(names[number - 1], names[number])


def journal_of(what: Audit | str | os.PathLike[str] | None) -> Journal | None:
    """Return the audit that is kept so, or in this file; None if there is none.

    Raises:
        InvalidInput: it cannot be written.
        InvalidValues: it cannot be kept so.
    """
    settings = Audit() if what is None else what if isinstance(what, Audit) else Audit(file=os.fspath(what))
    if faults := list(settings.faults()):
        raise InvalidValues.of(faults, op="serve")
    if settings.file is None:
        return None
    journal = Journal(settings)
    journal.check()
    atexit.register(journal.catch_up)
    return journal


class _Opened:
    """A process's descriptors of the lock and of the file."""

    def __init__(self, path: str) -> None:
        self.pid = os.getpid()
        self.fd = -1
        self._path = path
        self._lock_fd = open_lock(path)

    def lock(self, deadline: float) -> None:
        """Wait for the lock.

        Args:
            deadline: until when, on the monotonic clock.

        Raises:
            OSError: somebody else holds it for too long.
        """
        while True:
            try:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_S)
            else:
                return

    def unlock(self) -> None:
        """Give it back."""
        fcntl.flock(self._lock_fd, fcntl.LOCK_UN)

    def find(self) -> None:
        """Open the file that has the name now, unless that is the one which is open.

        Raises:
            OSError: it cannot be opened.
        """
        if self.fd >= 0:
            if _is_same(self.fd, self._path):
                return
            os.close(self.fd)
            self.fd = -1
        self.fd = os.open(self._path, _FLAGS, 0o600)


def numbered(path: str, number: int) -> str:
    """Return the name of a renamed file; 0: of the one that is written to."""
    return f"{path}.{number}" if number else path


def open_lock(path: str) -> int:
    """Open the file that is locked by who writes.

    Raises:
        OSError: it cannot be made.
    """
    return os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_same(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _words(error: OSError) -> str:
    if isinstance(error, BlockingIOError):
        return "another process holds it"
    return (error.strerror or str(error)).lower()


_journals: Final["weakref.WeakSet[Journal]"] = weakref.WeakSet()


def _begin_anew() -> None:
    for journal in list(_journals):
        journal.begin_anew()


os.register_at_fork(after_in_child=_begin_anew)
