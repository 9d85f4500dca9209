"""Who may do what, asked of a real server; attackers ask as they would."""

import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from tailrace.core.identity import Role
from tailrace.server.auth.tokens import Token, Tokens
from tailrace.server.auth.vault import Vault
from tailrace.web.routes.table import ROUTES
from tests.support.wait import wait_for
from tests.system.security.town import has_ended
from tests.system.server.conftest import Serve
from tests.system.server.serving import UPGRADE, Answer, Serving, raw

TOKEN_AUTH = 'auth = "token"'
SAME = {"Sec-Fetch-Site": "same-origin"}
UPGRADING = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}  # fmt: skip
ROLES: dict[str, set[str]] = {
    "nobody": set(),
    "viewer": {"list", "view"},
    "operator": {"list", "view", "start", "stop", "input", "pin", "share"},
    "admin": {"list", "view", "start", "stop", "input", "pin", "share"},
    "share": {"view"},
}
ACTIONS = {
    "GET /api/commands": "list",
    "GET /api/commands/{command}": "list",
    "POST /api/commands/{command}/runs": "start",
    "GET /api/runs": "list",
    "GET /api/runs/{run}": "view",
    "GET /api/runs/{run}/activity": "view",
    "GET /api/runs/{run}/output": "view",
    "GET /api/runs/{run}/lines": "view",
    "GET /api/runs/{run}/search": "view",
    "GET /api/runs/{run}/socket": "view",
    "GET /api/events": "view",
    "POST /api/runs/{run}/stop": "stop",
    "POST /api/runs/{run}/input": "input",
    "POST /api/runs/{run}/pin": "pin",
    "POST /api/runs/{run}/unpin": "pin",
    "POST /api/runs/{run}/share": "share",
    "GET /api/runs/{run}/shares": "share",
    "POST /api/runs/{run}/unshare": "share",
    "GET /api/probe": "list",
    "GET /api/probe/socket": "list",
    "GET /api/probe/request": "list",
    "POST /api/probe/request": "list",
    "GET /api/me": "view",
    "GET /api/openapi.json": "list",
    "GET /": "list",
    "GET /commands/{command}": "list",
    "POST /commands/{command}": "start",
    "GET /runs/{run}": "view",
    "POST /runs/{run}/stop": "stop",
    "POST /runs/{run}/input": "input",
    "GET /runs": "view",
}
"""what each route needs, written down once more: a route that is not here, and is no file of a page, fails the test"""
QUERIES = {
    "/api/events": "?run={run}",
    "/api/runs/{run}/search": "?q=a",
    "/runs": "?run={run}",
    "/api/probe": "?pieces=1",
}


@pytest.fixture
def guarded(serve: Serve) -> Serving:
    """Give a server that wants a token."""
    return serve(TOKEN_AUTH)


def _own(state_dir: Path) -> str:
    return (state_dir / "auth" / "token").read_text()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _token(state_dir: Path, role: Role, name: str = "", **more: object) -> str:
    tokens = Tokens(Vault(str(state_dir)))
    made = Token(name=name or role, hash="", role=role, created=time.time(), **more)  # type: ignore[arg-type]  # tests
    return tokens.create(made)


def _start(serving: Serving, token: str, command: str = "wait") -> str:
    answer = serving.post(f"/api/commands/{command}/runs", "", _bearer(token))
    assert answer.status == 201, answer
    return answer.headers["location"].rpartition("/")[2]


def _log_in(serving: Serving, form: str) -> Answer:
    return serving.post("/login", form, {"Origin": serving.address.rstrip("/")})


def _cookie(answer: Answer) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


def _shared(serving: Serving, token: str, run_id: str, body: bytes = b"") -> str:
    headers = _bearer(token) | ({"Content-Type": "application/json"} if body else {})
    answer = serving.ask(f"/api/runs/{run_id}/share", "POST", body, headers)
    assert answer.status == 201, answer
    return str(msgspec.json.decode(answer.body, type=dict[str, str])["token"])


def _link(serving: Serving, token: str, run_id: str) -> dict[str, str]:
    answer = serving.ask(f"/api/runs/{run_id}/share", "POST", b"", _bearer(token))
    assert answer.status == 201, answer
    return msgspec.json.decode(answer.body, type=dict[str, str])


def _end_link(serving: Serving, token: str, run_id: str, link_id: str | None) -> Answer:
    headers = _bearer(token) | {"Content-Type": "application/json"}
    body = msgspec.json.encode({"id": link_id})
    return serving.ask(f"/api/runs/{run_id}/unshare", "POST", body, headers)


