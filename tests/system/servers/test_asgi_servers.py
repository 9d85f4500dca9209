"""What every ASGI server must do, each really started."""

import hashlib
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tailrace import Engine, Query
from tailrace.core.errors import TailraceError
from tests.support.wait import wait_for
from tests.system.servers.asgi_kinds import ASGI_KINDS, AsgiKind
from tests.system.web.gate import gated, query
from tests.system.web.server import ROOT, Server
from tests.system.web.test_servers import CUT, Viewer, curl
from tests.system.web.test_stalled import stall, unsent


@pytest.fixture(params=ASGI_KINDS)
def kind(request: pytest.FixtureRequest) -> AsgiKind:
    """Give each kind of server."""
    return ASGI_KINDS[request.param]


@pytest.fixture
def server(kind: AsgiKind, state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give a server of the kind."""
    env = {"TAILRACE_STATE": str(state_dir), "PYTHONPATH": str(ROOT)}
    with closing(Server("server", tmp_path / "server.log", env, kind.command)) as server:
        yield server


def test_every_byte_arrives_by_the_right_path(server: Server, kind: AsgiKind) -> None:
    """Bytes of every value, in order; only our own server lends its transport."""
    script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 40_000)"
    answer = curl(server.url + "/start" + query(["python3", "-c", script]))
    assert answer.returncode == 0
    assert hashlib.sha256(answer.stdout).digest() == hashlib.sha256(bytes(range(256)) * 40_000).digest()
    assert json.loads(curl(server.url + "/served").stdout) == {kind.path: 1}


def test_a_silent_command(server: Server, kind: AsgiKind, engine: Engine, tmp_path: Path) -> None:
    """Headers come at once, output when it is written, and others are answered meanwhile."""
    gate, head = tmp_path / "gate", tmp_path / "head"
    asked = server.url + "/start" + query(gated(":", gate, "echo done"))
    viewer = Viewer(asked, tmp_path / "seen", "-D", str(head))
    if kind.sends_headers_first:
        wait_for(lambda: head.exists() and b"tailrace-run" in head.read_bytes().lower())
    assert curl(server.url + "/ping").stdout == b"pong"
    gate.touch()
    assert (viewer.process.wait(), viewer.seen()) == (0, b"done\n")
    assert len(engine.list(Query()).runs) == 1


@pytest.mark.parametrize("wire", ["text", "lines"])
def test_who_leaves_is_let_go(server: Server, engine: Engine, state_dir: Path, tmp_path: Path, wire: str) -> None:
    """Though the command is silent; the log has no traceback of it."""
    run = engine.start(["sh", "-c", "echo one; read go"], stdin=True)
    viewer = Viewer(f"{server.url}/watch/{run.id}?format={wire}", tmp_path / "seen")
    wait_for(lambda: b"one\n" in viewer.seen())
    output = str(state_dir / "runs" / run.id / "output")
    assert output in server.open_files()
    viewer.leave()
    wait_for(lambda: output not in server.open_files())
    assert "Traceback" not in server.log()


def test_a_cut_shows(server: Server, engine: Engine, tmp_path: Path) -> None:
    """The text of a run that is lost is not taken for whole."""
    run = engine.start(["sh", "-c", "echo begun; read go; kill -9 $PPID; sleep 1000"], stdin=True)
    viewer = Viewer(f"{server.url}/watch/{run.id}", tmp_path / "seen")
    wait_for(lambda: viewer.seen() == b"begun\n")
    with suppress(TailraceError):  # the keeper is killed before it can answer
        run.send(b"\n")
    assert viewer.process.wait() == CUT


def test_a_stop_ends_event_streams(server: Server, kind: AsgiKind, engine: Engine, tmp_path: Path) -> None:
    """At once, where the server shows that it is stopping; they resume at the next one."""
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    viewer = Viewer(f"{server.url}/watch/{run.id}?format=lines", tmp_path / "seen")
    wait_for(lambda: b"data: one\n" in viewer.seen())
    server.process.send_signal(signal.SIGTERM)
    if not kind.is_told:  # it ends in its own time
        viewer.leave()
        return
    assert viewer.process.wait(15) == 0
    server.process.wait(15)
    assert b"event: end" not in viewer.seen()


def test_who_takes_nothing_costs_little(server: Server, kind: AsgiKind, engine: Engine) -> None:
    """The server holds little for it, and the kernel no more than is said."""
    run = engine.start(["sh", "-c", f"head -c {64 << 20} /dev/zero"])
    run.wait(60)
    curl("-o", "/dev/null", f"{server.url}/watch/{run.id}?stream=stdout")
    before = server.private_bytes()
    with closing(stall(server, f"/watch/{run.id}?stream=stdout")) as peer:
        other = curl("-o", "/dev/null", "-w", "%{size_download}", f"{server.url}/watch/{run.id}?stream=stdout")
        assert int(other.stdout) == 64 << 20
        assert unsent(server.port, peer) <= kind.held_bytes
        assert server.private_bytes() - before < 16 << 20


def test_http_1_0(server: Server, kind: AsgiKind, engine: Engine) -> None:
    """A client of that age gets the output alone from our server; uvicorn sends it chunks."""
    run = engine.start(["seq", "3"])
    run.wait(60)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as peer, peer.makefile("rb") as file:
        peer.sendall(f"GET /watch/{run.id}?stream=stdout HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        body = file.read().partition(b"\r\n\r\n")[2]
    if kind.path == "lent":
        assert body == b"1\n2\n3\n"
    assert b"1\n2\n3\n" in body
