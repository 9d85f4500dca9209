"""Websockets at `tailrace serve`."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import tailrace
from tailrace.core.states import State
from tests.support.wait import wait_for
from tests.system.web.asgi import UPGRADE, asked, opened
from tests.system.web.server import Server

SOCKETS = 50


@pytest.fixture
def server(state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give the server, which has a page of its own to say that it is there."""
    config = tmp_path / "tailrace.toml"
    config.write_text(f'[server]\nauth = "none"\nmax_viewers_per_run = {SOCKETS + 1}\n')
    command = ("-m", "tailrace", "serve", str(config), "--port", "{port}")
    env, ping = {"TAILRACE_STATE": str(state_dir)}, ("/healthz", b'{"status":"ok"}')
    with closing(Server("serve", tmp_path / "serve.log", env, command, ping=ping)) as made:
        yield made


def test_it_leaves_at_once(server: Server, state_dir: Path) -> None:
    """With many open; each is told to come back, nothing of a socket stays behind, and the run goes on."""
    run = tailrace.connect(state_dir).start(["cat"], stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    with opened(server, run.id, at="") as first:
        first.send(type="input", text="x\n")
        first.until_output(b"x\n")
    before = len(server.open_files())
    with ExitStack() as stack:
        clients = [stack.enter_context(opened(server, run.id, at="")) for _ in range(SOCKETS)]
        for client in clients:
            client.until_output(b"x\n")
        os.kill(server.process.pid, signal.SIGTERM)
        assert {client.closed()[0] for client in clients} == {1012}
    wait_for(lambda: server.process.poll() is not None)
    assert run.info().state is State.RUNNING
    server.restart()
    for _ in range(20):
        with opened(server, run.id, at="") as client:
            client.until_output(b"x\n")
            client.socket.send(b"y\n")
            client.until(type="reply")
    wait_for(lambda: len(server.open_files()) <= before + 2)


def test_refusals_are_no_errors_of_the_server(server: Server, state_dir: Path) -> None:
    """They stand in the access log, and nowhere else: whoever is refused could fill the log."""
    run = tailrace.connect(state_dir).start(["sleep", "1000"])
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert asked(server, f"/api/runs/{run.id}/socket", {**UPGRADE, **headers})[0].status in (403, 421)
    wait_for(lambda: server.log().count("/socket ") == 2)
    assert "error" not in server.log()


def test_viewers_are_counted(server: Server, state_dir: Path) -> None:
    """A socket is a viewer like any other: one too many of a run gets 429 instead."""
    run = tailrace.connect(state_dir).start(["sleep", "1000"])
    with ExitStack() as stack:
        for _ in range(SOCKETS + 1):
            stack.enter_context(opened(server, run.id, at="")).until(type="state")
        assert asked(server, f"/api/runs/{run.id}/socket", UPGRADE)[0].status == 429
        response, body = asked(server, "/metrics")
        assert response.status == 200
        assert f'tailrace_viewers{{path="send",wire="websocket"}} {SOCKETS + 1}.0' in body.decode()
