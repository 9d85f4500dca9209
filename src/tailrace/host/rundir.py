"""One run on disk.

    spec.json    what was asked, by whom, when; written before anything starts
    launch       what the keeper needs once, environment included; 0600, gone when the command has it
    lock         locked by the keeper for as long as it lives
    live.json    what the keeper says: replaced atomically
    output       the bytes          timeline   who wrote them, when
    result.json  written once       pinned     never pruned while it is there
    lines        where its lines begin (`tailrace.core.lineindex`); made behind the tail, may be deleted at any time
    secrets      those that are files, by name; 0600 in a 0700 directory, gone when it has ended
    viewers      locked by each viewer, where the run is to end without any; gone when it has ended
    control      unix socket of the keeper
    files        what was sent along, 0600; gone when the run has ended

Everything is opened relative to the run's directory and without following links. A free lock, a `live.json` and no
`result.json` together mean: the keeper is dead.
"""

import copy
import errno
import marshal
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple, Self

import msgspec

from tailrace.core import ids, secrets
from tailrace.core.errors import UnknownRun
from tailrace.core.result import Result
from tailrace.core.run import Live
from tailrace.core.spec import Launch, Spec
from tailrace.host import lock
from tailrace.host.statedir import StateDir, read_file, write_all, write_file

# made at import, as every decoder here is: threads that meet in msgspec's first use of a type end the process
SPEC = msgspec.json.Decoder(Spec)
LIVE = msgspec.json.Decoder(Live)
RESULT = msgspec.json.Decoder(Result)
OUT_OF = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""what a process runs out of"""
_REMOVALS = 100
"""tries to remove a directory into which others may still put something"""
FILES = "files"
"""the directory of those that were sent along, which goes when the run has ended"""
COPY_BYTES = 1 << 20
LIVE_BYTES = 4096
"""live.json is padded to this, so that it can be overwritten in place when the disk is full"""


class Damaged(Exception):
    """A file of the run is there and makes no sense; the message says which and why."""


class RunDir:
    """An open run directory; holds one descriptor."""

    def __init__(self, state: StateDir, run_id: str) -> None:
        """Open the run's directory.

        Raises:
            UnknownRun: there is none, or the id is not one.
        """
        self.id = run_id
        self.state = state
        self.fd = -1
        if not ids.is_id(run_id):
            raise _unknown(run_id)
        try:
            self.fd = os.open(run_id, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=state.runs_fd)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise _unknown(run_id) from None
            raise

    def again(self) -> Self:
        """Return the same directory, with a descriptor of its own; also if it has been removed meanwhile."""
        other = copy.copy(self)
        other.fd = os.dup(self.fd)
        return other

    def is_removed(self) -> bool:
        """Tell whether the directory is no more; what was opened in it before can still be read."""
        return os.fstat(self.fd).st_nlink == 0

    def close(self) -> None:
        """Let go of the directory."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        """Return this directory; leaving closes it."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close it."""
        self.close()

    def spec(self) -> Spec:
        """Return what was asked.

        Raises:
            Damaged: the file is missing or makes no sense.
            OSError: this process has too many files open.
        """
        try:
            return SPEC.decode(read_file("spec.json", dir_fd=self.fd))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _damaged("spec.json", error) from None

    def launch(self) -> Launch:
        """Return the private part of what was asked.

        Raises:
            Damaged: the file is missing or makes no sense.
        """
        try:
            raw = read_file("launch", dir_fd=self.fd)
            return Launch(*marshal.loads(raw))  # noqa: S302  # nosec B302 # 0600 in a 0700 directory of our own
        except (OSError, ValueError, TypeError, EOFError) as error:
            raise _damaged("the launch", error) from None

    def live(self) -> Live | None:
        """Return what the keeper says, or None if no keeper has taken the run.

        Raises:
            Damaged: the file makes no sense, also when read again.
        """
        for _ in range(5):
            try:
                raw = read_file("live.json", dir_fd=self.fd)
            except FileNotFoundError:
                return None
            try:
                return LIVE.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                why = _why(error)
        raise Damaged(f"live.json cannot be read: {why}")

    def result(self) -> Result | None:
        """Return how the run ended, or None if it has not.

        Raises:
            Damaged: the file makes no sense.
            OSError: this process has too many files open.
        """
        try:
            return RESULT.decode(read_file("result.json", dir_fd=self.fd))
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _damaged("result.json", error) from None

    def has(self, name: str) -> bool:
        """Tell whether the file is there."""
        try:
            os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def size(self) -> int:
        """Return the output's size now; 0 if the file is missing."""
        try:
            return os.stat("output", dir_fd=self.fd, follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Open a regular file of the run; the caller closes it.

        Raises:
            OSError: it is not there, or not a regular file.
        """
        fd = os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=self.fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", name)
        return fd

    def write_live(self, live: Live) -> None:
        """Replace live.json; on a full disk overwrite it in place.

        Raises:
            OSError: neither is possible.
        """
        self.put_live(pad(live))

    def put_live(self, data: bytes) -> None:
        """Replace live.json by what `pad` gave; on a full disk overwrite it in place.

        Raises:
            OSError: neither is possible.
        """
        try:
            write_file(".live", data, dir_fd=self.fd, flags=os.O_TRUNC)
            os.rename(".live", "live.json", src_dir_fd=self.fd, dst_dir_fd=self.fd)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self.has("live.json"):
                raise
            fd = os.open("live.json", os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self.fd)
            try:
                write_all(fd, data)
            finally:
                os.close(fd)

    def write_secrets(self, files: tuple[tuple[str, bytes], ...]) -> None:
        """Put secrets into files that only their owner can read.

        Raises:
            OSError: the disk is full or failed.
        """
        os.mkdir(secrets.FILES, 0o700, dir_fd=self.fd)
        fd = os.open(secrets.FILES, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self.fd)
        try:
            for name, content in files:
                write_file(name, content, dir_fd=fd)
        finally:
            os.close(fd)

    def remove_secrets(self) -> None:
        """Remove the files of `write_secrets`. What the command has put beside them may stay."""
        try:
            fd = os.open(secrets.FILES, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self.fd)
        except OSError:
            return  # there are none, as for nearly every run
        try:
            for name in os.listdir(fd):
                try:
                    os.unlink(name, dir_fd=fd)
                except OSError:
                    continue  # a directory of the command's own; the run must end all the same
        finally:
            os.close(fd)
        try:
            os.rmdir(secrets.FILES, dir_fd=self.fd)
        except OSError:
            pass  # as above; it goes with the run

    def note_late(self, count: int) -> None:
        """Record how many bytes came, and were not kept, after the result."""
        write_file("late", str(count).encode(), dir_fd=self.fd, flags=os.O_TRUNC)

    def late(self) -> int:
        """Return how many bytes came after the result."""
        try:
            return int(read_file("late", dir_fd=self.fd) or b"0")
        except (OSError, ValueError):
            return 0

    def set_pinned(self, *, pinned: bool) -> None:
        """Protect the run from retention, or no longer."""
        if pinned:
            write_file("pinned", b"", dir_fd=self.fd, flags=0)
        elif self.has("pinned"):
            os.unlink("pinned", dir_fd=self.fd)

    def open_lock(self) -> int:
        """Open the run's lock file; the caller closes it."""
        return lock.open_lock("lock", dir_fd=self.fd)

    def join_viewers(self) -> int:
        """Be counted as a viewer until the returned descriptor is closed; -1 if the run does not count them.

        Raises:
            OSError: this process has too many open: a viewer that is not counted might lose its run.
        """
        try:
            fd = self.open("viewers", os.O_RDWR)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise
            return -1
        try:
            lock.share_lock(fd)
        except OSError:  # where asking takes the lock, the keeper asks just now: it will find us next time
            pass
        return fd

    def is_kept(self) -> bool:
        """Tell whether a process holds the run's lock: its keeper, or one that settles it."""
        fd = self.open_lock()
        try:
            return lock.is_locked(fd)
        finally:
            os.close(fd)


def pad(live: Live) -> bytes:
    """Return live.json's content, always of the same length."""
    return msgspec.json.encode(live).ljust(LIVE_BYTES)


class Extras(NamedTuple):
    """What a new run has besides."""

    pinned: bool = False
    files: Mapping[str, str] = MappingProxyType({})
    """names of files that it gets copies of, and where these are"""


PLAIN = Extras()


class Draft:
    """A new run that nobody can see yet: all of it is on disk, but its name.

    Args:
        state: where it is to be.
        spec: the run's.
    """

    def __init__(self, state: StateDir, spec: Spec) -> None:
        self._state = state
        self._spec = spec
        self._name = f".{spec.id}"

    def write(self, launch: Launch, extras: Extras) -> None:
        """Write it, which may take long: what is sent along is copied.

        Raises:
            OSError: no space, or the directory is gone.
        """
        os.mkdir(self._name, 0o700, dir_fd=self._state.runs_fd)
        fd = os.open(self._name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._state.runs_fd)
        try:
            write_file("spec.json", msgspec.json.encode(self._spec), dir_fd=fd)
            write_file("launch", marshal.dumps(tuple(launch), 4), dir_fd=fd)
            if extras.files:
                _copy_files(extras.files, fd)
            optional = {"pinned": extras.pinned, "viewers": self._spec.unwatched_timeout_s is not None}
            for name in ("output", "timeline", *(name for name, is_wanted in optional.items() if is_wanted)):
                write_file(name, b"", dir_fd=fd)
        finally:
            os.close(fd)

    def place(self) -> None:
        """Make it a run: it is queued from then on, and any runner may take it. That is done at once.

        Raises:
            OSError: no space, or the directory is gone.
        """
        runs = self._state.runs_fd
        try:
            self._state.add_active(self._spec.id, self._spec.key)
            os.rename(self._name, self._spec.id, src_dir_fd=runs, dst_dir_fd=runs)
        except OSError:
            self._state.remove_active(self._spec.id)
            raise

    def discard(self) -> None:
        """Remove it; harmless if it has become a run."""
        remove_tree(self._name, dir_fd=self._state.runs_fd)


@contextmanager
def drafted(state: StateDir, spec: Spec, launch: Launch, extras: Extras = PLAIN) -> Iterator[Draft]:
    """Write a new run, to be placed in the block. If it is not, nothing is left behind.

    Raises:
        OSError: no space, or the directory is gone.
    """
    draft = Draft(state, spec)
    try:
        draft.write(launch, extras)
        yield draft
    finally:
        draft.discard()


def create(state: StateDir, spec: Spec, launch: Launch, extras: Extras = PLAIN) -> None:
    """Put a new run on disk: whole or not at all. See `Draft.place`.

    Raises:
        OSError: no space, or the directory is gone; nothing is left behind.
    """
    with drafted(state, spec, launch, extras) as draft:
        draft.place()


def _copy_files(files: Mapping[str, str], fd: int) -> None:
    """Put private copies into a new directory of the run."""
    os.mkdir(FILES, 0o700, dir_fd=fd)
    into = os.open(FILES, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=fd)
    try:
        for name, path in files.items():
            _copy(path, name, into)
    finally:
        os.close(into)


def _copy(path: str, name: str, into: int) -> None:
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would have us wait for its writer
    try:
        if not stat.S_ISREG(os.fstat(source).st_mode):
            raise OSError(errno.EINVAL, "what is sent along must be a regular file", path)
        copy = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=into)
        try:
            while data := os.read(source, COPY_BYTES):
                write_all(copy, data)
        finally:
            os.close(copy)
    finally:
        os.close(source)


