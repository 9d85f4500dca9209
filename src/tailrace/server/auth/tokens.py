"""The server's own token, by which whoever looks after it comes in; and tokens for programs, each for its purpose."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import msgspec

from tailrace.core.access import ACTIONS
from tailrace.core.errors import EngineError, Fault, InvalidInput, InvalidValues
from tailrace.core.identity import Identity, Role, Scope
from tailrace.core.near import near
from tailrace.core.template import NAME
from tailrace.server.auth.vault import MODE, USED, Vault, hashed, is_same, new_secret

OWN: Final = "token"
"""the name of whoever comes in by the server's own token"""
PREFIX: Final = "tailrace_"
"""by which a token for programs is known, also by those who look for secrets that were published"""
BEGINNING: Final = "token:"
"""of the names of those who come in by one, which no user has: runs are somebody's by his name"""
FILE: Final = "tokens.json"
NOTED_S: Final = 60.0
NAME_CHARS: Final = 64


class Token(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a token. Times are seconds since 1970."""

    name: str
    hash: str
    role: Role
    created: float
    expires: float | None = None
    """None: never"""
    actions: tuple[str, ...] | None = None
    commands: tuple[str, ...] | None = None

    @property
    def identity(self) -> Identity:
        """Who comes in by it."""
        scope = Scope(actions=self.actions, commands=self.commands)
        return Identity(name=f"{BEGINNING}{self.name}", role=self.role, via="token", scope=scope)


_DECODER: Final = msgspec.json.Decoder(tuple[Token, ...])


class Tokens:
    """All tokens.

    Args:
        vault: where they are kept.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._read: tuple[tuple[int, int, int], dict[str, Token]] | None = None

    def own(self) -> str:
        """Return the server's own token, which is made if there is none.

        Raises:
            EngineError: it can be neither read nor written.
        """
        return self._vault.once(OWN, lambda: new_secret().encode()).decode().strip()

    def rotate(self) -> str:
        """Have another token of the server's own, and return it; whoever came in by the old one is out.

        Raises:
            EngineError: it cannot be written.
        """
        token = new_secret()
        self._vault.write(OWN, token.encode())
        return token

    def is_own(self, text: str) -> bool:
        """Tell whether the text is the server's own token."""
        return is_same(text, self.own())

    def find(self, text: str) -> Identity | None:
        """Return who comes in by a token for programs, and note its use; None: it is none, or has expired.

        Raises:
            EngineError: they cannot be read.
        """
        if not text.startswith(PREFIX):
            return None
        token = self._known().get(hashed(text))
        if token is None or (token.expires is not None and time.time() >= token.expires):
            return None
        self._note_use(token)
        return token.identity

    def create(self, token: Token) -> str:
        """Keep a new token, whose `hash` is set here, and return it, which nobody can do again.

        Raises:
            InvalidInput: there is one of this name, or something in it cannot be.
            EngineError: it cannot be kept.
        """
        _check(token)
        text = PREFIX + new_secret()
        with self._vault.locked(f"{FILE}.lock"):
            known = self.all()
            if any(each.name == token.name for each in known):
                raise InvalidInput(
                    f"there is a token {token.name!r} already",
                    op="create",
                    subject=token.name,
                    hint=f"`tailrace token revoke {token.name}` first, or choose another name",
                )
            self._write((*known, msgspec.structs.replace(token, hash=hashed(text))))
        return text

    def revoke(self, name: str) -> None:
        """Forget the token of this name.

        Raises:
            InvalidInput: there is none.
            EngineError: it cannot be forgotten.
        """
        with self._vault.locked(f"{FILE}.lock"):
            known = self.all()
            left = tuple(token for token in known if token.name != name)
            if len(left) == len(known):
                raise InvalidInput(
                    f"there is no token {name[:40]!r}",
                    op="revoke",
                    subject=name[:40],
                    hint="`tailrace token list` shows those that there are",
                )
            self._write(left)

    def all(self) -> tuple[Token, ...]:
        """Return all tokens, in the order in which they were made.

        Raises:
            EngineError: they cannot be read.
        """
        data = self._vault.read(FILE)
        if data is None:
            return ()
        try:
            return _DECODER.decode(data)
        except msgspec.MsgspecError:
            raise _damaged(self._vault) from None

    def last_use(self, token: Token) -> datetime | None:
        """Return when the token was last used, to the minute; None: never."""
        found = self._vault.stat(f"{USED}/{token.hash}")
        return None if found is None else datetime.fromtimestamp(found.st_mtime, UTC)

    def _known(self) -> dict[str, Token]:
        """Return the tokens by their hashes, read again when the file is another."""
        found = self._vault.stat(FILE)
        if found is None:
            return {}
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        read = self._read
        if read is None or read[0] != version:
            read = self._read = (version, {token.hash: token for token in self.all()})
        return read[1]

    def _note_use(self, token: Token) -> None:
        path, now = self._vault.path / USED / token.hash, time.time()
        with suppress(OSError):  # a full disk keeps nobody out
            try:
                if now - path.stat().st_mtime > NOTED_S:
                    os.utime(path)
            except FileNotFoundError:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, MODE))

    def _write(self, tokens: tuple[Token, ...]) -> None:
        self._vault.write(FILE, msgspec.json.encode(tokens))
        hashes = {token.hash for token in tokens}
        for name in self._vault.names(USED):
            if name not in hashes:
                self._vault.remove(f"{USED}/{name}")


def _check(token: Token) -> None:
    if faults := list(_faults(token)):
        raise InvalidValues.of(faults, op="create")


def _faults(token: Token) -> Iterator[Fault]:
    if not token.name.isprintable() or not 0 < len(token.name) <= NAME_CHARS or token.name != token.name.strip():
        yield Fault("name", f"cannot be {token.name[:40]!r}", f"1 to {NAME_CHARS} printable characters")
    for action in token.actions or ():
        if action not in ACTIONS:
            yield Fault("action", f"cannot be {action[:40]!r}", near(action, ACTIONS))
    for command in token.commands or ():
        if NAME.fullmatch(command) is None:
            yield Fault("command", f"cannot be {command[:40]!r}", "the name of a declared command")


def _damaged(vault: Vault) -> EngineError:
    path = vault.path / FILE
    return EngineError(
        f"{path} cannot be read: it is not what was written there", op="read", subject=str(path),
        hint="put back a copy of it, or remove it and create the tokens again",
    )  # fmt: skip
