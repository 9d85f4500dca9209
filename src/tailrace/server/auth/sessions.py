"""Sessions of browsers: a random id in a cookie, and a file for each here, named by the id's hash.

A file's time of change is when its session was last used. What is not there any more is no session: a logout is the
file's removal, so nobody gets in by a cookie from before.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

from tailrace.server.auth.vault import SESSIONS, Vault, hashed, new_secret

IDLE_S: Final = 14 * 24 * 3600.0
LONGEST_S: Final = 90 * 24 * 3600.0
TOLD_S: Final = 12 * 3600.0
"""the longest, where somebody else says who a user is, and does not say when he is no more"""
NOTED_S: Final = 60.0
"""a use is noted if the last one that was is so long ago"""
SWEPT_S: Final = 3600.0
"""between two looks for sessions that are over"""
ID_CHARS: Final = 43


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a session. Times are seconds since 1970."""

    user: str
    via: str
    """the way by which he came in: the server's `auth`"""
    stamp: str
    """of what he proved who he is by: with another password or token, the session is over"""
    groups: tuple[str, ...] = ()
    """as an OpenID provider has said"""
    created: float
    expires: float


_DECODER: Final = msgspec.json.Decoder(Session)


class Sessions:
    """All sessions.

    Args:
        vault: where they are kept.
        idle_s: how long one lasts without being used.
        longest_s: how long one lasts.
    """

    def __init__(self, vault: Vault, idle_s: float = IDLE_S, longest_s: float = LONGEST_S) -> None:
        self._vault = vault
        self._idle_s = idle_s
        self.longest_s = longest_s
        self._swept = 0.0

    def begin(self, user: str, via: str, stamp: str, groups: tuple[str, ...] = ()) -> str:
        """Begin a session, and return its id, which is kept nowhere here.

        Raises:
            EngineError: it cannot be written.
        """
        now = time.time()
        if now - self._swept > SWEPT_S:
            self._swept = now
            self._sweep(now)
        session_id = new_secret()
        session = Session(
            user=user, via=via, stamp=stamp, groups=groups, created=now, expires=now + self.longest_s
        )  # fmt: skip
        self._vault.write(self._name(session_id), msgspec.json.encode(session))
        return session_id

    def find(self, session_id: str) -> Session | None:
        """Return the session of this id, and note that it is used; None: there is none, or it is over.

        Raises:
            EngineError: it cannot be read.
        """
        if len(session_id) != ID_CHARS:
            return None
        name = self._name(session_id)
        data = self._vault.read(name)
        if data is None:
            return None
        return self._live(name, data, time.time())

    def end(self, session_id: str) -> None:
        """End the session, if there is one."""
        self._vault.remove(self._name(session_id))

    def end_all(self, user: str) -> int:
        """End all sessions of a user, and return how many there were."""
        return sum(
            self._vault.remove(name)
            for name, data in self._all()
            if (session := _decoded(data)) is not None and session.user == user
        )

    def _live(self, name: str, data: bytes, now: float) -> Session | None:
        """Return the session, if it is good, and note its use; remove it if it is over."""
        session = self._good(name, data, now)
        found = None if session is None else self._vault.stat(name)
        if found is not None and now - found.st_mtime > NOTED_S:
            with suppress(FileNotFoundError):
                os.utime(self._vault.path / name, (now, now))
        return session

    def _all(self) -> Iterator[tuple[str, bytes]]:
        for each in self._vault.names(SESSIONS):
            name = f"{SESSIONS}/{each}"
            if (data := self._vault.read(name)) is not None:
                yield name, data

    def _sweep(self, now: float) -> None:
        for name, data in self._all():
            found = self._vault.stat(name) if "." in name else None
            if found is None:
                self._good(name, data, now)
            elif now - found.st_mtime > SWEPT_S:  # somebody was killed before it had its name
                self._vault.remove(name)

    def _good(self, name: str, data: bytes, now: float) -> Session | None:
        """Return the session; None, if it is over or is none, and then its file is gone."""
        session, found = _decoded(data), self._vault.stat(name)
        if found is None:
            return None
        if session is None or self._is_over(session, found.st_mtime, now):
            self._vault.remove(name)
            return None
        return session

    def _is_over(self, session: Session, used: float, now: float) -> bool:
        """Tell whether it is, by what was said when it began, and by what holds now."""
        return now >= min(session.expires, session.created + self.longest_s, used + self._idle_s)

    @staticmethod
    def _name(session_id: str) -> str:
        return f"{SESSIONS}/{hashed(session_id)}"


def _decoded(data: bytes) -> Session | None:
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