def remove_tree(name: str, *, dir_fd: int) -> None:
    """Remove a run's directory, with whatever somebody has put into it.

    A viewer that has it open may put its lock file back meanwhile; so what is not empty then is emptied again.

    Raises:
        OSError: it cannot be removed.
    """
    for _ in range(_REMOVALS):
        try:
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=dir_fd)
        except FileNotFoundError:
            return
        try:
            _empty(fd)
        finally:
            os.close(fd)
        try:
            os.rmdir(name, dir_fd=dir_fd)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        else:
            return
    raise OSError(errno.ENOTEMPTY, "somebody puts files into it all the time", name)


def _empty(fd: int) -> None:
    for entry in os.listdir(fd):
        try:
            os.unlink(entry, dir_fd=fd)
        except FileNotFoundError:
            continue
        except (IsADirectoryError, PermissionError):
            remove_tree(entry, dir_fd=fd)


def _unknown(run_id: str) -> UnknownRun:
    return UnknownRun(
        f"there is no run {run_id[:40]!r} here",
        op="open",
        subject=run_id[:40],
        hint="`tailrace list` shows the runs; it may have been pruned"
        if ids.is_id(run_id)
        else "this is no run's id at all; a command is a list of arguments",
    )


def _damaged(name: str, error: Exception) -> Damaged | OSError:
    """Return what to raise: that this process has run out of something says nothing of the file."""
    if isinstance(error, OSError) and error.errno in OUT_OF:
        return error
    return Damaged(f"{name} cannot be read: {_why(error)}")


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is missing"
    return str(error)
