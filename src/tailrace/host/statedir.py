"""The state directory: where runs live on this machine, and the entries that say which of them are not finished.

STATE/version        the layout's number
STATE/runner.sock    where the runner listens         STATE/runner.lock   locked by the runner while it lives
STATE/settings.json  the runner's settings            STATE/runner.log    what it had to say
STATE/active/<id>    one entry for every run without a result; its content is the run's key
STATE/ended          ids of runs that ended, until the catalog has taken them in
STATE/catalog.db     an index of the finished runs; may be deleted at any time
STATE/keys.lock      held while a run with a key is admitted
STATE/starts.lock    held while a run is admitted that has a limit of how many there may be
STATE/starts.json    what was started in the last minute, where that is limited
STATE/viewers.lock   by whose locks servers count viewers together, where those are limited; it is empty
STATE/hooks/         what hooks are still to be told: outbox/, known.json, and a lock; see `tailrace.hooks`
STATE/uploads/       files that were sent along, until their runs have copies; uploads.lock is held while one begins
STATE/runs/<id>/     see `rundir`
STATE/auth/          what a server knows its callers by; see `tailrace.server.auth.vault`
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from tailrace.core import ids
from tailrace.core.errors import EngineError, WrongVersion
from tailrace.host import lock

LAYOUT = 1
_NAMES = {
    "version", "active", "runs", "runner.sock", "runner.lock", "runner.log", "runner.start", "settings.json",
    "ended", ".rehearsal", "auth", "keys.lock", "starts.lock", "starts.json", ".starts.json", "viewers.lock",
    "catalog.db", "catalog.db-wal", "catalog.db-shm", "catalog.db-journal", "hooks",
    "uploads", "uploads.lock",
}  # fmt: skip
_HINT = "choose another: TAILRACE_STATE, --state-dir on the command line, state_dir= in Python"


def default_path() -> str:
    """Return where runs live if nobody says otherwise: TAILRACE_STATE, else $XDG_STATE_HOME/tailrace."""
    if path := os.environ.get("TAILRACE_STATE"):
        return path
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "tailrace")


class StateDir:
    """An open state directory. Holds three descriptors; safe to use from several threads."""

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True) -> None:
        """Open the directory, making it if `create`.

        Raises:
            EngineError: it cannot be made, opened or written, or is somebody else's.
            WrongVersion: its layout is another version's.
        """
        self.fd = self.active_fd = self.runs_fd = -1
        self.path = os.path.abspath(os.fspath(path))
        try:
            if create:
                _make(self.path)
            self.fd = _open_dir(self.path)
            _check_owner(self.fd, self.path)
            self._check_version()
            self.active_fd = _open_dir("active", self.fd)
            self.runs_fd = _open_dir("runs", self.fd)
        except OSError as error:
            self.close()
            raise _unusable(self.path, error) from None
        except EngineError:
            self.close()
            raise

    def __del__(self) -> None:
        """Let go of the descriptors of an engine that nobody has closed, and nobody uses any more."""
        self.close()

    def close(self) -> None:
        """Let go of the descriptors. Safe to repeat."""
        fds = (self.runs_fd, self.active_fd, self.fd)
        self.fd = self.active_fd = self.runs_fd = -1
        for fd in fds:
            if fd >= 0:
                os.close(fd)

    def _check_version(self) -> None:
        raw = read_file("version", dir_fd=self.fd)
        if raw.strip() == str(LAYOUT).encode():
            return
        found = raw[:20].decode("utf-8", "replace").strip()
        newer = found.isdecimal() and int(found) > LAYOUT
        raise WrongVersion(
            f"{self.path} has layout {found!r}, this Tailrace knows layout {LAYOUT}",
            op="open",
            subject=self.path,
            hint="a newer Tailrace wrote it: upgrade, or " + _HINT if newer else _HINT,
        )

    def active(self) -> list[str]:
        """Return the ids of the runs that have no result yet, oldest first."""
        return sorted(filter(ids.is_id, names_in(self.active_fd)))

    def add_active(self, run_id: str, key: str | None) -> None:
        """Make the entry of a run that is about to exist.

        Raises:
            OSError: no space, or the directory is gone.
        """
        write_file(run_id, (key or "").encode(), dir_fd=self.active_fd)

    def is_active(self, run_id: str) -> bool:
        """Tell whether the run has an entry, and so no result yet, or one whose writer is in its last steps."""
        try:
            os.stat(run_id, dir_fd=self.active_fd)
        except FileNotFoundError:
            return False
        return True

    def active_key(self, run_id: str) -> str | None:
        """Return the key of an unfinished run, or None if it has none or is finished."""
        try:
            return read_file(run_id, dir_fd=self.active_fd).decode() or None
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def remove_active(self, run_id: str) -> None:
        """Remove the entry; the run has its result."""
        try:
            os.unlink(run_id, dir_fd=self.active_fd)
        except FileNotFoundError:
            pass

    def note_ended(self, run_id: str) -> None:
        """Tell the catalog, whenever it looks, that this run has ended.

        Raises:
            OSError: no space.
        """
        fd = os.open("ended", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=self.fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH)
            os.write(fd, run_id.encode() + b"\n")
        finally:
            os.close(fd)

    @contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        """Hold a lock file of the directory, waiting for it; for a few file operations, never for a command."""
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=self.fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def has_runner(self) -> bool:
        """Tell whether a runner is alive."""
        fd = lock.open_lock("runner.lock", dir_fd=self.fd)
        try:
            return lock.is_locked(fd)
        finally:
            os.close(fd)

    def free_bytes(self) -> tuple[int, int]:
        """Return the file system's (free bytes for us, size in bytes)."""
        status = os.fstatvfs(self.fd)
        return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize


