"""Coming in by OpenID Connect, with a provider that speaks it."""

import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from tests.support.provider import CLIENT, SECRET, Provider, providing
from tests.system.server.conftest import Serve
from tests.system.server.serving import PATIENCE_S, Answer, Serving


class Here(NamedTuple):
    """A server, and its provider."""

    serving: Serving
    provider: Provider

    def begin(self) -> tuple[str, str]:
        """Return where the provider sends the browser back to, and the cookie that it has then."""
        answer = self.serving.ask("/login/oidc?next=/commands/count")
        assert answer.status == 303, answer
        there = urlsplit(answer.headers["location"])
        with closing(HTTPConnection(there.netloc, timeout=PATIENCE_S)) as connection:
            connection.request("GET", f"{there.path}?{there.query}")
            back = urlsplit(connection.getresponse().headers["Location"])
        return f"{back.path}?{back.query}", answer.headers["set-cookie"].partition(";")[0]

    def come_back(self, path: str, cookie: str) -> Answer:
        """Return the answer to the browser that comes back."""
        return self.serving.ask(path, headers={"Cookie": cookie, "Accept": "text/html", "Sec-Fetch-Site": "cross-site"})


@pytest.fixture
def here(serve: Serve, tmp_path: Path) -> Iterator[Here]:
    """Give both; developers are operators, and whoever has no group is turned away."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    with providing() as provider:
        text = (
            'auth = "oidc"\n[access]\ndefault_role = "none"\nroles = { operator = ["dev"] }\n'
            f'[oidc]\nissuer = "{provider.issuer}"\nclient_id = "{CLIENT}"\nclient_secret_file = "{tmp_path}/secret"'
        )
        yield Here(serve(text), provider)


def _session(answer: Answer) -> str:
    assert answer.status == 200, answer
    cookies = answer.headers["set-cookie"]
    return cookies.partition(";")[0]


def test_coming_in(here: Here) -> None:
    """The way there has state, nonce and a challenge; a session begins, and groups are roles."""
    sent = parse_qs(urlsplit(here.serving.ask("/login/oidc").headers["location"]).query)
    assert sent["code_challenge_method"] == ["S256"]
    assert sent["state"] != sent["nonce"]
    path, cookie = here.begin()
    with here.serving.asking(path, headers={"Cookie": cookie}) as response:
        cookies = response.headers.get_all("Set-Cookie") or []
        body = response.read()
    assert b"0; url=/commands/count" in body
    (session,) = [each.partition(";")[0] for each in cookies if "SameSite=Strict" in each]
    headers = {"Cookie": session, "Origin": here.serving.address.rstrip("/")}
    assert b"logged in as ann, operator" in here.serving.ask("/login", headers=headers).body
    assert here.serving.post("/api/commands/count/runs", "", headers).status == 201
    assert b'"by":"ann"' in here.serving.ask("/api/runs", headers=headers).body


def test_a_code_is_good_once_and_in_its_browser(here: Here) -> None:
    """Sent again, with another state, or from a browser that began nothing, it opens nothing."""
    path, cookie = here.begin()
    for other_path, other_cookie in (
        (path, ""),
        (path, cookie[:-1] + "x"),
        (path.replace("state=", "state=x"), cookie),
    ):
        assert here.come_back(other_path, other_cookie).status == 403
    assert here.come_back(path, cookie).status == 200
    assert here.come_back(path, cookie).status == 403
    assert b"try again" in here.come_back(path, cookie).body.lower()


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1},
        {"aud": [CLIENT, "x"], "azp": "x"}, {"iat": int(time.time()) + 9999},
    ],
    ids=["nonce", "audience", "issuer", "expired", "party", "future"],
)  # fmt: skip
def test_a_token_that_cannot_be_believed(here: Here, claims: dict[str, object]) -> None:
    """It begins no session."""
    here.provider.claims = claims
    answer = here.come_back(*here.begin())
    assert answer.status == 500
    assert "Strict" not in answer.headers.get("set-cookie", "")
    assert "Traceback" not in here.serving.err()


def test_a_token_that_another_has_signed(here: Here) -> None:
    """Neither does it; a key that the provider has published since is found."""
    here.provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    assert here.come_back(*here.begin()).status == 500
    here.provider.published = here.provider.key
    assert here.come_back(*here.begin()).status == 200


def test_somebody_without_a_role(here: Here) -> None:
    """He is told so, and has no session."""
    here.provider.person = {"sub": "2", "preferred_username": "eve", "groups": ["guests"]}
    answer = here.come_back(*here.begin())
    assert answer.status == 403
    assert b"eve has no role here" in answer.body.lower()


def test_a_provider_that_is_away(here: Here) -> None:
    """It is told as an error of the server, without a traceback; who has a token still comes in."""
    here.provider.server_close()
    assert here.serving.ask("/login/oidc").status == 500
    assert "cannot be used" in here.serving.err()


def test_the_name_that_is_come_back_to_is_ours(here: Here) -> None:
    """A foreign name in Host is not sent to the provider."""
    assert here.serving.ask("/login/oidc", headers={"Host": "evil.example"}).status == 421
