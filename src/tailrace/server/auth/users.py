"""Users in a file: name, hashed password (argon2id), role, groups. It is looked at anew whenever it has changed."""

import fcntl
import json
import os
import secrets
import stat
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tailrace.core.errors import EngineError, InvalidInput
from tailrace.core.identity import Role
from tailrace.server.auth.vault import MODE, hashed

FILE: Final = "users.toml"
HASHING: Final = 2
"""at the same time in a process: each takes 64 MiB, and a processor"""
PASSWORD_CHARS: Final = 1024
LEAST_CHARS: Final = 8
NAME_CHARS: Final = 64
HEAD: Final = "# Written by `tailrace user`, which keeps no comments.\n"
_BESIDES: Final = "._@+-"
"""in names, beside letters and digits"""


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user of the file."""

    password: str
    """its hash, as argon2 writes it"""
    role: Role = "viewer"
    groups: tuple[str, ...] = ()

    @property
    def stamp(self) -> str:
        """What his sessions are bound to: with another password, they are over."""
        return hashed(self.password)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    users: dict[str, User] = {}


_DECODER: Final = msgspec.json.Decoder(_File)


class Users:
    """All users.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int, int], Mapping[str, User]] | None = None
        self._hashing = threading.BoundedSemaphore(HASHING)
        self._nobody = ""

    def all(self) -> Mapping[str, User]:
        """Return the users by their names.

        Raises:
            EngineError: the file cannot be read, or says something else.
        """
        try:
            found = self.path.stat()
            version = (found.st_ino, found.st_mtime_ns, found.st_size)
            read = self._read
            if read is None or read[0] != version:
                table = tomllib.loads(self.path.read_text(encoding="utf-8"))
                read = self._read = (version, _DECODER.decode(json.dumps(table)).users)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, msgspec.MsgspecError) as error:
            raise EngineError(
                f"{self.path} cannot be used: {error}", op="read", subject=str(self.path),
                hint="it has [users.NAME] with password, role and groups; `tailrace user` writes it",
            ) from None  # fmt: skip
        return read[1]

    def find(self, name: str) -> User | None:
        """Return the user of this name; None: there is none.

        Raises:
            EngineError: see `all`.
        """
        return self.all().get(name)

    def check(self, name: str, password: str) -> User | None:
        """Return the user whose name and password these are; None: there is none. Both take the same time.

        Raises:
            EngineError: see `all`.
        """
        from argon2 import PasswordHasher
        from argon2.exceptions import Argon2Error, InvalidHashError

        user = self.find(name)
        with self._hashing:
            hasher = PasswordHasher()
            self._nobody = self._nobody or hasher.hash(secrets.token_hex())
            try:
                hasher.verify(self._nobody if user is None else user.password, password[:PASSWORD_CHARS])
            except (Argon2Error, InvalidHashError):
                return None
        return user

    def add(self, name: str, password: str, role: Role, groups: tuple[str, ...]) -> None:
        """Add a user.

        Raises:
            InvalidInput: there is one of this name, or name or password cannot be.
            EngineError: the file can be neither read nor written.
        """
        if not 0 < len(name) <= NAME_CHARS or not all(each.isalnum() or each in _BESIDES for each in name):
            raise InvalidInput(
                f"a user cannot be called {name[:40]!r}", op="add", subject=name[:40],
                hint=f"1 to {NAME_CHARS} letters, digits and {_BESIDES}",
            )  # fmt: skip
        user = User(password=hash_of(password), role=role, groups=groups)
        with self._changing():
            if name in self.all():
                raise InvalidInput(
                    f"there is a user {name!r} already", op="add", subject=name,
                    hint=f"`tailrace user passwd {name}` gives him another password",
                )  # fmt: skip
            self._write({**self.all(), name: user})

    def change(
        self,
        name: str,
        *,
        password: str | None = None,
        role: Role | None = None,
        groups: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        """Give a user another password, role or groups; None stays.

        Raises:
            InvalidInput: there is none of this name, or the password cannot be.
            EngineError: the file can be neither read nor written.
        """
        hash_ = None if password is None else hash_of(password)
        with self._changing():
            user = self._known(name)
            changed = User(
                password=user.password if hash_ is None else hash_,
                role=user.role if role is None else role,
                groups=user.groups if groups is None else groups,
            )
            self._write({**self.all(), name: changed})

    def remove(self, name: str) -> None:
        """Remove a user; he is out at once.

        Raises:
            InvalidInput: there is none of this name.
            EngineError: the file can be neither read nor written.
        """
        with self._changing():
            self._known(name)
            self._write({other: user for other, user in self.all().items() if other != name})

    def _known(self, name: str) -> User:
        user = self.find(name)
        if user is None:
            raise InvalidInput(
                f"there is no user {name[:40]!r}", op="find", subject=name[:40],
                hint="`tailrace user list` shows those that there are",
            )  # fmt: skip
        return user

    @property
    def _file(self) -> Path:
        """The file itself, where a link leads: what is replaced must not be the link."""
        return Path(os.path.realpath(self.path))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Have nobody else change the file, between being read and being replaced.

        The lock is its directory's, as the file is another one afterwards.

        Raises:
            EngineError: the directory cannot be opened.
        """
        try:
            fd = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _write(self, users: Mapping[str, User]) -> None:
        text = HEAD + "".join(_table(name, user) for name, user in users.items())
        path = self._file
        fresh = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE), "wb") as file:  # noqa: PTH123  by its descriptor
                self._be_as_before(file.fileno())
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise self._unwritable(error) from None

    def _be_as_before(self, fd: int) -> None:
        """Have the new file be whose the old one was: a server that is not root's could not read root's."""
        try:
            before = self.path.stat()
        except FileNotFoundError:
            return
        if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(fd, before.st_uid, before.st_gid)
        os.fchmod(fd, stat.S_IMODE(before.st_mode))

    def _unwritable(self, error: OSError) -> EngineError:
        return EngineError(
            f"{self.path} cannot be written: {(error.strerror or str(error)).lower()}", op="write",
            subject=str(self.path), hint="see who owns its directory, and `users_file` of [server]",
        )  # fmt: skip


def hash_of(password: str) -> str:
    """Return the hash of a password.

    Raises:
        InvalidInput: it is too short, or too long.
    """
    from argon2 import PasswordHasher

    if not LEAST_CHARS <= len(password) <= PASSWORD_CHARS:
        raise InvalidInput(
            f"the password has {len(password)} characters", op="add", subject="password",
            hint=f"{LEAST_CHARS} to {PASSWORD_CHARS} characters; several words are easy to remember",
        )  # fmt: skip
    return PasswordHasher().hash(password)


def _table(name: str, user: User) -> str:
    """Return the user in TOML, whose texts and lists, of what is written here, are those of JSON."""
    fields = {"password": user.password, "role": user.role, "groups": list(user.groups)}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["", f"[users.{json.dumps(name, ensure_ascii=False)}]", *lines, ""])