def _status(serving: Serving, method: str, path: str, headers: dict[str, str]) -> int:
    with serving.asking(path, method, b"" if method == "POST" else None, headers) as response:
        return response.status


# Every route


def test_every_route_asks(guarded: Serving, state_dir: Path) -> None:
    """Each route of the table, and each role: whoever may is let in, whoever may not is not, and strangers nowhere.

    Only the files that pages load are everybody's; the login needs them.
    """
    own = _own(state_dir)
    run_id = _start(guarded, own)
    share = _shared(guarded, own, run_id)
    headers = {
        "nobody": {},
        "viewer": _bearer(_token(state_dir, "viewer")),
        "share": _bearer(share),
        "operator": _bearer(_token(state_dir, "operator")),
        "admin": _bearer(own),
    }
    for route in sorted(ROUTES, key=lambda route: (route.path.endswith("/unshare"), route.path.endswith("/stop"))):
        query = QUERIES.get(route.path, "").replace("{run}", run_id)
        path = route.path.replace("{run}", run_id).replace("{command}", "count").replace("{file}", "x.js") + query
        if route.is_file:
            assert _status(guarded, route.method, path, {}) in (200, 404), path
            continue
        action = ACTIONS[f"{route.method} {route.path}"]
        assert route.action == action, path
        for name, sent in headers.items():
            more = SAME | (UPGRADING if route.is_socket else {})
            status = _status(guarded, route.method, path, {**sent, **more})
            if action in ROLES[name]:
                assert status not in (401, 403), (name, route.method, path, status)
            else:
                assert status == (401 if name == "nobody" else 403), (name, route.method, path, status)


def test_metrics_and_health(guarded: Serving, state_dir: Path) -> None:
    """Health is for load balancers, and open; figures are for an admin, or a token for them."""
    scrape = _token(state_dir, "admin", "prometheus", actions=("metrics",))
    assert guarded.ask("/healthz").status == guarded.ask("/readyz").status == 200
    assert guarded.ask("/metrics").status == 401
    assert guarded.ask("/metrics", headers=_bearer(_token(state_dir, "operator"))).status == 403
    assert guarded.ask("/metrics", headers=_bearer(scrape)).status == 200
    assert guarded.ask("/api/runs", headers=_bearer(scrape)).status == 403


def test_the_description_says_how_to_come_in(guarded: Serving, state_dir: Path) -> None:
    """By a token, or a browser's cookie; and each caller is told of what he may start alone."""
    shown = msgspec.json.decode(guarded.ask("/api/openapi.json", headers=_bearer(_own(state_dir))).body)
    assert shown["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    cookie = shown["components"]["securitySchemes"]["session"]
    answer = _log_in(guarded, f"token={_own(state_dir)}")
    assert (cookie["in"], cookie["name"]) == ("cookie", _cookie(answer).partition("=")[0])
    assert shown["security"] == [{"bearer": []}, {"session": []}]
    assert "/api/commands/count/runs" in shown["paths"]
    narrow = _token(state_dir, "operator", "narrow", commands=("wait",))
    other = msgspec.json.decode(guarded.ask("/api/openapi.json", headers=_bearer(narrow)).body)
    assert "/api/commands/wait/runs" in other["paths"]
    assert "/api/commands/count/runs" not in other["paths"]


def test_a_refusal_says_what_to_do(guarded: Serving) -> None:
    """A program gets a problem and a challenge, a browser the way to the login, and back to where it wanted to go."""
    answer = guarded.ask("/api/runs")
    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == 'Bearer realm="tailrace"'
    assert b"log in at /login" in answer.body
    page = guarded.ask("/commands/count?a=b", headers={"Accept": "text/html"})
    assert page.status == 303
    assert parse_qs(urlsplit(page.headers["location"]).query) == {"next": ["/commands/count?a=b"]}
    wrong = guarded.ask("/api/runs", headers=_bearer("x" * 43))
    assert (wrong.status, 'error="invalid_token"' in wrong.headers["www-authenticate"]) == (401, True)


def test_whoever_follows_a_link_of_another_site(guarded: Serving, state_dir: Path) -> None:
    """A browser leaves the session's cookie out then: a page of ours asks again, and leads on whoever is in."""
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}
    answer = guarded.ask("/commands/count", headers=headers)
    assert answer.status == 200
    assert b'content="0; url=/login?next=/commands/count"' in answer.body
    cookie = _cookie(_log_in(guarded, f"token={_own(state_dir)}"))
    led = guarded.ask("/login?next=/commands/count", headers={"Cookie": cookie})
    assert (led.status, led.headers["location"]) == (303, "/commands/count")


