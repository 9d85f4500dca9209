"""Tokens that `tailrace login` has kept, each for one server: a file for its owner alone."""

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from tailrace.core.errors import EngineError
from tailrace.engine.remote import address


def path() -> str:
    """Return where they are: `$XDG_CONFIG_HOME/tailrace/logins.json`."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(home, "tailrace", "logins.json")


def token_for(url: str) -> str | None:
    """Return the token for a server; None: none is kept.

    Raises:
        InvalidInput: it is no server's address.
        EngineError: the file is not its owner's alone.
    """
    return _all().get(str(address.parse(url)))


def remember(url: str, token: str) -> None:
    """Keep the token for a server.

    Raises:
        InvalidInput: it is no server's address.
        EngineError: the file cannot be written.
    """
    with _changing():
        _write({**_all(), str(address.parse(url)): token})


def forget(url: str) -> bool:
    """Forget the token for a server, and tell whether there was one.

    Raises:
        InvalidInput: it is no server's address.
        EngineError: the file cannot be written.
    """
    with _changing():
        known = _all()
        if known.pop(str(address.parse(url)), None) is None:
            return False
        _write(known)
    return True


@contextmanager
def _changing() -> Iterator[None]:
    """Have nobody else change the file, between being read and being replaced.

    The lock is its directory's, as the file is another one afterwards.

    Raises:
        EngineError: the directory cannot be opened.
    """
    home = os.path.dirname(path())
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(path(), (error.strerror or str(error)).lower()) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _all() -> dict[str, str]:
    where = path()
    try:
        with open(where, "rb") as file:
            found = os.fstat(file.fileno())
            data = file.read(1 << 20)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _unusable(where, (error.strerror or str(error)).lower()) from None
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        raise _unusable(where, "others may read it, or it is somebody else's")
    try:
        table: object = json.loads(data)
    except ValueError:
        raise _unusable(where, "it is not JSON") from None
    if not isinstance(table, dict):
        raise _unusable(where, "it is no JSON object")
    return {str(url): str(token) for url, token in table.items()}


def _write(tokens: dict[str, str]) -> None:
    where = path()
    fresh = f"{where}.{os.getpid()}"
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            os.fchmod(fd, 0o600)
            json.dump(tokens, file, indent=1)
        os.replace(fresh, where)
    except OSError as error:
        raise _unusable(where, (error.strerror or str(error)).lower()) from None


def _unusable(where: str, why: str) -> EngineError:
    return EngineError(
        f"{where} cannot be used: {why}", op="open", subject=where,
        hint="it must be yours alone (chmod 600); without it, use TAILRACE_TOKEN or --token-file",
    )  # fmt: skip
