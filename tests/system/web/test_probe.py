"""The timed pieces, and what is told of a request, through Flask's blueprint and through our own server."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tailrace.web.probe import AT_ONCE, LONGEST_S
from tests.support.wait import wait_for
from tests.system.web.mounted import BYTES, Policy, ask, mounted
from tests.system.web.serving import serving
from tests.system.web.sites import Site
from tests.system.web.test_rules import check_problem
from tests.unit.core.wires.event_source import parse

SHORT = "pieces=3&every=0.02&silence=0.05"
LIVE = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


@pytest.fixture
def app(state_dir: Path, policy: Policy) -> Flask:
    """Give the application."""
    return mounted(state_dir, policy)


def numbers(text: str) -> list[int]:
    """Return the numbers of the pieces, in order; each tells when it was sent, none before the one before it."""
    found = re.findall(r"piece (\d+) at (\d+\.\d{3}) s", text)
    times = [float(time) for _number, time in found]
    assert times == sorted(times)
    return [int(number) for number, _time in found]


@pytest.mark.parametrize("wire", ["text", "lines", "sse", "ndjson", "cast"])
def test_pieces_come_on_every_wire(app: Site, wire: str) -> None:
    """Numbered, one more behind the silence, with the headers of every stream."""
    answer = ask(app, f"/ops/api/probe?format={wire}&{SHORT}")
    assert numbers(answer.data.decode()) == [1, 2, 3, 4]
    assert {name: answer.headers[name] for name in LIVE} == LIVE
    assert answer.headers["Tailrace-Probe"] != ask(app, f"/ops/api/probe?{SHORT}").headers["Tailrace-Probe"]


def test_an_event_source_stops_at_the_end(app: Site) -> None:
    """The end has an id, which is answered with 204: the browser does not ask for ever."""
    events = parse(ask(app, f"/ops/api/probe?format=sse&{SHORT}").data)
    assert [event.type for event in events][0::5] == ["state", "end"]
    again = ask(app, f"/ops/api/probe?format=sse&{SHORT}", headers={"Last-Event-ID": events[-1].last_event_id})
    assert (again.status_code, again.data) == (204, b"")


def test_heartbeats_come_in_the_silence(app: Site) -> None:
    """On wires that have them."""
    assert b": \n\n" in ask(app, "/ops/api/probe?format=lines&pieces=1&every=0.02&silence=0.5&heartbeat=0.1").data
    text = ask(app, "/ops/api/probe?format=text&pieces=1&every=0.02&silence=0.5&heartbeat=0.1").data.decode()
    assert re.fullmatch(r"(piece \d at \d\.\d{3} s\n){2}", text)


@pytest.mark.parametrize(
    "query",
    ["pieces=0", "pieces=101", "pieces=x", "every=0", "every=-1", "every=1e3", "silence=181", "pieces=100&every=2",
     "heartbeat=0", "odd=1", "pieces=1&pieces=2"],
)  # fmt: skip
def test_a_probe_is_bounded(app: Site, query: str) -> None:
    """In pieces and time; what means nothing is refused."""
    check_problem(ask(app, f"/ops/api/probe?{query}"), 400)


def test_so_is_how_many_there_are(state_dir: Path, tmp_path: Path) -> None:
    """More are refused until some have ended, or left."""
    assert state_dir.is_dir()
    with serving(tmp_path, "") as port, ExitStack() as stack:
        going = [stack.enter_context(_asking(port, f"/api/probe?silence={LONGEST_S - 10:g}")) for _ in range(AT_ONCE)]
        assert [each.getresponse().status for each in going] == [200] * AT_ONCE
        with _asking(port, f"/api/probe?{SHORT}") as one_more:
            refused = one_more.getresponse()
            assert (refused.status, refused.getheader("Content-Type")) == (429, "application/problem+json")
        going[0].close()

        def is_taken() -> bool:
            with _asking(port, f"/api/probe?{SHORT}") as again:
                return again.getresponse().status == 200

        wait_for(is_taken)


def test_what_is_told_of_a_request(app: Site, policy: Policy) -> None:
    """What the caller sent, as it arrived; headers of proxies by their names alone."""
    headers = {"Range": "bytes=7-", "X-Forwarded-For": "10.1.2.3", "Via": "1.1 proxy"}
    answer = ask(app, "/ops/api/probe/request", method="POST", data=b"abc", kind=BYTES, headers=headers)
    seen = json.loads(answer.data)
    assert (seen["method"], seen["scheme"], seen["host"], seen["prefix"]) == ("POST", "http", "localhost", "/ops")
    assert (seen["range"], seen["last_event_id"], seen["body_bytes"]) == ("bytes=7-", None, 3)
    assert seen["forwarded"] == ["via", "x-forwarded-for"]
    assert "10.1.2.3" not in answer.data.decode()
    policy.refused = {("list", False)}
    check_problem(ask(app, "/ops/api/probe/request"), 403)


@contextmanager
def _asking(port: int, path: str) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path)
        yield connection