def test_a_websocket_without_a_login_is_refused(guarded: Serving, state_dir: Path) -> None:
    """So is one from a page of another site, with whatever it sends."""
    run_id = _start(guarded, _own(state_dir))
    head = f"GET /api/runs/{run_id}/socket HTTP/1.1\r\nHost: localhost\r\n".encode()
    assert raw(guarded, head + UPGRADE + b"\r\n").startswith(b"HTTP/1.1 401 ")
    bearer = f"Authorization: Bearer {_own(state_dir)}\r\nOrigin: https://evil.example\r\n".encode()
    assert raw(guarded, head + UPGRADE + bearer + b"\r\n").startswith(b"HTTP/1.1 403 ")


# Tokens


def test_the_token_is_made_once_and_for_its_owner_alone(guarded: Serving, state_dir: Path) -> None:
    """256 random bits, in a file that nobody else reads; the server does not write it into a log."""
    token = _own(state_dir)
    assert re.fullmatch(r"[\w-]{43}", token)
    for path in (state_dir / "auth").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    guarded.ask(f"/api/runs?token={token}")
    guarded.ask("/api/runs", headers=_bearer(token))
    guarded.stop()
    assert token not in guarded.err()
    assert token not in (Path(guarded._out).read_text())


def test_another_token_puts_out_whoever_has_the_old_one(guarded: Serving, state_dir: Path) -> None:
    """At once, with the sessions that were begun by it."""
    old = _own(state_dir)
    cookie = {"Cookie": _cookie(_log_in(guarded, f"token={old}"))}
    assert guarded.ask("/api/runs", headers=cookie).status == 200
    new = _run("token", "--rotate").stdout.strip()
    assert guarded.ask("/api/runs", headers=_bearer(old)).status == 401
    assert guarded.ask("/api/runs", headers=cookie).status == 401
    assert guarded.ask("/api/runs", headers=_bearer(new)).status == 200


def test_tokens_for_programs(guarded: Serving, state_dir: Path) -> None:
    """One is shown once and kept as a hash, does what it is for, is listed with its last use, and can be revoked."""
    words = ("--name", "CI", "--role", "operator", "--command", "count", "--action", "start", "--action", "view")
    token = _run("token", "create", *words, "--expires", "30d").stdout.strip()
    assert token not in (state_dir / "auth" / "tokens.json").read_text()
    assert "never used" in _run("token", "list").stdout
    run_id = _start(guarded, token, "count")
    run = msgspec.json.decode(guarded.ask(f"/api/runs/{run_id}", headers=_bearer(token)).body, type=dict[str, object])
    assert run["by"] == "token:CI"
    assert guarded.post("/api/commands/wait/runs", "", _bearer(token)).status == 404
    assert guarded.post(f"/api/runs/{run_id}/stop", "", _bearer(token)).status == 403
    other = _start(guarded, _own(state_dir), "wait")
    assert guarded.ask(f"/api/runs/{other}", headers=_bearer(token)).status == 404
    listed = _run("token", "list").stdout
    assert "CI  operator (start, view, command count), until " in listed
    assert "never used" not in listed
    _run("token", "revoke", "CI")
    assert guarded.ask(f"/api/runs/{run_id}", headers=_bearer(token)).status == 401


def test_a_token_that_has_expired(guarded: Serving, state_dir: Path) -> None:
    """It is good no more."""
    token = _token(state_dir, "admin", "old", expires=time.time() - 1)
    assert guarded.ask("/api/runs", headers=_bearer(token)).status == 401


def test_two_credentials_are_none(guarded: Serving, state_dir: Path) -> None:
    """A request that says twice who it is from is not believed."""
    line = f"Authorization: Bearer {_own(state_dir)}\r\n"
    head = "GET /api/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    assert raw(guarded, f"{head}{line}\r\n".encode()).startswith(b"HTTP/1.1 200 ")
    assert raw(guarded, f"{head}{line}{line}\r\n".encode()).startswith(b"HTTP/1.1 401 ")


# Sessions


