"""Links by which one run may be watched: signed, for a time, and each as long as there is a file of it here.

A file is empty but for who has made the link; what else there is to know stands in its name, so that nothing has to be
read to find those of a run, or what has expired. To end a link is to remove its file.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from tailrace.core import ids
from tailrace.core.errors import InvalidInput, LimitReached
from tailrace.core.identity import Identity, Scope
from tailrace.core.share import USUAL_S, Link
from tailrace.server.auth.vault import SHARES, Vault

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer

LONGEST_S: Final = 366 * 24 * 3600.0
SHARED: Final = "share"
"""the name of whoever comes by a link"""
SALT: Final = "tailrace share 2"
MOST_CHARS: Final = 400
MOST: Final = 10_000
"""links that are good at a time"""
ID_BYTES: Final = 8
_NAME: Final = re.compile(rf"(?P<run>[{ids.ALPHABET}]+)\.(?P<made>[0-9]+)\.(?P<until>[0-9]+)\.(?P<id>[0-9a-f]{{16}})")


class Shares:
    """All links.

    Args:
        vault: where the secret is, and what is kept of each.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def make(self, run_id: str, lasts_s: float = USUAL_S, by: str | None = None) -> tuple[str, Link]:
        """Return what opens the run, and what is kept of it.

        Args:
            run_id: of the run.
            lasts_s: how many seconds it is to be good.
            by: who makes it.

        Raises:
            InvalidInput: that is too long, or nothing.
            LimitReached: there are too many.
            EngineError: there is no secret to sign with, or nothing can be written.
        """
        if not 1 <= lasts_s <= LONGEST_S:
            raise InvalidInput(
                f"a link cannot be good for {lasts_s:g} seconds", op="share", subject="expires",
                hint="between 1 second and 366 days",
            )  # fmt: skip
        self._make_room()
        made = int(time.time())
        until, link_id = int(time.time() + lasts_s), secrets.token_hex(ID_BYTES)
        token = _text(self._signer().dumps([run_id, made, until, link_id]))
        self._vault.write(f"{SHARES}/{run_id}.{made}.{until}.{link_id}", msgspec.json.encode(by))
        return token, Link(id=link_id, run=run_id, created=_time(made), expires=_time(until), by=by)

    def find(self, text: str) -> tuple[str, int] | None:
        """Return the run that this opens, and until when; None: it was altered, has expired or ended, or is none.

        Raises:
            EngineError: there is no secret.
        """
        from itsdangerous import BadData

        if not 0 < len(text) <= MOST_CHARS:
            return None
        try:
            value: object = self._signer().loads(text)
        except BadData:
            return None
        match value:
            case [str() as run_id, int() as made, int() as until, str() as link_id]:
                name = f"{run_id}.{made}.{until}.{link_id}"
                is_there = _NAME.fullmatch(name) is not None and self._vault.read(f"{SHARES}/{name}") is not None
                return (run_id, until) if is_there and time.time() < until else None
            case _:
                return None

    def of(self, run_id: str | None) -> Sequence[Link]:
        """Return the links to the run, or to any (None), that are good, the newest first."""
        found = [_link(name, self._vault.read(f"{SHARES}/{name}")) for name in self._names(run_id)]
        now = datetime.now(UTC)
        return sorted((link for link in found if link.expires > now), key=lambda link: link.created, reverse=True)

    def end(self, run_id: str | None, link_id: str | None = None) -> int:
        """End the link to the run, or all of the run's, or of all runs (None); return how many were good till now.

        Raises:
            EngineError: a file cannot be removed.
        """
        names = [name for name in self._names(run_id) if link_id is None or name.endswith(f".{link_id}")]
        return sum(self._vault.remove(f"{SHARES}/{name}") for name in names)

    def _names(self, run_id: str | None) -> Iterator[str]:
        for name in self._vault.names(SHARES):
            found = _NAME.fullmatch(name)
            if found is not None and run_id in (None, found["run"]):
                yield name

    def _make_room(self) -> None:
        """Forget what has expired.

        Raises:
            LimitReached: there is too much all the same.
        """
        now, count = time.time(), 0
        for name in self._names(None):
            if int(name.split(".")[2]) <= now:
                self._vault.remove(f"{SHARES}/{name}")
            else:
                count += 1
        if count >= MOST:
            raise LimitReached(
                f"there are {count} links that are good", op="share", subject="links",
                hint="end some of them: tailrace share --list, tailrace share ID --end",
            )  # fmt: skip

    def _signer(self) -> "URLSafeSerializer":
        from itsdangerous import URLSafeSerializer

        how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self._vault.secret(), salt=SALT, signer_kwargs=how)


_BY = msgspec.json.Decoder(str | None)


def _link(name: str, data: bytes | None) -> Link:
    run_id, made, until, link_id = name.split(".")
    try:
        by = _BY.decode(data or b"null")
    except msgspec.MsgspecError:
        by = None
    return Link(id=link_id, run=run_id, created=_time(int(made)), expires=_time(int(until)), by=by)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _text(made: str | bytes) -> str:
    return made if isinstance(made, str) else made.decode()


def holder(run_id: str, until: int | None = None) -> Identity:
    """Return who comes by a link to the run.

    Args:
        run_id: of the run.
        until: when the link expires, in seconds since 1970.
    """
    scope = Scope(actions=("view",), runs=(run_id,))
    return Identity(name=SHARED, role="viewer", via="share", scope=scope, until=until)
