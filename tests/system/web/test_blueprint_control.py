"""The API: acting on runs."""

import json
import select
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

import tailrace
from tailrace import Engine
from tailrace.core.outcome import Cancelled, Exited, Stopped
from tailrace.core.states import State
from tailrace.engine.run import Run
from tailrace.host.messages import INPUT_BYTES
from tailrace.web.routes import control
from tests.support.wait import wait_for
from tests.system.web.conftest import Mount
from tests.system.web.mounted import BYTES, JSON, Policy, ask, mounted, post
from tests.system.web.server import COMMANDS, Server
from tests.system.web.sites import FlaskSite, Site
from tests.system.web.test_rules import check_problem


@pytest.fixture
def app(mount: Mount, policy: Policy) -> Site:
    """Give the application."""
    return mount(policy)


def running(engine: Engine, *argv: str) -> Run:
    """Return a run of ann's that takes input, when it runs."""
    run = engine.start(argv, by="ann", stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    return run


def send(app: Site, run: Run, data: bytes, query: str = "", kind: str | None = BYTES) -> int:
    """Return the status that input gets; a problem is seen to be one."""
    response = ask(app, f"/ops/api/runs/{run.id}/input{query}", method="POST", data=data, kind=kind)
    if response.status_code >= 400:
        check_problem(response, response.status_code)
    return response.status_code


@pytest.mark.parametrize("fields", [None, {}, {"now": False}, {"now": True}])
def test_stop(app: Site, engine: Engine, fields: object) -> None:
    """202 and the run, which then ends as stopped by who asked; afterwards, 200 and the run as it ended."""
    run = running(engine, "sleep", "1000")
    response = post(app, f"/ops/api/runs/{run.id}/stop", fields)
    assert (response.status_code, json.loads(response.data)["id"]) == (202, run.id)
    assert run.wait(60).outcome == Stopped("ann")
    again = post(app, f"/ops/api/runs/{run.id}/stop")
    assert (again.status_code, json.loads(again.data)["outcome"]) == (200, {"kind": "stopped", "by": "ann"})


def test_who_stops_is_told_while_it_lasts(app: Site, engine: Engine) -> None:
    """The run that is being stopped says who asked, and by which signals; the first who asks counts."""
    run = engine.start(
        ["sh", "-c", "trap '' INT; echo ready; while :; do sleep 0.1; done"], by="ann", ladder=[("INT", 100)]
    )
    next(run.follow())
    post(app, f"/ops/api/runs/{run.id}/stop")
    wait_for(lambda: run.info().ladder)
    shown = json.loads(ask(app, f"/ops/api/runs/{run.id}").data)
    assert (shown["state"], shown["stopped_by"], shown["outcome"]) == ("stopping", "ann", None)
    assert [(step["signal"], step["processes"] > 0) for step in shown["ladder"]] == [("INT", True)]
    assert shown["spec"]["ladder"] == [{"signal": "INT", "seconds": 100.0}]
    run.stop(by="bob", now=True)
    info = run.wait(60)
    assert (info.outcome, info.stopped_by) == (Stopped("ann"), None)


def test_without_users_the_address_says_who_stopped(mount: Mount, engine: Engine) -> None:
    """Of a run that goes, and of one that waits."""
    app = mount(lambda _action, _run: True)
    going = running(engine, "sleep", "1000")
    keyed = engine.start(["sleep", "1000"], key="k")
    waiting = engine.start(["sleep", "1000"], key="k", when_busy="queue")
    for run in (waiting, keyed, going):
        assert ask(app, f"/ops/api/runs/{run.id}/stop", method="POST", user=None).status_code in (200, 202)
        assert run.wait(60).outcome in (Stopped("127.0.0.1"), Cancelled("127.0.0.1"))


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b'{"now": true, "force": 1}', JSON, 400),
        (b'{"now": "yes"}', JSON, 400),
        (b'{"by": "root"}', JSON, 400),
        (b"[]", JSON, 400),
        (b"{", JSON, 400),
        (b"\xff", JSON, 400),
        (b'{"now": true}', None, 415),
        (b'{"now": true}', "text/json", 415),
        (b'{"now": true}', BYTES, 415),
        (b" " * 20_000, JSON, 413),
        (b"x" * 1_000_000, JSON, 413),
    ],
)
@pytest.mark.parametrize("what", ["stop", "pin", "unpin"])
def test_a_body_that_is_not_taken(
    app: Site, engine: Engine, what: str, data: bytes, *, kind: str | None, status: int
) -> None:
    """Unknown fields, other types and long bodies are refused, and nothing is done."""
    run = running(engine, "sleep", "1000")
    check_problem(ask(app, f"/ops/api/runs/{run.id}/{what}", method="POST", data=data, kind=kind), status)
    info = run.info()
    assert (info.state, info.ladder, info.pinned) == (State.RUNNING, (), False)


def test_pin_and_unpin(app: Site, engine: Engine) -> None:
    """The answer is the run, as it is then; also when it is finished."""
    run = engine.start(["true"], by="ann")
    run.wait(60)
    for what, pinned in (("pin", True), ("pin", True), ("unpin", False), ("unpin", False)):
        response = post(app, f"/ops/api/runs/{run.id}/{what}")
        assert (response.status_code, json.loads(response.data)["pinned"]) == (200, pinned)
        assert run.info().pinned is pinned