def names_in(dir_fd: int) -> list[str]:
    """Return the names in a directory; through a descriptor of its own, as listing moves the place in a shared one."""
    own = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        return os.listdir(own)
    finally:
        os.close(own)


def read_file(name: str, *, dir_fd: int, limit: int = 64 << 20) -> bytes:
    """Return a small file's content, without following links.

    Raises:
        OSError: it is not there or cannot be read.
    """
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=dir_fd)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        size, parts = status.st_size + 1, []  # one more, to see the end; it may have grown since
        while limit > 0 and (part := os.read(fd, min(limit, size))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def write_file(name: str, data: bytes, *, dir_fd: int, flags: int = os.O_EXCL) -> None:
    """Write a new private file (or, with other flags, an existing one) whole.

    Raises:
        OSError: it exists, there is no space, or it cannot be written; a new file that was not written whole is
        removed.
    """
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600, dir_fd=dir_fd)
    try:
        write_all(fd, data)
    except OSError:
        if flags & os.O_EXCL:
            os.unlink(name, dir_fd=dir_fd)
        raise
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write everything, or raise.

    Raises:
        OSError: not everything was written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _open_dir(path: str, dir_fd: int | None = None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if dir_fd is not None else 0)
    return os.open(path, flags, dir_fd=dir_fd)


def _make(path: str) -> None:
    """Make the directory and its parts; `version` comes last, so that what has it is complete."""
    if os.path.lexists(os.path.join(path, "version")):
        return
    os.makedirs(path, mode=0o700, exist_ok=True)
    fd = _open_dir(path)
    try:
        foreign = [name for name in os.listdir(fd) if name not in _NAMES and not name.startswith(".version")]
        if foreign:
            raise EngineError(
                f"{path} is not empty and not a state directory (it has {foreign[0]!r})",
                op="open",
                subject=path,
                hint=_HINT,
            )
        os.fchmod(fd, 0o700)
        for part in ("active", "runs"):
            try:
                os.mkdir(part, 0o700, dir_fd=fd)
            except FileExistsError:
                pass
        temporary = f".version-{os.getpid()}-{os.urandom(4).hex()}"
        write_file(temporary, f"{LAYOUT}\n".encode(), dir_fd=fd)
        os.rename(temporary, "version", src_dir_fd=fd, dst_dir_fd=fd)
    finally:
        os.close(fd)


def _check_owner(fd: int, path: str) -> None:
    owner = os.fstat(fd).st_uid
    if owner != os.geteuid():
        raise EngineError(
            f"{path} belongs to another user (uid {owner})",
            op="open",
            subject=path,
            hint=f"run as that user, or {_HINT}: commands run as the user who owns the directory",
        )


def _unusable(path: str, error: OSError) -> EngineError:
    why = {
        errno.EACCES: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENOTDIR: "a part of the path is not a directory",
        errno.ENOENT: "it cannot be made there, or is not complete",
        errno.EEXIST: "it is a file, not a directory",
        errno.ENOSPC: "no space left on the device",
        errno.ENAMETOOLONG: "a name in the path is too long",
        errno.ELOOP: "a part of it is a symbolic link",
    }.get(error.errno or 0, (error.strerror or str(error)).lower())
    return EngineError(f"the state directory {path} cannot be used: {why}", op="open", subject=path, hint=_HINT)
