"""Real servers, with curl as the client."""

import hashlib
import json
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

import tailrace
from tailrace import Engine, Query
from tests.support.wait import wait_for
from tests.system.web.gate import gated, query
from tests.system.web.server import Server
from tests.unit.core.wires.event_source import parse

CUT = 18
"""curl's exit code for a transfer that stopped before its end"""


@pytest.fixture
def engine(state_dir: Path) -> Engine:
    """Give the servers' engine, from this process."""
    return tailrace.connect(state_dir)


def curl(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Return what curl got."""
    return subprocess.run(["curl", "-sN", "--max-time", "100", *arguments], capture_output=True, check=False)


class Viewer:
    """A curl that goes on; what it has received is in `file`."""

    def __init__(self, url: str, file: Path, *arguments: str) -> None:
        self.file = file
        self.process = subprocess.Popen(["curl", "-sN", "--max-time", "100", "-o", str(file), *arguments, url])

    def seen(self) -> bytes:
        """Return what has come so far."""
        return self.file.read_bytes() if self.file.exists() else b""

    def leave(self) -> None:
        """Close the connection."""
        self.process.kill()
        self.process.wait()


def test_every_byte_arrives(server: Server) -> None:
    """Bytes of every value, in order, and nothing else; the headers are those of a live stream."""
    script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 40_000)"
    answer = curl("-i", server.url + "/start" + query(["python3", "-c", script]))
    head, _, body = answer.stdout.partition(b"\r\n\r\n")
    assert answer.returncode == 0
    assert hashlib.sha256(body).digest() == hashlib.sha256(bytes(range(256)) * 40_000).digest()
    headers = {line.partition(b":")[0].lower(): line.partition(b": ")[2] for line in head.split(b"\r\n")[1:]}
    assert headers[b"content-type"] == b"text/plain; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store, no-transform"
    assert headers[b"x-accel-buffering"] == b"no"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"transfer-encoding"] == b"chunked"
    assert b"tailrace-run" in headers


def test_headers_come_before_any_output(server: Server, tmp_path: Path) -> None:
    """A silent command's stream has begun all the same."""
    gate, head = tmp_path / "gate", tmp_path / "head"
    viewer = Viewer(server.url + "/start" + query(gated(":", gate, "echo done")), tmp_path / "seen", "-D", str(head))
    wait_for(lambda: head.exists() and b"Tailrace-Run" in head.read_bytes())
    gate.touch()
    assert viewer.process.wait() == 0
    assert viewer.seen() == b"done\n"


def test_silent_commands_hold_up_nobody(server: Server, tmp_path: Path) -> None:
    """Four viewers wait, each sees its line as it is written, and the server answers others meanwhile."""
    gate = tmp_path / "gate"
    viewers = [
        Viewer(server.url + "/start" + query(gated(f"echo {number}", gate, "echo end")), tmp_path / str(number))
        for number in range(4)
    ]
    wait_for(lambda: [viewer.seen() for viewer in viewers] == [b"%d\n" % number for number in range(4)])
    assert curl(server.url + "/ping").stdout == b"pong"
    gate.touch()
    assert [viewer.process.wait() for viewer in viewers] == [0] * 4
    assert [viewer.seen() for viewer in viewers] == [b"%d\nend\n" % number for number in range(4)]


@pytest.mark.parametrize("wire", ["text", "lines"])
def test_who_leaves_a_silent_command_is_let_go(
    server: Server, engine: Engine, state_dir: Path, tmp_path: Path, wire: str
) -> None:
    """The server closes what it held for the viewer, though nothing is written; the run goes on to its end."""
    gate = tmp_path / "gate"
    asked = query(gated("echo one", gate, "echo two"), format=wire)
    viewer = Viewer(server.url + "/start" + asked, tmp_path / "seen")
    wait_for(lambda: b"one\n" in viewer.seen())
    [run] = engine.list(Query()).runs
    output = str(state_dir / "runs" / run.id / "output")
    assert output in server.open_files()
    viewer.leave()
    wait_for(lambda: output not in server.open_files())
    gate.touch()
    wait_for(lambda: engine.get(run.id).is_finished)
    assert curl(f"{server.url}/watch/{run.id}").stdout == b"one\ntwo\n"
    assert "Traceback" not in server.log()


def test_a_killed_server_leaves_half_a_text_that_shows_it(server: Server, engine: Engine, tmp_path: Path) -> None:
    """Curl fails, the run goes on, and the next server gives the rest to who asks from the last byte."""
    gate = tmp_path / "gate"
    viewer = Viewer(server.url + "/start" + query(gated("seq 5", gate, "seq 6 9")), tmp_path / "seen")
    wait_for(lambda: viewer.seen() == b"1\n2\n3\n4\n5\n")
    server.kill()
    assert viewer.process.wait() == CUT
    gate.touch()
    [run] = engine.list(Query()).runs
    server.restart()
    rest = curl(f"{server.url}/watch/{run.id}?from={len(viewer.seen())}")
    assert (rest.returncode, rest.stdout) == (0, b"6\n7\n8\n9\n")


@pytest.mark.parametrize("wire", ["text", "lines", "ndjson"])
def test_missing_bytes_never_look_complete(server: Server, wire: str) -> None:
    """Of an output that was truncated, text gives what there is and is cut; the other wires tell, and end properly."""
    answer = curl(f"{server.url}/limited?format={wire}")
    assert answer.returncode == (CUT if wire == "text" else 0)
    if wire == "text":
        assert len(answer.stdout) == 1000
        assert answer.stdout.startswith(b"1\n2\n3\n")
    elif wire == "lines":
        assert [event.type for event in parse(answer.stdout)][-2:] == ["gap", "end"]
    else:
        assert [line.partition(b",")[0] for line in answer.stdout.splitlines()][-2:] == [
            b'{"type":"gap"',
            b'{"type":"end"',
        ]
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("argv", [["nosuchprogram"], ["sh", "-c", "echo begun; kill -9 $PPID; sleep 1000"]])
def test_what_never_ran_or_was_lost_is_no_whole_text(server: Server, engine: Engine, argv: list[str]) -> None:
    """A text of a command that did not start, or whose keeper was killed, is cut: while it goes, and afterwards."""
    address = f"{server.url}/start?argv={quote(json.dumps(argv))}"
    live = curl(address)
    run_id = engine.list(Query()).runs[0].id
    late = curl(f"{server.url}/watch/{run_id}")
    told = curl(f"{server.url}/watch/{run_id}?format=ndjson")
    assert (live.returncode, late.returncode, told.returncode) == (CUT, CUT, 0)
    assert live.stdout == late.stdout
    assert json.loads(told.stdout.splitlines()[-1])["outcome"]["kind"] in ("failed_to_start", "lost")


@pytest.mark.parametrize("wire", ["text", "lines", "ndjson"])
def test_a_broken_output_never_looks_complete(server: Server, engine: Engine, state_dir: Path, wire: str) -> None:
    """The output's file has lost its end: the wires that can tell do, text is cut."""
    run = engine.start(["seq", "100"])
    run.wait(60)
    output = state_dir / "runs" / run.id / "output"
    output.write_bytes(output.read_bytes()[:30])
    answer = curl(f"{server.url}/watch/{run.id}?format={wire}&from=1")
    assert answer.returncode == (CUT if wire == "text" else 0)
    assert (b"shorter than recorded" in answer.stdout) == (wire != "text")


def test_bytes_that_are_no_header_start_nothing(server: Server, engine: Engine) -> None:
    """A Last-Event-ID with a NUL, or as long as a page: 4xx, and no run."""
    for value in (b"a\0b", b"x" * 10_000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=100) as connection:
            path = ("/start" + query(["true"])).encode()
            connection.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %b\r\n\r\n" % (path, value))
            assert connection.recv(13)[:10] == b"HTTP/1.1 4"
    assert engine.list(Query()).runs == ()


def test_a_pipelined_request_ends_nothing(server: Server, engine: Engine, tmp_path: Path) -> None:
    """A client that has sent more already is still there."""
    gate = tmp_path / "gate"
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=100) as connection,
        connection.makefile("rb") as file,
    ):
        path = ("/start" + query(gated("echo one", gate, "echo two"))).encode()
        connection.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ping HTTP/1.1\r\n" % path)
        while b"one" not in file.readline():
            pass
        gate.touch()
        while b"two" not in file.readline():
            pass
    assert len(engine.list(Query()).runs) == 1


FORKING = """
import os, sys
from flask import Flask
from tailrace.flask import Tailrace
race = Tailrace(Flask("forking"))
before = race.engine
before.start(["true"]).wait(60)
pid = os.fork()
if pid == 0:
    is_own = race.engine is not before and race.engine is race.engine
    os._exit(0 if is_own and race.engine.start(["echo", "hi"]).wait(60).size == 3 else 1)
assert race.engine is before
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.usefixtures("state_dir")
def test_a_forked_process_has_its_own_engine() -> None:
    """What a parent has opened, its child opens anew; both go on to work."""
    assert subprocess.run([sys.executable, "-c", FORKING], check=False).returncode == 0
