"""The examples for ASGI frameworks, under a real server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tailrace import Query, connect
from tailrace.core.errors import TailraceError
from tests.support.wait import wait_for
from tests.system.article.quick import quick_sleep
from tests.system.web.server import ROOT
from tests.system.web.test_servers import CUT, Viewer, curl
from tests.unit.core.wires.event_source import parse

NUMBERS = "".join(f"{number}\n" for number in range(100)).encode()
UVICORN = ("uvicorn", "--port", "0")
HYPERCORN = ("hypercorn", "--workers", "0", "--bind", "127.0.0.1:0")
EXAMPLES = {
    "asgi": (*UVICORN, "app:application"),
    "starlette": (*UVICORN, "app:app"),
    "fastapi": (*UVICORN, "app:app"),
    "quart": (*HYPERCORN, "app:app"),
    "litestar": (*UVICORN, "app:app"),
    "django_asgi": (*UVICORN, "app:application"),
}
EACH = pytest.mark.parametrize("example", EXAMPLES)
Serve = Callable[[str], str]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give the server's log."""
    return tmp_path / "log"


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path, log: Path) -> Iterator[Serve]:
    """Give what serves an example, and returns its address."""
    env = {**os.environ, "TAILRACE_STATE": str(state_dir), "PATH": quick_sleep(tmp_path)}
    servers = []

    def start(example: str) -> str:
        with log.open("wb") as file:
            command = [sys.executable, "-m", *EXAMPLES[example]]
            directory = ROOT / "examples" / example
            servers.append(subprocess.Popen(command, cwd=directory, env=env, stdout=file, stderr=file))
        found = wait_for(lambda: re.findall(r"[Rr]unning on (http://127\.0\.0\.1:\d+)", log.read_text()))
        return str(found[0])

    yield start
    for server in servers:
        server.terminate()
        server.wait()
    print(log.read_text())  # noqa: T201 (pytest shows it when the test fails)


@EACH
def test_an_example(serve: Serve, tmp_path: Path, state_dir: Path, log: Path, example: str) -> None:
    """Lines come one by one; a reconnect resumes; HEAD starts nothing; another address is none of ours."""
    url = serve(example)
    viewer = Viewer(url + "/stream", tmp_path / "seen")
    wait_for(lambda: viewer.seen().startswith(b"0\n1\n"))
    assert viewer.process.poll() is None
    assert viewer.process.wait(60) == 0
    assert viewer.seen() == NUMBERS
    events = [event for event in parse(curl(url + "/stream?format=lines").stdout) if event.type == "message"]
    assert [event.data for event in events] == NUMBERS.decode().split()
    rest = curl("-H", f"Last-Event-ID: {events[89].last_event_id}", url + "/stream?format=lines").stdout
    assert [event.data for event in parse(rest) if event.type == "message"] == NUMBERS.decode().split()[90:]
    ended = parse(rest)[-1].last_event_id
    assert b"204" in curl("-i", "-H", f"Last-Event-ID: {ended}", url + "/stream").stdout.splitlines()[0]
    head = curl("-I", url + "/stream").stdout.splitlines()
    assert b"200" in head[0]
    assert b"content-type: text/plain; charset=utf-8" in [line.lower() for line in head]
    refused = curl(url + "/stream?format=gif")
    assert json.loads(refused.stdout)["status"] == 406
    assert len(connect(state_dir).list(Query()).runs) == 2
    assert curl("--fail", url + "/elsewhere").returncode == 22
    assert "Traceback" not in log.read_text()


@EACH
def test_a_viewer_that_leaves(serve: Serve, tmp_path: Path, state_dir: Path, log: Path, example: str) -> None:
    """It is noticed though the command is silent, nothing of it stays, and the run goes on without it."""
    url = serve(example)
    engine = connect(state_dir)
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    viewer = Viewer(f"{url}/ops/api/runs/{run.id}/output", tmp_path / "seen")
    wait_for(lambda: viewer.seen() == b"one\n")
    stream = Viewer(url + "/stream", tmp_path / "stream")
    wait_for(stream.seen)
    [pid] = _holders(state_dir)
    viewer.leave()
    stream.leave()
    wait_for(lambda: _holders(state_dir) == set())
    run.send(b"\n")
    assert run.wait(60).size == 8
    assert pid
    wait_for(lambda: all(info.is_finished for info in engine.list(Query()).runs))
    assert curl(f"{url}/ops/api/runs/{run.id}/output").stdout == b"one\ntwo\n"
    assert "Traceback" not in log.read_text()


def _holders(state_dir: Path) -> set[int]:
    """Return the pids of the server's processes that have an output open."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            link = str(entry.readlink())
            name = (entry.parents[1] / "cmdline").read_bytes()
        except OSError:
            continue
        is_server = b"uvicorn" in name or b"hypercorn" in name
        if is_server and link.startswith(f"{state_dir}/runs/") and link.endswith("/output"):
            found.add(int(entry.parts[2]))
    return found


@EACH
def test_the_api(serve: Serve, state_dir: Path, example: str) -> None:
    """It is mounted under a prefix: runs are listed, taken input for, stopped; other sites change nothing."""
    url = serve(example)
    engine = connect(state_dir)
    run = engine.start(["cat"], stdin=True)
    api = f"{url}/ops/api/runs"
    assert [row["id"] for row in json.loads(curl(api).stdout)["runs"]] == [run.id]
    kind = ("-H", "Content-Type: application/octet-stream", "--data-binary")
    assert b" 204" in curl("-i", *kind, "hello", f"{api}/{run.id}/input?close=1").stdout.splitlines()[0]
    assert curl(f"{api}/{run.id}/output").stdout == b"hello"
    run.wait(60)
    assert b" 403" in curl("-i", "-XPOST", "-H", "Origin: http://evil", f"{api}/{run.id}/stop").stdout.splitlines()[0]
    assert json.loads(curl("-XPOST", f"{api}/{run.id}/stop").stdout)["outcome"]["kind"] == "exited"
    assert json.loads(curl(f"{url}/ops/nothing").stdout)["status"] == 404


@EACH
def test_a_text_that_is_cut(serve: Serve, state_dir: Path, tmp_path: Path, example: str) -> None:
    """Of a run that was lost, nobody takes the text for whole."""
    url = serve(example)
    run = connect(state_dir).start(["sh", "-c", "echo begun; read go; kill -9 $PPID; sleep 1000"], stdin=True)
    viewer = Viewer(f"{url}/ops/api/runs/{run.id}/output", tmp_path / "seen")
    wait_for(lambda: viewer.seen() == b"begun\n")
    with suppress(TailraceError):  # the keeper is killed before it can answer
        run.send(b"\n")
    assert viewer.process.wait(60) == CUT
    assert viewer.seen() == b"begun\n"
