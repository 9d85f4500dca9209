"""A foreign name that leads to this machine: its page is then of the same origin as what it asks (DNS rebinding)."""

from http import HTTPStatus

import pytest

from tests.support.wait import wait_for
from tests.system.security.town import HTML, JSON, MakeTown, refused
from tests.system.server.serving import UPGRADE, raw

NAMES = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost,evil.example",
    "localhost evil.example",
    "xn--localhost",
    "[::1].evil.example",
    "0x7f000001.evil.example",
    "",
)
TOLD = HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize("auth", ["none", "users"])
def test_nothing_is_told_under_a_foreign_name(make_town: MakeTown, auth: str) -> None:
    """Not by the API, the pages, their files, the login, a link, or what is for whoever looks after the server."""
    town = make_town(auth=auth)
    run_id = town.start("count", {} if auth == "none" else town.browser("otto"))
    asked = ["/", "/api/runs", f"/api/runs/{run_id}/output", "/api/events?list=1", "/page/icon.svg", "/nothing"]
    share = f"/runs/{run_id}?share={town.link(run_id)}"
    asked += ["/metrics"] if auth == "none" else ["/login", share]
    with town.unmoved():
        for name in NAMES:
            host = name.format(port=town.serving.port)
            for path in asked:
                answer = town.ask(path, Host=host, X_Forwarded_Host="localhost", Forwarded="host=localhost")
                if path in {"/login", share}:  # pages, whoever asks
                    assert answer.status == TOLD
                else:
                    refused(answer, TOLD)
                assert "set-cookie" not in answer.headers
            answer = town.ask("/api/commands/count/runs", JSON, "POST", b"{}", Host=host, Origin=f"http://{host}")
            refused(answer, TOLD)
            if auth == "users":
                form = b"user=otto&password=the password of otto"
                assert town.ask("/login", HTML, "POST", form, Host=host, Origin=f"http://{host}").status == TOLD


def test_a_websocket_under_a_foreign_name(make_town: MakeTown) -> None:
    """It is of the same origin, and refused all the same."""
    town = make_town(auth="none")
    run_id = town.waiting({})
    head = f"GET /api/runs/{run_id}/socket HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n"
    with town.unmoved():
        assert raw(town.serving, head.encode() + UPGRADE + b"\r\n").startswith(b"HTTP/1.1 421 ")


def test_a_health_check_tells_a_foreign_name_nothing(make_town: MakeTown) -> None:
    """It asks by any name, as load balancers do, and learns that all is well, but not what is wrong in a file."""
    town = make_town(auth="none")
    assert town.ask("/healthz", Host="evil.example").body == b'{"status":"ok"}'
    text = town.serving.file.read_text()
    town.serving.file.write_text(text + "\n[commands.hidden-thing]\nargv = 5\n")
    town.serving.process.send_signal(1)
    wait_for(lambda: b"kept" in town.ask("/readyz").body)
    assert b"hidden-thing" in town.ask("/readyz").body
    assert b"hidden-thing" not in town.ask("/readyz", Host="evil.example").body