def test_a_session(guarded: Serving, state_dir: Path) -> None:
    """The cookie is for this site, no script reads it, and what is on the disk does not open anything."""
    answer = _log_in(guarded, f"token={_own(state_dir)}&next=/runs?run=x")
    assert (answer.status, answer.headers["location"]) == (303, "/runs?run=x")
    cookie = answer.headers["set-cookie"]
    assert "; HttpOnly" in cookie
    assert "; SameSite=Strict" in cookie
    secret = _cookie(answer).partition("=")[2]
    kept = "".join(path.name + path.read_text() for path in (state_dir / "auth" / "sessions").iterdir())
    assert kept
    assert secret not in kept
    assert guarded.ask("/api/runs", headers={"Cookie": _cookie(answer)}).status == 200
    assert b"logged in as token, admin" in guarded.ask("/login", headers={"Cookie": _cookie(answer)}).body


@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream"])
def test_a_stream_ends_with_its_session(guarded: Serving, state_dir: Path, kind: str) -> None:
    """Whoever logs out elsewhere, or is put out, is shown no more; another viewer stays."""
    own = _own(state_dir)
    run_id = _start(guarded, own)
    cookie = {"Cookie": _cookie(_log_in(guarded, f"token={own}"))}
    path = f"/api/runs/{run_id}/output"
    with (
        guarded.asking(path, headers={**cookie, "Accept": kind}) as stream,
        guarded.asking(path, headers={**_bearer(own), "Accept": kind}) as other,
    ):
        assert stream.read1()
        assert other.read1()
        guarded.post("/logout", "", {**cookie, "Origin": guarded.address.rstrip("/")})
        wait_for(lambda: has_ended(stream))
        assert guarded.ask(f"/api/runs/{run_id}/stop", "POST", headers=_bearer(own)).status == 202
        assert kind == "text/plain" or b"event: end" in other.read()


@pytest.mark.parametrize("everywhere", ["", "everywhere=1"])
def test_a_replayed_session_after_the_logout(guarded: Serving, state_dir: Path, everywhere: str) -> None:
    """It is over, though its cookie is sent again; from here, or everywhere."""
    first = {"Cookie": _cookie(_log_in(guarded, f"token={_own(state_dir)}"))}
    second = {"Cookie": _cookie(_log_in(guarded, f"token={_own(state_dir)}"))}
    answer = guarded.post("/logout", everywhere, {**first, "Origin": guarded.address.rstrip("/")})
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert guarded.ask("/api/runs", headers=first).status == 401
    assert guarded.ask("/api/runs", headers=second).status == (401 if everywhere else 200)


def test_sessions_outlive_the_server_and_are_every_workers(serve: Serve, state_dir: Path) -> None:
    """They are in the state directory."""
    first = serve(TOKEN_AUTH)
    cookie = {"Cookie": _cookie(_log_in(first, f"token={_own(state_dir)}"))}
    first.stop()
    second = serve(TOKEN_AUTH, "--port", "0", "--workers", "2")
    assert {second.ask("/api/runs", headers=cookie).status for _ in range(8)} == {200}


def test_a_session_made_up(guarded: Serving, state_dir: Path) -> None:
    """No name of a file, and no hash of a session, is one."""
    name, _, secret = _cookie(_log_in(guarded, f"token={_own(state_dir)}")).partition("=")
    (kept,) = (state_dir / "auth" / "sessions").iterdir()
    for value in (kept.name, kept.name[:43], "../token", secret[:-1], secret[:-1] + "\u00e9", "x" * 43, ""):
        assert guarded.ask("/api/runs", headers={"Cookie": f"{name}={value}".encode().decode("latin-1")}).status == 401


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_of_another_site(guarded: Serving, state_dir: Path, path: str, headers: dict[str, str]) -> None:
    """Nobody is logged in, or out, by another site's page, nor where the browser does not say whose it is."""
    cookie = {"Cookie": _cookie(_log_in(guarded, f"token={_own(state_dir)}"))}
    answer = guarded.post(path, f"token={_own(state_dir)}", {**cookie, **headers})
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert guarded.ask("/api/runs", headers=cookie).status == 200


def test_a_cookie_does_not_start_anything_for_another_site(guarded: Serving, state_dir: Path) -> None:
    """Though a browser that ignores SameSite sends it."""
    cookie = {"Cookie": _cookie(_log_in(guarded, f"token={_own(state_dir)}"))}
    for path in ("/api/commands/count/runs", "/commands/count"):
        assert guarded.post(path, "", {**cookie, "Origin": "https://evil.example"}).status == 403


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%0d%0aSet-Cookie:a=b",
        "javascript:alert(1)",
        "/login",
    ],
)
def test_where_a_login_leads(guarded: Serving, state_dir: Path, wanted: str) -> None:
    """To a page of this server, whatever a link says."""
    location = _log_in(guarded, f"token={_own(state_dir)}&next={wanted}").headers["location"]
    assert location == "/"


