"""Sessions that are sent again, brought along, or begun to lead somewhere else.

Logging out, another password, another role, a removed user, and a session's files are in
`tests/system/server/test_access.py`.
"""

from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.wait import wait_for
from tests.system.security.town import HTML, MakeTown, Town, has_ended, refused

EVIL = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "%09//evil.example",
    "%20//evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "%6aavascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "evil.example",
    "@evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/%00",
    "/%22onload=%22",
    "/logout",
    "/login?next=//evil.example",
    "/" + "a" * 600,
    "/\u2215evil.example",
)


@pytest.mark.parametrize("wanted", EVIL)
def test_a_login_leads_to_no_other_place(town: Town, wanted: str) -> None:
    """Neither the form, nor the page for who is in already, nor the form that is shown again."""
    form = f"user=otto&password=the password of otto&next={wanted}"
    answer = town.serving.ask(
        "/login",
        "POST",
        form.encode(),
        {"Content-Type": "application/x-www-form-urlencoded", "Origin": town.origin},
    )
    assert (answer.status, answer.headers["location"]) == (303, "/")
    quoted = "".join(char if char.isascii() else "%E2%88%95" for char in wanted)
    seen = town.ask(f"/login?next={quoted.replace(chr(92), '%5C')}", {**town.cookie("otto"), **HTML})
    assert (seen.status, "location" in seen.headers) == (200, False)
    shown = town.ask(f"/login?next={quoted.replace(chr(92), '%5C')}", HTML)
    assert b'name="next" value="/"' in shown.body
    assert b"evil" not in shown.body


def test_a_session_that_was_brought_along(town: Town) -> None:
    """A login begins a session of its own, whatever cookie the browser had: nobody waits in one that he has set."""
    mine = town.cookie("olga")["Cookie"]
    name = mine.partition("=")[0]
    form = "user=otto&password=the password of otto"
    for cookie in (f"{name}={'x' * 43}", mine):
        answer = town.serving.post("/login", form, {"Origin": town.origin, "Cookie": cookie})
        assert answer.status == 303
        given = answer.headers["set-cookie"].partition(";")[0]
        assert given not in {cookie, mine}
        assert b"logged in as otto" in town.ask("/login", {"Cookie": given}).body
        assert b"logged in as otto" not in town.ask("/login", {"Cookie": cookie}).body
    town._sessions.pop("olga")


def test_a_session_of_another_server(town: Town, make_town: MakeTown) -> None:
    """Servers share a host's cookies, and no sessions: of each it has another name, and is in another directory."""
    other = make_town()
    name, _, secret = town.cookie("anna")["Cookie"].partition("=")
    their_name = other.cookie("anna")["Cookie"].partition("=")[0]
    assert name != their_name
    for cookie in (f"{name}={secret}", f"{their_name}={secret}"):
        refused(other.ask("/api/runs", {"Cookie": cookie}), 401)


def _is_closed(socket: ClientConnection) -> bool:
    with suppress(TimeoutError, ConnectionClosed):
        socket.recv(0.1)
    return socket.close_code is not None


@pytest.mark.parametrize("how", ["logout", "removed", "password"])
def test_what_goes_on_ends_with_the_session(make_town: MakeTown, how: str) -> None:
    """A stream, the events of many runs, and a websocket, which can do nothing any more either."""
    town = make_town()
    otto, run_id = town.browser("otto"), town.waiting(town.browser("otto"))
    url = f"ws://127.0.0.1:{town.serving.port}/api/runs/{run_id}/socket"
    with (
        town.serving.asking(f"/api/runs/{run_id}/output", headers=otto) as output,
        town.serving.asking(f"/api/events?list=1&run={run_id}", headers=otto) as events,
        connect(url, additional_headers=otto, proxy=None) as socket,
    ):
        if how == "logout":
            assert town.serving.post("/logout", "", otto).status == 303
        elif how == "removed":
            town.users.remove("otto")
        else:
            town.users.change("otto", password="another password")
        wait_for(lambda: has_ended(output))
        wait_for(lambda: has_ended(events))
        wait_for(lambda: _is_closed(socket))
    with town.unmoved():
        refused(town.ask(f"/api/runs/{run_id}/stop", otto, "POST", b""), 401)
    info = town.engine.get(run_id)
    assert (info.is_finished, info.size) == (False, 0)


def test_a_cookie_says_what_browsers_are_to_do(town: Town) -> None:
    """No script reads it, no other site sends it, and over TLS it is for this host alone, and never sent in clear."""
    flags = town.log_in("otto").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(flags.split("; "))
    assert "Domain" not in flags
    assert town.log_in("otto").headers["cache-control"] == "no-store"


def test_a_cookie_over_tls(make_town: MakeTown) -> None:
    """As a trusted proxy says that the browser asked."""
    town = make_town('trusted_proxies = ["127.0.0.1"]')
    form = "user=otto&password=the password of otto"
    answer = town.serving.post("/login", form, {"Sec-Fetch-Site": "same-origin", "X-Forwarded-Proto": "https"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-tailrace-")
    assert "; Secure" in cookie
    assert "Path=/;" in cookie
    refused(town.ask("/api/runs", {"Cookie": cookie.partition(";")[0]}), 401)
