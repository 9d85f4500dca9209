"""Links by which one run may be watched: signed, for a time, and kept nowhere. Another secret ends them all."""

import hashlib
import time
from typing import TYPE_CHECKING, Final

from tailrace.core import ids
from tailrace.core.errors import InvalidInput
from tailrace.core.identity import Identity, Scope
from tailrace.server.auth.vault import Vault

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer

USUAL_S: Final = 7 * 24 * 3600.0
LONGEST_S: Final = 366 * 24 * 3600.0
SALT: Final = "tailrace share 1"
MOST_CHARS: Final = 400


class Shares:
    """All links.

    Args:
        vault: where the secret is.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def make(self, run_id: str, lasts_s: float = USUAL_S) -> tuple[str, int]:
        """Return what opens the run, and until when, in seconds since 1970.

        Args:
            run_id: of the run.
            lasts_s: how many seconds it is to be good.

        Raises:
            InvalidInput: that is too long, or nothing.
            EngineError: there is no secret to sign with.
        """
        if not 1 <= lasts_s <= LONGEST_S:
            raise InvalidInput(
                f"a link cannot be good for {lasts_s:g} seconds", op="share", subject="expires",
                hint="between 1 second and 366 days",
            )  # fmt: skip
        until = int(time.time() + lasts_s)
        return _text(self._signer().dumps([run_id, until])), until

    def find(self, text: str) -> tuple[str, int] | None:
        """Return the run that this opens, and until when; None: it was altered, has expired, or is none.

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
            case [str() as run_id, int() as until] if ids.is_id(run_id) and time.time() < until:
                return run_id, until
            case _:
                return None

    def _signer(self) -> "URLSafeSerializer":
        from itsdangerous import URLSafeSerializer

        how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self._vault.secret(), salt=SALT, signer_kwargs=how)


def _text(made: str | bytes) -> str:
    return made if isinstance(made, str) else made.decode()


def holder(run_id: str, until: int | None = None) -> Identity:
    """Return who comes by a link to the run.

    Args:
        run_id: of the run.
        until: when the link expires, in seconds since 1970.
    """
    scope = Scope(actions=("view",), runs=(run_id,))
    return Identity(name="share", role="viewer", via="share", scope=scope, until=until)
