"""Pages of other sites, in the browser of somebody who is logged in."""

import json

import pytest

from tests.system.security.town import HTML, JSON, Town, refused
from tests.system.server.serving import FORM, UPGRADE, raw

FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "an old browser": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "a file": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    "without a port": {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-site"},
    "localhost": {"Origin": "http://localhost:{port}", "Sec-Fetch-Site": "cross-site"},
    "a name around ours": {"Origin": "http://127.0.0.1:{port}.evil.example"},
    "ours as a user's name": {"Origin": "http://127.0.0.1:{port}@evil.example"},
    "no Origin, another site": {"Sec-Fetch-Site": "cross-site"},
    "no Origin, another port": {"Sec-Fetch-Site": "same-site"},
}
EACH = pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)


def _headers(town: Town, foreign: dict[str, str]) -> dict[str, str]:
    sent = {name: value.format(port=town.serving.port) for name, value in foreign.items()}
    return {**town.cookie("otto"), **sent}


@EACH
def test_a_form_or_fetch_of_another_origin(town: Town, foreign: dict[str, str]) -> None:
    """It starts, stops, types, pins and shares nothing, as form, text or JSON, though the session's cookie comes."""
    run_id = town.waiting(town.browser("otto"))
    evil = _headers(town, foreign)
    bodies = ((b"a=b", FORM), (b'{"parameters": {}}', "text/plain"), (b'{"parameters": {}}', JSON["Content-Type"]))
    with town.unmoved():
        for path in ("/api/commands/count/runs", "/api/commands/count/runs?format=sse", "/commands/count"):
            for body, kind in bodies:
                refused(town.ask(path, evil, "POST", body, Content_Type=kind), 403)
        for what in ("stop", "input", "pin", "unpin", "share"):
            words = refused(town.ask(f"/api/runs/{run_id}/{what}", evil, "POST", b""), 403)
            assert "page of this site" in words
        for what, form in (("stop", "now=1"), ("input", "line=x")):
            answer = town.ask(f"/runs/{run_id}/{what}", {**evil, **HTML}, "POST", form.encode(), Content_Type=FORM)
            assert answer.status == 403
    assert town.engine.get(run_id).size == 0


@EACH
def test_a_websocket_of_another_origin(town: Town, foreign: dict[str, str]) -> None:
    """It is not opened, though browsers let any page open one, and send the cookie."""
    run_id = town.waiting(town.browser("otto"))
    for path in (f"/api/runs/{run_id}/socket", "/api/probe/socket"):
        lines = [f"{name}: {value}" for name, value in _headers(town, foreign).items()]
        head = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{town.serving.port}", *lines, ""])
        with town.unmoved():
            answer = raw(town.serving, head.encode() + UPGRADE + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 403 "), answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["hint"]


def test_another_origin_reads_nothing(town: Town) -> None:
    """Neither a preflight nor an answer lets its scripts look; what they can embed is never taken for a script."""
    run_id = town.start("count", town.browser("otto"))
    evil = {"Origin": "https://evil.example"}
    asking = {**evil, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for path in ("/api/commands/count/runs", f"/api/runs/{run_id}/output", "/login"):
        answer = town.ask(path, asking, "OPTIONS")
        assert answer.status in {401, 405}
        assert not [name for name in answer.headers if name.startswith("access-control")]
    for path in ("/api/runs", f"/api/runs/{run_id}", f"/api/runs/{run_id}/output", "/", "/api/commands"):
        answer = town.ask(path, {**evil, **town.cookie("otto")})
        assert answer.status == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_get_starts_nothing(town: Town) -> None:
    """So a link, an image or a prefetch cannot; neither can a GET that claims to be a POST."""
    claims = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-HTTP-Method": "POST"}
    with town.unmoved():
        for path in ("/api/commands/count/runs", "/commands/count?_method=POST&n=5", "/api/commands/count?n=5"):
            for method in ("GET", "HEAD"):
                assert town.ask(path, {**town.cookie("otto"), **claims}, method).status in {200, 405}
