"""Requests that a proxy and this server could read in two ways, and addresses that could lead past the door.

Lengths, codings, folded and doubled headers, bare line ends and what comes behind an upgrade are in
`tests/system/server/test_bad_input.py`.
"""

import re

import pytest

from tests.system.security.town import Town
from tests.system.server.serving import raw

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def _post(town: Town, *lines: str, body: bytes = b"") -> bytes:
    cookie = town.cookie("otto")["Cookie"]
    head = ("POST /api/commands/count/runs HTTP/1.1", "Host: localhost", f"Cookie: {cookie}", *lines, "", "")
    return "\r\n".join(head).encode() + body


@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: chunked;q=1",),
        ("Transfer-Encoding:\x0bchunked",),
        ("Transfer-Encoding: chunked", "Content-Length: 0"),
        ("Transfer_Encoding: chunked", "Content-Length: 5x"),
        ("Content-Length: 0x5",),
        ("Content-Length: 5 5",),
        ("Content-Length: 1_0",),
        ("Content-Length:",),
        ("X: y", " Transfer-Encoding: chunked", "Content-Length: 5"),
    ],
    ids=str,
)
def test_a_body_of_two_lengths(town: Town, lines: tuple[str, ...]) -> None:
    """It is refused, whoever is logged in, and what stands in it is no request."""
    town.cookie("otto")
    with town.unmoved():
        answer = raw(town.serving, _post(town, *lines, body=b"0\r\n\r\n" + HIDDEN))
    assert _statuses(answer) == [400], answer


def test_trailers_say_nothing(town: Town) -> None:
    """Neither who asks, nor how long the body was."""
    trailers = f"Cookie: {town.cookie('otto')['Cookie']}\r\nContent-Length: 100\r\nHost: evil.example\r\n"
    head = b"POST /api/commands/count/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    close = b"Connection: close\r\n\r\n"
    with town.unmoved():
        answer = raw(town.serving, head + close + b"2\r\n{}\r\n0\r\n" + trailers.encode() + b"\r\n")
    assert _statuses(answer) in ([401], [400])


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("GET http://evil.example/api/runs HTTP/1.1", "Host: localhost"),
        ("GET http://localhost/api/runs HTTP/1.1", "Host: evil.example"),
        ("GET http://localhost@evil.example/api/runs HTTP/1.1", "Host: localhost"),
        ("GET https://localhost:1/api/runs HTTP/1.1", "Host: localhost"),
        ("GET //evil.example/api/runs HTTP/1.1", "Host: localhost"),
        ("GET api/runs HTTP/1.1", "Host: localhost"),
        ("GET localhost:80 HTTP/1.1", "Host: localhost"),
        ("OPTIONS * HTTP/1.1", "Host: localhost"),
        ("GET /api/runs HTTP/1.0", "Host: localhost\r\nHost: evil.example"),
        ("GET /api/runs HTTP/1.1", "Host: localhost\r\n evil.example"),
        ("GET /api/runs HTTP/1.1", "Host : localhost"),
    ],
)
def test_two_hosts(town: Town, line: str, host: str) -> None:
    """A request that names two servers, in its target and its header or twice in that, is for neither."""
    cookie = town.cookie("anna")["Cookie"]
    answer = raw(town.serving, f"{line}\r\n{host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode())
    assert answer
    assert not set(_statuses(answer)) & {200, 303}, answer
    assert b'"runs"' not in answer


def test_a_target_with_our_own_name(town: Town) -> None:
    """As clients of proxies write it, is an ordinary one (RFC 9112, 3.2.2)."""
    cookie = town.cookie("anna")["Cookie"]
    line = "GET http://LOCALHOST/api/runs?limit=1 HTTP/1.1\r\nHost: localhost\r\n"
    answer = raw(town.serving, f"{line}Cookie: {cookie}\r\nConnection: close\r\n\r\n".encode())
    assert _statuses(answer) == [200], answer


@pytest.mark.parametrize(
    "path",
    [
        "//api/runs",
        "/./api/runs",
        "/page/../api/runs",
        "/page/..%2fapi/runs",
        "/page/%2e%2e/api/runs",
        "/healthz/../api/runs",
        "/healthz/..;/api/runs",
        "/healthz%00/api/runs",
        "/login/../api/runs",
        "/login%2f..%2fapi%2fruns",
        "/API/RUNS",
        "/api/runs/",
        "/api//runs",
        "/api%2fruns",
        "/api/runs%20",
        "/api/runs;a=b",
        "/api/runs.json",
        "/api/runs%3f",
        "/metrics/",
        "/metrics%2f",
        "/%6detrics",
        "/\\api\\runs",
    ],
)
def test_other_ways_to_write_an_address(town: Town, path: str) -> None:
    """None leads past the login: a path is taken as it is, once decoded, or not at all."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Original-URL: /healthz\r\nX-Rewrite-URL: /healthz\r\n"
    answer = raw(town.serving, f"{head}Connection: close\r\n\r\n".encode())
    assert _statuses(answer)[0] in {400, 401, 404}, answer
    assert b'"runs"' not in answer
    assert b"tailrace_runs" not in answer


@pytest.mark.parametrize("method", ["TRACE", "DELETE", "PUT", "PATCH", "PROPFIND", "POST"])
def test_other_methods(town: Town, method: str) -> None:
    """They do nothing, and repeat nothing of what was sent."""
    run_id = town.waiting(town.browser("otto"))
    with town.unmoved():
        for path in (f"/api/runs/{run_id}", "/api/runs", f"/api/runs/{run_id}/output"):
            answer = town.ask(path, town.browser("otto"), method)
            assert answer.status == 405
            assert b"tailrace-" not in answer.body


def test_headers_of_a_proxy_that_is_none(town: Town) -> None:
    """Nobody is at another address, or another, by what he says himself; with `_` for `-` neither."""
    for name in ("X-Forwarded-User", "X_Forwarded_User", "Remote-User", "X-Forwarded-For", "Forwarded", "X-Real-IP"):
        head = f"GET /api/runs HTTP/1.1\r\nHost: localhost\r\n{name}: anna\r\nConnection: close\r\n\r\n"
        assert _statuses(raw(town.serving, head.encode())) == [401]
    answer = town.ask("/", {"Accept": "text/html"}, X_Forwarded_Prefix="//evil.example", X_Forwarded_Proto="https")
    assert answer.headers["location"].startswith("/login?")
    town.ask("/api/runs/1", X_Forwarded_For="203.0.113.9", Forwarded="for=203.0.113.9")
    assert "203.0.113.9" not in town.serving.err()