def test_guesses_are_slowed(guarded: Serving, state_dir: Path) -> None:
    """After some, each has to wait, whichever worker is asked; and the right token too, from there."""
    answers = [_log_in(guarded, "token=wrong") for _ in range(8)]
    assert [answer.status for answer in answers[:4]] == [401] * 4
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert b"Try again in" in answers[-1].body
    assert guarded.ask("/api/runs", headers=_bearer(_own(state_dir))).status == 200


# Users


@pytest.fixture
def team(serve: Serve, state_dir: Path) -> Iterator[Serving]:
    """Give a server with two users, who see their own runs; deploying is for a group."""
    for name, more in (("ann", ("--role", "operator", "--group", "ops")), ("bob", ("--role", "operator"))):
        _run("user", "add", name, *more, stdin=f"{name}'s password\n")
    rules = '[access]\nown_runs_only = true\n[[access.rules]]\ncommands = ["echo"]\nallow = ["group:ops"]\n'
    yield serve(f'auth = "users"\n{rules}')
    assert state_dir.is_dir()


def _as(serving: Serving, name: str) -> dict[str, str]:
    answer = _log_in(serving, f"user={name}&password={name}'s password")
    assert answer.status == 303, answer
    return {"Cookie": _cookie(answer), "Origin": serving.address.rstrip("/")}


def test_users_see_what_is_theirs(team: Serving) -> None:
    """Lists, events and searches have one's own runs; another's is as if it were not there, byte for byte."""
    ann, bob = _as(team, "ann"), _as(team, "bob")
    run_id = team.post("/api/commands/wait/runs", "", ann).headers["location"].rpartition("/")[2]
    for path in ("", "/output", "/lines", "/search?q=a", "/activity"):
        hidden = team.ask(f"/api/runs/{run_id}{path}", headers=bob)
        missing = team.ask(f"/api/runs/{'0' * len(run_id)}{path}", headers=bob)
        assert hidden.status == missing.status == 404
        assert hidden.body.replace(run_id.encode(), b"") == missing.body.replace(b"0" * len(run_id), b"")
    for path in ("stop", "input", "pin", "share", "unshare"):
        assert team.ask(f"/api/runs/{run_id}/{path}", "POST", headers=bob).status == 404
    assert team.ask(f"/api/events?run={run_id}", headers=bob).status == 404
    assert msgspec.json.decode(team.ask("/api/runs", headers=bob).body) == {"runs": [], "next": None, "total": 0}
    assert run_id.encode() in team.ask("/api/runs", headers=ann).body
    assert run_id.encode() not in team.ask("/", headers={**bob, "Accept": "text/html"}).body


def test_a_command_for_a_group(team: Serving) -> None:
    """Others do not see it, and cannot tell it from one that is not there."""
    ann, bob = _as(team, "ann"), _as(team, "bob")
    assert team.post("/api/commands/echo/runs", "", ann).status == 201
    assert team.post("/api/commands/echo/runs", "", bob).status == 404
    assert b'"echo"' not in team.ask("/api/commands", headers=bob).body
    assert team.ask("/commands/echo", headers=bob).status == 404


def test_a_user_who_is_changed_or_removed(team: Serving) -> None:
    """What he may changes at once; with another password, or removed, he is out."""
    ann = _as(team, "ann")
    _run("user", "change", "ann", "--role", "viewer")
    wait_for(lambda: team.post("/api/commands/count/runs", "", ann).status == 403)
    assert team.ask("/api/runs", headers=ann).status == 200
    assert "ops" in _run("user", "list").stdout
    assert "exclude each other" in _run("user", "change", "ann", "--group", "a", "--no-groups", code=2).stderr
    _run("user", "change", "ann", "--no-groups")
    assert "ops" not in _run("user", "list").stdout
    _run("user", "passwd", "ann", stdin="another password\n")
    assert team.ask("/api/runs", headers=ann).status == 401
    bob = _as(team, "bob")
    _run("user", "remove", "bob")
    assert team.ask("/api/runs", headers=bob).status == 401
    assert "bob" not in _run("user", "list").stdout


