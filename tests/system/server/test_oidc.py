"""Coming in by OpenID Connect, with a provider that speaks it."""

import itertools
import socket
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
    """It begins no session; a page says so, and the log what to look at."""
    here.provider.claims = claims
    answer = here.come_back(*here.begin())
    check_refused(here, answer)
    assert "see `issuer` and `client_id`, and that both clocks are right" in here.serving.err()


def check_refused(here: Here, answer: Answer) -> None:
    """See that it is a page with a sentence and what to do, and no session has begun."""
    assert answer.status == 502, answer
    assert answer.headers["content-type"].startswith("text/html")
    assert b"The provider that says who you are cannot be asked, or not be believed." in answer.body
    assert b"Try again later" in answer.body
    assert "Strict" not in answer.headers.get("set-cookie", "")
    assert "Traceback" not in here.serving.err()


GARBAGE = (b"", b"<h1>oops</h1>", b"[]", b"null", b'"x"', b"{}", b'{"keys": 7}', b'{"id_token": 7}', b"\xff")


@pytest.mark.parametrize("path", ["/token", "/keys"])
def test_a_provider_that_answers_nonsense(here: Here, path: str) -> None:
    """Whatever it says, nobody is in, and there is no trace of our own."""
    for status, body in itertools.product((200, 404, 500), GARBAGE):
        here.provider.broken = {}
        way = here.begin()
        here.provider.broken[path] = (status, body)
        answer = here.come_back(*way)
        assert answer.status in (403, 502), (body, answer)
        if answer.status == 502:
            check_refused(here, answer)
    here.provider.broken = {}
    assert here.come_back(*here.begin()).status == 200


def test_metadata_that_are_nonsense(here: Here) -> None:
    """Nobody is sent anywhere; when they are right again, it goes on."""
    path = "/.well-known/openid-configuration"
    for body in GARBAGE:
        here.provider.broken[path] = (200, body)
        check_refused(here, here.serving.ask("/login/oidc", headers={"Accept": "text/html"}))
    here.provider.broken.clear()
    assert here.serving.ask("/login/oidc").status == 303


def test_somebody_who_does_not_consent(here: Here) -> None:
    """He is told what the provider says, and where to begin again."""
    path, cookie = here.begin()
    state = parse_qs(urlsplit(path).query)["state"][0]
    answer = here.come_back(f"/login/callback?error=access_denied&state={state}", cookie)
    assert answer.status == 403
    assert b"access_denied" in answer.body
    assert b"Open the login, and try again" in answer.body


def test_a_token_that_another_has_signed(here: Here) -> None:
    """Neither does it; a key that the provider has published since is found."""
    here.provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    check_refused(here, here.come_back(*here.begin()))
    here.provider.published = here.provider.key
    assert here.come_back(*here.begin()).status == 200


def test_somebody_without_a_role(here: Here) -> None:
    """He is told so, and has no session."""
    here.provider.person = {"sub": "2", "preferred_username": "eve", "groups": ["guests"]}
    answer = here.come_back(*here.begin())
    assert answer.status == 403
    assert b"eve has no role here" in answer.body.lower()


@pytest.mark.parametrize("name", ["token", "token:ci", "share", "hook note"])
def test_somebody_who_is_called_as_only_we_call_anybody(here: Here, name: str) -> None:
    """He is told so, and has no session."""
    here.provider.person = {"sub": "2", "preferred_username": name, "groups": ["dev"]}
    answer = here.come_back(*here.begin())
    assert answer.status == 403
    assert b"is a name that this server gives" in answer.body
    assert "Strict" not in answer.headers.get("set-cookie", "")


def _who(serving: Serving, session: str) -> int:
    return serving.ask("/api/runs", headers={"Cookie": session}).status


def test_a_session_is_of_its_provider(here: Here, serve: Serve) -> None:
    """It is there again when the server is; with another client, or another claim as the name, it is over."""
    session = _strict(here)
    text = here.serving.file.read_text().partition("\n[commands.count]")[0].removeprefix("[server]\n")
    assert _who(here.serving, session) == _who(serve(text), session) == 200
    other = text.replace(f'client_id = "{CLIENT}"', 'client_id = "another"')
    assert _who(serve(other), session) == 401
    assert _who(serve(text.replace("client_id", 'name_claim = "sub"\nclient_id')), session) == 401


def test_a_session_lasts_as_long_as_is_said(here: Here, serve: Serve) -> None:
    """Half a day by default, and what is said later counts for those that there are."""
    session = _strict(here, "Max-Age=43200")
    text = here.serving.file.read_text().partition("\n[commands.count]")[0].removeprefix("[server]\n")
    for age, status in (("10m", 200), ("1ms", 401)):
        assert _who(serve(f'session_max_age = "{age}"\n{text}'), session) == status


def _strict(here: Here, attribute: str = "") -> str:
    """Come in, and return the session's cookie, which has the attribute."""
    path, cookie = here.begin()
    with here.serving.asking(path, headers={"Cookie": cookie}) as response:
        cookies = response.headers.get_all("Set-Cookie") or []
    (found,) = [each for each in cookies if "SameSite=Strict" in each]
    assert attribute in found
    return found.partition(";")[0]


def test_a_provider_that_is_away(here: Here) -> None:
    """It is told on a page, without a traceback."""
    here.provider.server_close()
    check_refused(here, here.serving.ask("/login/oidc", headers={"Accept": "text/html"}))
    assert "cannot be used" in here.serving.err()


def test_a_provider_that_is_away_at_the_start(serve: Serve, tmp_path: Path) -> None:
    """The server begins all the same, and asks it when somebody comes in."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        issuer = f"http://127.0.0.1:{held.getsockname()[1]}"
    text = (
        f'auth = "oidc"\n[oidc]\nissuer = "{issuer}"\nclient_id = "{CLIENT}"\nclient_secret_file = "{tmp_path}/secret"'
    )
    serving = serve(text)
    assert serving.ask("/healthz").status == serving.ask("/readyz").status == serving.ask("/login").status == 200
    assert serving.ask("/login/oidc").status == 502
    Path(tmp_path / "secret").unlink()
    assert serving.ask("/login/oidc").status == 502
    assert "client_secret_file names a file" in serving.err()


def test_the_name_that_is_come_back_to_is_ours(here: Here) -> None:
    """A foreign name in Host is not sent to the provider."""
    assert here.serving.ask("/login/oidc", headers={"Host": "evil.example"}).status == 421
