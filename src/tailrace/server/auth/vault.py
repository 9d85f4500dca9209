"""`auth/` in the state directory: secrets, sessions and tokens, for their owner alone.

STATE/auth/secret      what links are signed by            STATE/auth/token       the server's own token
STATE/auth/tokens.json the tokens for programs, hashed     STATE/auth/attempts    logins that failed
STATE/auth/sessions/   a file for each session, named by the hash of its id
STATE/auth/used/       a file for each token's last use
STATE/auth/shares/     a file for each link to a run

All workers, and the next server, share it. Files are 0600, and replaced whole.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tailrace.core.errors import EngineError
from tailrace.host.statedir import StateDir, default_path

SECRET_BYTES: Final = 32
DIRECTORY: Final = "auth"
SESSIONS: Final = "sessions"
USED: Final = "used"
SHARES: Final = "shares"
MODE: Final = 0o600


class Vault:
    """The directory; it is made, and the state directory around it, if it is not there.

    Args:
        state_dir: the state directory; None: the one that everybody uses.

    Raises:
        EngineError: it cannot be made or opened, or is somebody else's.
    """

    def __init__(self, state_dir: str | None) -> None:
        state = StateDir(state_dir or default_path())
        state.close()
        self.path = Path(state.path) / DIRECTORY
        with self._usable():
            for directory in (self.path, self.path / SESSIONS, self.path / USED, self.path / SHARES):
                directory.mkdir(mode=0o700, exist_ok=True)

    def read(self, name: str) -> bytes | None:
        """Return what the file has; None if it is not there.

        Raises:
            EngineError: it cannot be read.
        """
        with self._usable():
            try:
                return (self.path / name).read_bytes()
            except FileNotFoundError:
                return None

    def stat(self, name: str) -> os.stat_result | None:
        """Return what is known of the file; None if it is not there.

        Raises:
            EngineError: it cannot be looked at.
        """
        with self._usable():
            try:
                return (self.path / name).stat()
            except FileNotFoundError:
                return None

    def names(self, directory: str) -> list[str]:
        """Return the names of the files in a directory of it, without that.

        Raises:
            EngineError: it cannot be listed.
        """
        with self._usable():
            return [each.name for each in (self.path / directory).iterdir()]

    def write(self, name: str, data: bytes) -> None:
        """Replace what the file has.

        Raises:
            EngineError: it cannot be written.
        """
        with self._usable():
            self._fresh(name, data).replace(self.path / name)

    def remove(self, name: str) -> bool:
        """Remove the file, and tell whether it was there.

        Raises:
            EngineError: it cannot be removed.
        """
        with self._usable():
            try:
                (self.path / name).unlink()
            except FileNotFoundError:
                return False
        return True

    def once(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return what the file has; if it is not there, what is made for it, by whoever comes first.

        Raises:
            EngineError: it can be neither read nor written.
        """
        while (found := self.read(name)) is None:
            with self._usable():
                fresh = self._fresh(name, make())
                try:
                    os.link(fresh, self.path / name)
                except FileExistsError:
                    continue
                finally:
                    fresh.unlink()
        return found

    def secret(self) -> bytes:
        """Return what links are signed by.

        Raises:
            EngineError: see `once`.
        """
        return self.once("secret", lambda: secrets.token_bytes(SECRET_BYTES))

    def replace_secret(self) -> None:
        """Have another secret: whatever was signed by the one before means nothing any more.

        Raises:
            EngineError: it cannot be written.
        """
        self.write("secret", secrets.token_bytes(SECRET_BYTES))

    @contextmanager
    def locked(self, name: str) -> Iterator[int]:
        """Give the file, open, for this thread of all processes alone.

        Raises:
            EngineError: it cannot be opened.
        """
        with self._usable():
            fd = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                yield fd
            finally:
                os.close(fd)

    def _fresh(self, name: str, data: bytes) -> Path:
        """Return a new file beside the one of this name."""
        path = self.path / f"{name}.{os.getpid()}-{secrets.token_hex(4)}"
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE), "wb") as file:  # noqa: PTH123  by its descriptor
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise EngineError(
                f"{self.path} cannot be used: {why}", op="open", subject=str(self.path),
                hint="it must be the server's own: look at its owner, its mode, and the space on its disk",
            ) from None  # fmt: skip


def hashed(secret: str) -> str:
    """Return what is kept of a random secret, by which it can be known and not be had."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Tell whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def new_secret() -> str:
    """Return 256 random bits, as base64url."""
    return secrets.token_urlsafe(SECRET_BYTES)