def test_a_wrong_password_and_an_unknown_user_look_the_same(team: Serving) -> None:
    """Nobody learns which names there are."""
    wrong, unknown = _log_in(team, "user=ann&password=x"), _log_in(team, "user=nobody&password=x")
    assert wrong.status == unknown.status
    assert wrong.body.replace(b'value="ann"', b'value="nobody"') == unknown.body
    assert b"no such user with this password" in wrong.body


def test_passwords_are_kept_as_hashes(team: Serving, state_dir: Path) -> None:
    """By argon2, in a file for its owner alone."""
    assert team.address
    path = state_dir / "auth" / "users.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().count("$argon2id$") == 2
    assert "ann's password" not in path.read_text()


# A proxy


def test_a_proxy_says_who_asks(serve: Serve, state_dir: Path) -> None:
    """If it is trusted; its header counts once, and groups are roles."""
    assert state_dir.is_dir()
    rules = '[access]\ndefault_role = "none"\nroles = { operator = ["dev"], viewer = ["all"] }\n'
    text = (
        f'auth = "proxy"\nuser_header = "X-User"\ngroups_header = "X-Groups"\ntrusted_proxies = ["127.0.0.1"]\n{rules}'
    )
    serving = serve(text)
    dev, viewer = {"X-User": "ann", "X-Groups": "all, dev"}, {"X-User": "bob", "X-Groups": "all"}
    assert serving.post("/api/commands/count/runs", "", dev).status == 201
    assert serving.ask("/api/runs", headers=viewer).status == 200
    assert serving.post("/api/commands/count/runs", "", viewer).status == 403
    assert serving.ask("/api/runs", headers={"X-User": "eve"}).status == 401
    assert serving.ask("/api/runs").status == 401
    twice = b"GET /api/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Groups: dev\r\nX-User: ann\r\n"
    assert raw(serving, twice + b"\r\n").startswith(b"HTTP/1.1 200 ")
    assert raw(serving, twice + b"X-User: bob\r\n\r\n").startswith(b"HTTP/1.1 401 ")


