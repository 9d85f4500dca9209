"""A small OpenID provider: metadata, keys, the place to log in, and the one where codes become tokens.

Whoever comes to log in is let in as `person` says, at once. What it takes is checked as the specifications have it: the
code is good once, for its client, its callback, and whoever has the verifier of its challenge (RFC 7636).
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "tailrace", "between us"


class Provider(ThreadingHTTPServer):
    """The provider; `claims` is put over what its tokens say, `key` is what they are signed by.

    `broken` has the status and the body that it answers with, instead of what it should, by the address.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.person: dict[str, object] = {"sub": "1", "preferred_username": "ann", "groups": ["dev"]}
        self.claims: dict[str, object] = {}
        self.published = self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.codes: dict[str, Mapping[str, str]] = {}
        self.broken: dict[str, tuple[int, bytes]] = {}

    def token(self, asked: Mapping[str, str]) -> str:
        """Return what says who came in."""
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        return jwt.encode({"alg": "RS256", "kid": "one"}, {**usual, **self.person, **self.claims}, self.key)


@contextmanager
def providing() -> Iterator[Provider]:
    """Have it, in a thread."""
    with Provider() as provider:
        thread = threading.Thread(target=provider.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            provider.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        """Answer what browsers and clients look at."""
        provider, parts = self.server, urlsplit(self.path)
        if self._is_broken(parts.path):
            return
        if parts.path == "/.well-known/openid-configuration":
            self._send({
                "issuer": provider.issuer, "authorization_endpoint": f"{provider.issuer}/authorize",
                "token_endpoint": f"{provider.issuer}/token", "jwks_uri": f"{provider.issuer}/keys",
            })  # fmt: skip
        elif parts.path == "/keys":
            self._send({"keys": [provider.published.as_dict(private=False)]})
        elif parts.path == "/authorize":
            asked, code = dict(parse_qsl(parts.query)), secrets.token_urlsafe()
            provider.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"], "iss": provider.issuer})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Make a token of a code."""
        provider = self.server
        if self._is_broken("/token"):
            return
        form = {name: values[0] for name, values in parse_qs(self._body()).items()}
        asked = provider.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        login = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        is_right = (
            asked is not None
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == challenge
            and asked["redirect_uri"] == form.get("redirect_uri")
            and self.headers["Authorization"] == login
        )
        if not is_right or asked is None:
            self._send({"error": "invalid_grant"}, 400)
            return
        self._send({"access_token": "x", "token_type": "Bearer", "id_token": provider.token(asked)})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's
        """Write nothing."""

    def _body(self) -> str:
        return self.rfile.read(int(self.headers["Content-Length"])).decode()

    def _is_broken(self, path: str) -> bool:
        if path not in self.server.broken:
            return False
        status, body = self.server.broken[path]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return True

    def _send(self, value: object, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
