"""What a proxy says counts only if it is a trusted one; the tests' own address is 127.0.0.1."""

from contextlib import closing
from pathlib import Path

import pytest

import tailrace
from tailrace.core.outcome import Stopped
from tailrace.engine.run import Run
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

TRUSTED = 'trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]'


def _logged(serving: Serving, path: str) -> str:
    """Return the address that the access log has for a path."""
    line = wait_for(lambda: next((each for each in serving.err().splitlines() if f"GET {path} " in each), None))
    assert line is not None
    return line.split(" ")[1]


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
        ({"X-Forwarded-For": "6.6.6.6, 203.0.113.7"}, "203.0.113.7"),
        ({"X-Forwarded-For": "203.0.113.7, 10.1.2.3"}, "203.0.113.7"),
        ({"X-Forwarded-For": "nonsense"}, "127.0.0.1"),
        ({"X-Forwarded-For": "203.0.113.7, nonsense"}, "127.0.0.1"),
        ({"X-Forwarded-For": "203.0.113.7:4711"}, "203.0.113.7"),
        ({"Forwarded": 'for="[2001:db8::1]:4711";proto=https'}, "2001:db8::1"),
        ({"Forwarded": "for=6.6.6.6, for=203.0.113.7"}, "203.0.113.7"),
        ({"Forwarded": "for=_hidden"}, "127.0.0.1"),
        ({"Forwarded": "for=203.0.113.7", "X-Forwarded-For": "6.6.6.6"}, "203.0.113.7"),
        ({}, "127.0.0.1"),
    ],
)
def test_a_trusted_proxy_says_who_asks(serve: Serve, headers: dict[str, str], address: str) -> None:
    """The last address in the list that is no trusted proxy's; what stands before it could be anybody's invention."""
    serving = serve(TRUSTED)
    serving.ask("/healthz", headers=headers)
    assert _logged(serving, "/healthz") == address


def test_who_stopped_a_run_is_the_client_not_the_proxy(serve: Serve, state_dir: Path) -> None:
    """The outcome has the address that a trusted proxy tells."""
    serving = serve(TRUSTED)
    run_id = serving.start("wait")
    answer = serving.ask(f"/api/runs/{run_id}/stop", "POST", headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status == 202
    with closing(tailrace.connect(state_dir)) as engine:
        assert Run(engine, run_id).wait(60).outcome == Stopped("203.0.113.7")


def test_nobody_else_is_believed(serving: Serving) -> None:
    """Without the setting, whatever is sent changes nothing."""
    headers = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Forwarded-Prefix": "/evil"}
    answer = serving.post("/api/commands/count/runs", headers=headers)
    assert answer.headers["location"].startswith("/api/runs/")
    assert " 6.6.6.6 " not in serving.err()


@pytest.mark.parametrize(
    ("prefix", "begin"), [("/ops", "/ops/api"), ("/a/b/", "/a/b/api"), ("//evil", "/api"), ("/a b", "/api")]
)
def test_a_prefix_stands_in_addresses(serve: Serve, prefix: str, begin: str) -> None:
    """Of a trusted proxy, and only one that can be a path here and nothing else."""
    answer = serve(TRUSTED).post("/api/commands/count/runs", headers={"X-Forwarded-Prefix": prefix})
    assert answer.headers["location"].startswith(f"{begin}/runs/")


def test_who_asks_through_the_socket_can_be_trusted(serve: Serve, socket_path: Path) -> None:
    """It has no address; `unix` stands for it."""
    serving = serve('trusted_proxies = ["unix"]', "--uds", str(socket_path))
    serving.ask("/healthz", headers={"X-Forwarded-For": "203.0.113.7"})
    assert _logged(serving, "/healthz") == "203.0.113.7"


def test_viewers_without_an_address_are_not_taken_for_one(serve: Serve, socket_path: Path) -> None:
    """Through a socket that is not trusted nobody knows who they are, so the limit of an address is not theirs."""
    serving = serve("max_viewers_per_address = 1", "--uds", str(socket_path))
    output = f"/api/runs/{serving.start('wait')}/output?format=sse"
    with serving.asking(output) as first, serving.asking(output) as second:
        assert (first.status, second.status) == (200, 200)
