import pytest

from tests.system.server.conftest import Serve

OURS = "https://ops.example"
ALLOW = f'cors_origins = ["{OURS}"]'
FOREIGN = ("https://evil.example", "https://ops.example.evil", "http://ops.example", "https://ops.example:8443", "null")


def test_a_listed_origin_may_read(serve: Serve) -> None:
    """It may see an output, and what it needs of the headers, never with the user's credentials."""
    serving = serve(ALLOW)
    run_id = serving.start("count")
    answer = serving.ask(f"/api/runs/{run_id}/output", headers={"Origin": OURS})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == OURS
    assert answer.headers["vary"] == "Origin"
    assert "tailrace-run" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_a_preflight_allows_what_a_reconnecting_viewer_sends(serve: Serve) -> None:
    """GET, and the headers to resume by; nothing that changes anything."""
    headers = {"Origin": OURS, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    answer = serve(ALLOW).ask("/api/runs", "OPTIONS", headers=headers)
    assert answer.status == 204
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert {"last-event-id", "range"} <= set(answer.headers["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_others_may_not(serve: Serve, origin: str, method: str) -> None:
    """Their browsers are told nothing, and so keep the answer from them."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = serve(ALLOW).ask("/api/runs", method, headers=headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_without_a_list_nobody_may(serve: Serve) -> None:
    """It is off by default."""
    answer = serve().ask("/api/runs", headers={"Origin": OURS})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_listed_origin_may_not_change_anything(serve: Serve) -> None:
    """Reading is all that it was given."""
    serving = serve(ALLOW)
    assert serving.post("/api/commands/count/runs", headers={"Origin": OURS}).status == 403
    assert serving.ask("/api/runs").body == b'{"runs":[],"next":null,"total":0}'