def test_input(app: Site, engine: Engine) -> None:
    """The bytes as they are, in order, then the end."""
    run = running(engine, "cat")
    every = bytes(range(256))
    assert send(app, run, every) == 204
    assert send(app, run, b"x" * INPUT_BYTES) == 204
    assert send(app, run, b"last", "?close=1") == 204
    assert b"".join(chunk.data for chunk in run.follow()) == every + b"x" * INPUT_BYTES + b"last"
    assert run.wait(60).outcome == Exited(0)
    assert send(app, run, b"more") == 409


def test_the_end_of_input_alone(app: Site, engine: Engine) -> None:
    """`close=1` needs no body."""
    run = running(engine, "cat")
    assert send(app, run, b"", "?close=1", None) == 204
    assert run.wait(60).outcome == Exited(0)


@pytest.mark.parametrize(
    ("data", "query", "kind", "status"),
    [
        (b"", "", BYTES, 400),
        (b"", "", None, 400),
        (b"", "?close=0", None, 400),
        (b"x", "?close=2", BYTES, 400),
        (b"x", "?close=", BYTES, 400),
        (b"x", "?end=1", BYTES, 400),
        (b"x", "?close=1&close=1", BYTES, 400),
        (b"x", "", None, 415),
        (b"x", "", JSON, 415),
        (b"x" * (INPUT_BYTES + 1), "", BYTES, 413),
    ],
)
def test_input_that_is_not_taken(
    app: Site, engine: Engine, data: bytes, query: str, *, kind: str | None, status: int
) -> None:
    """None of it reaches the command."""
    run = running(engine, "cat")
    assert send(app, run, data, query, kind) == status
    assert send(app, run, b"", "?close=1") == 204
    assert run.wait(60).size == 0


def test_a_limit_of_the_application_counts_too(state_dir: Path) -> None:
    """A body that Flask refuses is refused with a problem document like ours."""
    made = mounted(state_dir, Policy())
    made.config["MAX_CONTENT_LENGTH"] = 100
    app = FlaskSite(made)
    run = running(app.engine, "cat")
    assert send(app, run, b"x" * 200) == 413
    assert send(app, run, b"x" * 50, "?close=1") == 204
    assert run.wait(60).size == 50


def test_input_for_a_run_that_takes_none(app: Site, engine: Engine) -> None:
    """409 says how to start it."""
    run = engine.start(["sleep", "1000"], by="ann")
    wait_for(lambda: run.info().state is State.RUNNING)
    assert send(app, run, b"x") == 409


def test_input_that_the_command_does_not_take(
    app: Site, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202: it lies ready, further input is refused meanwhile, the run can be stopped; it gets there when it is read."""
    monkeypatch.setattr(control, "PATIENCE_S", 3.0)  # enough to reach the keeper
    gate = tmp_path / "gate"
    run = running(engine, "sh", "-c", 'until [ -e "$0" ]; do sleep 0.02; done; cat', str(gate))
    run.send(b"A" * INPUT_BYTES)  # as much as the pipe takes
    assert send(app, run, b"B" * INPUT_BYTES) == 202
    assert send(app, run, b"C") == 409
    gate.touch()
    wait_for(lambda: run.info().size == 2 * INPUT_BYTES)
    wait_for(lambda: send(app, run, b"", "?close=1") == 204)
    assert b"".join(chunk.data for chunk in run.follow()) == b"A" * INPUT_BYTES + b"B" * INPUT_BYTES


def test_a_body_in_chunks(server: Server, state_dir: Path) -> None:
    """A real server's body without a length is taken, or refused, like any other."""
    engine = tailrace.connect(state_dir)
    run = engine.start(["cat"], stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)

    def status(parts: list[bytes], query: str = "") -> int:
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            path = f"/ops/api/runs/{run.id}/input{query}"
            connection.request("POST", path, iter(parts), {"Content-Type": BYTES}, encode_chunked=True)
            return connection.getresponse().status

    assert status([b"y" * 1000] * (INPUT_BYTES // 1000 + 1)) == 413
    assert status([b"some ", b"input"], "?close=1") == 204
    assert b"".join(chunk.data for chunk in run.follow()) == b"some input"
    engine.close()


PYWSGI = """
import sys
from gevent.pywsgi import WSGIServer
from tests.system.web.served import make_app
WSGIServer(("127.0.0.1", int(sys.argv[1])), make_app()).serve_forever()
"""
"""gevent's own server, that patches nothing"""


@pytest.mark.parametrize("kind", ["gevent", "pywsgi", "gthread"])
def test_waiting_input_holds_nobody_up(
    serve: Callable[[str], Server], state_dir: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """While one caller's input is not taken, others are served, be it by greenlets of one thread, patched or not."""
    monkeypatch.setitem(COMMANDS, "pywsgi", ("-c", PYWSGI, "{port}"))
    server = serve(kind)
    engine = tailrace.connect(state_dir)
    run = engine.start(["sleep", "1000"], stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    run.send(b"x" * INPUT_BYTES)  # as much as the pipe takes

    def connected() -> closing[HTTPConnection]:
        return closing(HTTPConnection("127.0.0.1", server.port, timeout=60))

    def status(method: str, path: str) -> int:
        with connected() as connection:
            connection.request(method, path)
            return connection.getresponse().status

    with connected() as pushing:
        pushing.request("POST", f"/ops/api/runs/{run.id}/input", b"x" * INPUT_BYTES, {"Content-Type": BYTES})
        assert status("GET", "/ping") == 200
        assert status("GET", f"/ops/api/runs/{run.id}") == 200
        assert select.select([pushing.sock], [], [], 0)[0] == []  # nothing has been answered yet
        assert status("POST", f"/ops/api/runs/{run.id}/stop") == 202
        run.wait(60)
        assert pushing.getresponse().status in (202, 409)  # which one is a matter of how busy this machine is
    engine.close()
