"""OpenID Connect: a provider says who somebody is (Core 1.0, authorization code with PKCE, state and nonce).

What the provider's metadata says is read when somebody comes in, and kept for an hour; its keys too, and once more when
a signature is by none that is known.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from tailrace.config.access import Oidc
from tailrace.core.errors import NotAllowed, ProviderUnusable
from tailrace.server.auth.vault import is_same

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

KEPT_S: Final = 3600.0
PATIENCE_S: Final = 10.0
"""for the provider to answer"""
LEEWAY_S: Final = 60
"""between its clock and ours"""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""with a key that only the provider has; never `none`, nor one that is shared"""

REACH_HINT: Final = "see that `issuer` is as the provider writes it, and that this machine reaches it"
CLAIMS_HINT: Final = "see `issuer` and `client_id`, and that both clocks are right"

Object: TypeAlias = Mapping[str, object]


class Person(NamedTuple):
    """Who came in, as the provider says."""

    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Pending:
    """What a browser was sent away with, and must come back with."""

    state: str
    nonce: str
    verifier: str
    next: str

    @classmethod
    def new(cls, wanted: str) -> "Pending":
        """Return a new one, after which the browser is to go where it wanted to."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), wanted)


class Provider:
    """One provider.

    Args:
        settings: where it is, and how it knows us.
    """

    def __init__(self, settings: Oidc) -> None:
        self._settings = settings
        self._metadata: tuple[float, Object] | None = None
        self._keys: Object | None = None

    def address(self, pending: Pending, callback: str) -> str:
        """Return where the browser is to go.

        Raises:
            ProviderUnusable: the provider cannot be asked where that is.
        """
        with self._session(callback) as session:
            made: tuple[str, str] = session.create_authorization_url(
                self._endpoint(session, "authorization_endpoint"),
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return made[0]

    def finish(self, pending: Pending, callback: str, query: Mapping[str, str]) -> Person:
        """Return who came back.

        Raises:
            NotAllowed: the provider did not let him in, or this is not what he was sent away with.
            ProviderUnusable: the provider cannot be asked, or what it says cannot be believed.
        """
        if not is_same(query.get("state", ""), pending.state) or query.get("iss", self._settings.issuer) != (
            self._settings.issuer
        ):
            raise _refused("this is not the answer to a login that was begun here")
        if "error" in query or not query.get("code"):
            raise _refused(f"the provider says {query.get('error', 'nothing')[:60]!r}")
        with self._session(callback) as session:
            token = self._token(session, query["code"], pending.verifier)
            return self._person(self._claims(session, token, pending.nonce))

    def _token(self, session: "OAuth2Session", code: str, verifier: str) -> str:
        from authlib.common.errors import AuthlibBaseError

        try:
            found: Object = session.fetch_token(
                self._endpoint(session, "token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                timeout=PATIENCE_S,
            )
        except AuthlibBaseError as error:
            raise _refused(f"the provider does not take the login: {error.error}") from None
        except OSError as error:  # what requests raises is one
            raise self._unusable(f"it does not answer: {type(error).__name__}") from None
        except (TypeError, ValueError, AttributeError) as error:  # what authlib raises for JSON of another shape
            raise self._unusable(f"its answer cannot be read: {type(error).__name__}") from None
        return str(found.get("id_token", ""))

    def _claims(self, session: "OAuth2Session", token: str, nonce: str) -> Object:
        """Return what the token says, once its signature, and all that binds it to this login, is right."""
        from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
        from joserfc.jwt import JWTClaimsRegistry

        rules = JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                claims = self._decoded(session, token)
            except (BadSignatureError, InvalidKeyIdError, ValueError):
                self._keys = None
                claims = self._decoded(session, token)
            rules.validate(claims)
        except (JoseError, ValueError) as error:
            raise self._unusable(f"its token cannot be believed: {error}", CLAIMS_HINT) from None
        if isinstance(claims.get("aud"), list) and claims.get("azp", self._settings.client_id) != (
            self._settings.client_id
        ):
            raise self._unusable("its token is for somebody else", CLAIMS_HINT)
        return claims

    def _decoded(self, session: "OAuth2Session", token: str) -> dict[str, object]:
        from joserfc import jwt
        from joserfc.jwk import KeySet, KeySetSerialization

        if self._keys is None:
            self._keys = self._get(session, self._endpoint(session, "jwks_uri"))
        try:
            keys = KeySet.import_key_set(cast("KeySetSerialization", self._keys))
        except (KeyError, TypeError, AttributeError) as error:  # what joserfc raises for JSON of another shape
            self._keys = None
            raise self._unusable(f"its keys cannot be read: {type(error).__name__}") from None
        return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)

    def _person(self, claims: Object) -> Person:
        name = claims.get(self._settings.name_claim) or claims.get("sub")
        groups = claims.get(self._settings.groups_claim, [])
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return Person(str(name)[:200], tuple(str(group) for group in listed))

    def _endpoint(self, session: "OAuth2Session", name: str) -> str:
        kept = self._metadata
        if kept is None or time.monotonic() - kept[0] > KEPT_S:
            where = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            kept = self._metadata = (time.monotonic(), self._get(session, where))
            self._keys = None
        if kept[1].get("issuer") != self._settings.issuer or not isinstance(found := kept[1].get(name), str):
            self._metadata = None
            raise self._unusable(f"its metadata are another's, or without {name}")
        return found

    def _get(self, session: "OAuth2Session", url: str) -> Object:
        try:
            answer = session.request("GET", url, withhold_token=True, timeout=PATIENCE_S)
            answer.raise_for_status()
            found: object = answer.json()
        except (OSError, ValueError) as error:
            raise self._unusable(f"{url} cannot be read: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise self._unusable(f"{url} has no JSON object")
        return found

    def _session(self, callback: str) -> "OAuth2Session":
        from authlib.integrations.requests_client import OAuth2Session

        path = self._settings.client_secret_file
        secret = None if path is None else _secret(path)
        return OAuth2Session(
            self._settings.client_id,
            secret,
            scope=" ".join(self._settings.scopes),
            redirect_uri=callback,
            code_challenge_method="S256",
            token_endpoint_auth_method="none" if secret is None else "client_secret_basic",
        )

    def _unusable(self, why: str, hint: str = REACH_HINT) -> ProviderUnusable:
        return ProviderUnusable(
            f"the provider {self._settings.issuer} cannot be used: {why}", op="login", subject=self._settings.issuer,
            hint=hint,
        )  # fmt: skip


def _secret(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ProviderUnusable(
            f"{path} cannot be read: {error}", op="login", subject=path,
            hint="client_secret_file names a file with the secret, and nothing else",
        ) from None  # fmt: skip


def _refused(why: str) -> NotAllowed:
    return NotAllowed(f"you are not in: {why}", op="login", subject="provider", hint="open the login, and try again")