def test_a_header_of_nobody_trusted(serve: Serve, state_dir: Path) -> None:
    """Whoever asks past the proxy is nobody, whatever he says, also of the address that he is at."""
    assert state_dir.is_dir()
    serving = serve('auth = "proxy"\nuser_header = "X-User"\ntrusted_proxies = ["192.0.2.1"]')
    for more in ({}, {"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}):
        answer = serving.ask("/api/runs", headers={"X-User": "root", **more})
        assert answer.status == 401
        assert b"by way of the proxy" in answer.body


# Links


def test_a_link_opens_one_run(guarded: Serving, state_dir: Path) -> None:
    """It becomes a cookie for this run's addresses, and leaves the browser's; it shows, and does nothing."""
    own = _own(state_dir)
    run_id, other = _start(guarded, own), _start(guarded, own)
    token = _shared(guarded, own, run_id)
    answer = guarded.ask(f"/runs/{run_id}?share={token}")
    assert (answer.status, answer.headers["location"]) == (303, run_id)
    with guarded.asking(f"/runs/{run_id}?share={token}") as response:
        cookies = response.headers.get_all("Set-Cookie") or []
    paths = {re.search(r"Path=([^;]+)", cookie)[1] for cookie in cookies}  # type: ignore[index]  # it is there
    assert paths == {f"/runs/{run_id}", f"/api/runs/{run_id}", "/api/events"}
    cookie = {"Cookie": cookies[0].partition(";")[0], **SAME}
    assert guarded.ask(f"/runs/{run_id}", headers=cookie).status == 200
    wait_for(lambda: guarded.ask(f"/api/runs/{run_id}/output?follow=0", headers=cookie).body == b"begun\n")
    assert guarded.ask(f"/api/runs/{other}", headers=cookie).status == 404
    assert _status(guarded, "GET", f"/api/events?run={run_id}&run={other}", cookie) == 404
    assert _status(guarded, "GET", f"/api/events?run={run_id}&list=1", cookie) == 403
    assert guarded.ask("/api/runs", headers=cookie).status == 403
    for path in ("stop", "input", "pin", "share", "unshare"):
        assert guarded.ask(f"/api/runs/{run_id}/{path}", "POST", headers=cookie).status == 403
    assert guarded.post("/api/commands/count/runs", "", cookie).status in (403, 404)


def test_a_link_that_is_not_good(guarded: Serving, state_dir: Path) -> None:
    """Altered, of another run, expired, or from before the secret was replaced: refused, with what to do."""
    own = _own(state_dir)
    run_id, other = _start(guarded, own), _start(guarded, own)
    token = _shared(guarded, own, run_id)
    short = _shared(guarded, own, run_id, b'{"expires": 1}')
    wait_for(lambda: guarded.ask(f"/api/runs/{run_id}", headers=_bearer(short)).status == 401)
    for bad in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "x" + token,
        token[: len(token) // 2],
        short,
        "a.b",
        ".",
    ):
        assert guarded.ask(f"/api/runs/{run_id}", headers=_bearer(bad)).status == 401, bad
        answer = guarded.ask(f"/runs/{run_id}?share={bad}")
        assert answer.status == 403
        assert "set-cookie" not in answer.headers
        assert b"ask whoever sent it" in answer.body
    assert guarded.ask(f"/runs/{other}?share={token}").status == 403
    _run("share", "--revoke-all")
    assert guarded.ask(f"/api/runs/{run_id}", headers=_bearer(token)).status == 401


def test_a_link_from_the_command_line(guarded: Serving, state_dir: Path) -> None:
    """`tailrace share` makes one where the runs are, or at a server that it is known to."""
    own = _own(state_dir)
    run_id = _start(guarded, own)
    here = _run("share", run_id, "--url", guarded.address).stdout.strip()
    assert here.startswith(f"{guarded.address}runs/{run_id}?share=")
    there = _run("share", run_id, "--on", guarded.address, env={"TAILRACE_TOKEN": own}).stdout.strip()
    for link in (here, there):
        assert guarded.ask(link.removeprefix(guarded.address.rstrip("/"))).status == 303


def test_a_link_is_ended_alone(guarded: Serving, state_dir: Path) -> None:
    """By its id, which the list has, and not what opens the run; the others go on, and those of other runs."""
    own = _own(state_dir)
    run_id, other = _start(guarded, own), _start(guarded, own)
    made = [_link(guarded, own, each) for each in (run_id, run_id, other)]
    first, second, third = (link["token"] for link in made)
    answer = guarded.ask(f"/api/runs/{run_id}/shares", headers=_bearer(own))
    listed = msgspec.json.decode(answer.body)["links"]
    assert [each["by"] for each in listed] == ["token", "token"]
    assert {each["id"] for each in listed} == {made[0]["id"], made[1]["id"]}
    assert first.encode() not in answer.body
    with guarded.asking(f"/api/runs/{run_id}/output", headers={**_bearer(first), "Accept": "text/plain"}) as viewer:
        assert viewer.readline() == b"begun\n"
        assert _end_link(guarded, own, run_id, made[0]["id"]).body == b'{"ended":1}'
        with pytest.raises(HTTPException):
            viewer.read()
    statuses = [
        guarded.ask(f"/api/runs/{run}", headers=_bearer(token)).status
        for run, token in ((run_id, first), (run_id, second), (other, third))
    ]
    assert statuses == [401, 200, 200]
    for link_id in (made[0]["id"], made[2]["id"], "../../secret", ""):
        assert _end_link(guarded, own, run_id, link_id).status == 404
    assert _end_link(guarded, own, run_id, None).body == b'{"ended":1}'
    assert guarded.ask(f"/api/runs/{other}", headers=_bearer(third)).status == 200


def test_links_are_listed_and_ended_by_the_command_line(guarded: Serving, state_dir: Path) -> None:
    """Where the runs are, and at a server."""
    own = _own(state_dir)
    run_id = _start(guarded, own)
    there = ("--on", guarded.address)
    env = {"TAILRACE_TOKEN": own}
    for place in ((), there):
        made = _run("share", run_id, *place, env=env)
        link_id = re.search("--end ([0-9a-f]{16})", made.stderr)[1]  # type: ignore[index]  # it is there
        assert f"{link_id}  run {run_id}, made " in _run("share", run_id, "--list", *place, env=env).stdout
        assert "1 link ended" in _run("share", run_id, "--end", link_id, *place, env=env).stderr
        again = _run("share", run_id, "--end", link_id, *place, env=env, code=2).stderr
        assert "hint: " in again
    _run("share", run_id)
    _run("share", run_id)
    assert len(_run("share", "--list").stdout.splitlines()) == 2
    assert "2 links ended" in _run("share", run_id, "--end", "all").stderr
    assert "no links" in _run("share", "--list").stderr


# Clients


def test_a_kept_login(guarded: Serving, state_dir: Path, tmp_path: Path) -> None:
    """`tailrace login` keeps a token that the server takes, and no other; `--token-file` and the environment do too."""
    own, url = _own(state_dir), guarded.address
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert _run("list", "--on", url, env=home, code=2).stderr
    assert _run("login", url, stdin="wrong\n", env=home, code=2).stderr
    _run("login", url, stdin=f"{own}\n", env=home)
    narrow = _run("token", "create", "--name", "prometheus", "--action", "metrics").stdout
    _run("login", url, stdin=narrow, env=home)  # it may nearly nothing, and is good
    _run("login", url, stdin=f"{own}\n", env=home)
    kept = tmp_path / "config" / "tailrace" / "logins.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    _run("list", "--on", url, env=home)
    _run("login", "--forget", url, env=home)
    _run("list", "--on", url, env=home, code=2)
    (tmp_path / "token").write_text(f"{own}\n")
    _run("list", "--on", url, "--token-file", str(tmp_path / "token"), env=home)


def test_any_address_once_callers_are_known(serve: Serve, state_dir: Path) -> None:
    """It listens where it is told to, and says that tokens would go in clear."""
    assert state_dir.is_dir()
    serving = serve('auth = "token"\nhost = "0.0.0.0"')
    assert "in clear" in serving.err()
    assert "tls_certificate" in serving.err()
    assert serving.ask("/api/runs", headers=_bearer(_own(state_dir))).status == 200


def _run(
    *words: str, stdin: str = "", env: dict[str, str] | None = None, code: int = 0
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "tailrace", *words], input=stdin, capture_output=True, text=True, check=False,
        env={**os.environ, **(env or {})}, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    return done


# What one may is told beforehand


def _may(serving: Serving, path: str, headers: dict[str, str]) -> object:
    return msgspec.json.decode(serving.ask(path, headers=headers).body, type=dict[str, object]).get("may")


def test_what_one_may_is_told(guarded: Serving, state_dir: Path) -> None:
    """Of a run, of a command, and of all: what the door would let him do, and no more."""
    own = _own(state_dir)
    run_id, typed = _start(guarded, own), _start(guarded, own, "echo")
    operator, viewer = _bearer(_token(state_dir, "operator")), _bearer(_token(state_dir, "viewer"))
    share = _bearer(_shared(guarded, own, run_id))
    assert _may(guarded, f"/api/runs/{run_id}", operator) == ["view", "stop", "pin", "share"]
    assert _may(guarded, f"/api/runs/{typed}", operator) == ["view", "stop", "input", "pin", "share"]
    assert _may(guarded, f"/api/runs/{run_id}", viewer) == ["view"]
    assert _may(guarded, f"/api/runs/{run_id}", share) == ["view"]
    assert _may(guarded, "/api/commands/count", operator) == ["list", "start"]
    assert _may(guarded, "/api/commands/count", viewer) == ["list"]
    assert _may(guarded, "/api/me", viewer) == ["list", "view"]
    assert _may(guarded, "/api/me", share) == ["view"]


def test_who_one_is_is_told(guarded: Serving, state_dir: Path) -> None:
    """With how he came in, and until when; a stranger learns nothing."""
    own = _own(state_dir)
    run_id = _start(guarded, own)
    share = _shared(guarded, own, run_id, b'{"expires": 3600}')
    told = msgspec.json.decode(guarded.ask("/api/me", headers=_bearer(share)).body, type=dict[str, object])
    assert (told["name"], told["via"], told["sees_all"], told["can_leave"]) == ("share", "share", False, False)
    assert told["until"] is not None
    cookie = {"Cookie": _cookie(_log_in(guarded, f"token={own}"))}
    told = msgspec.json.decode(guarded.ask("/api/me", headers=cookie).body, type=dict[str, object])
    assert (told["role"], told["via"], told["until"], told["can_leave"]) == ("admin", "session", None, True)
    assert guarded.ask("/api/me").status == 401


def test_a_window_that_has_logged_in_says_so(guarded: Serving, state_dir: Path) -> None:
    """At an address of its own, which is for nobody else."""
    assert guarded.ask("/login/back").headers["location"] == "/login?next=/login/back"
    answer = _log_in(guarded, f"token={_own(state_dir)}&next=/login/back")
    assert answer.headers["location"] == "/login/back"
    assert b'id="back"' in guarded.ask("/login/back", headers={"Cookie": _cookie(answer)}).body
    assert _log_in(guarded, f"token={_own(state_dir)}&next=/login/backwards").headers["location"] == "/"
