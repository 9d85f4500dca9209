"""The audit of a real server, and how it is read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

import tailrace
from tailrace.audit.reading import entries, requests
from tailrace.core.states import State
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving
from tests.system.web.asgi import Client

AUDIT = '[audit]\nfile = "audit.jsonl"\n'


@pytest.fixture
def audited(serve: Serve, tmp_path: Path) -> Serving:
    """Give a server of two workers, which records."""
    assert tmp_path.is_dir()
    return serve(AUDIT, "--workers", "2", "--port", "0")


@pytest.fixture
def file(audited: Serving, tmp_path: Path) -> Path:
    """Give where it records."""
    assert audited.process.poll() is None
    (found,) = tmp_path.glob("server-*/audit.jsonl")
    return found


def shown(file: Path, *args: str) -> list[str]:
    """Return the lines of `tailrace audit`."""
    argv = [sys.executable, "-m", "tailrace", "audit", str(file.parent / "tailrace.toml"), *args]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_is_shown_and_filtered(audited: Serving, file: Path) -> None:
    """A line for each request, by whichever worker: who, from where, what, and how it was answered."""
    run_id = audited.start("count", "n=5")
    other = audited.start("wait")
    assert audited.ask(f"/api/runs/{other}/stop", "POST").status == 202
    assert audited.ask(f"/api/runs/{other}/stop", "POST", headers={"Origin": "http://evil.example"}).status == 403
    assert audited.ask("/api/runs", headers={"Host": "evil.example"}).status == 421
    first, second, third, fourth, fifth = shown(file)
    assert f"127.0.0.1  start count n=5 {run_id}  201" in first
    assert f"start wait {other}  201" in second
    assert f"stop {other}  202" in third
    assert "403: a page of another site asked for this" in fourth
    assert "421: this is not 'evil.example'" in fifth
    assert shown(file, "--refused") == [fourth, fifth]
    assert shown(file, "--run", run_id[:20]) == [first]
    assert shown(file, "--action", "stop", "--since", "1h") == [third, fourth]
    assert shown(file, "--command", "wait", "-n", "1") == [second]
    assert shown(file, "--until", "1h") == shown(file, "--who", "ann") == []
    (line,) = shown(file, "--json", "--run", run_id)
    assert json.loads(line)["parameters"] == {"n": 5}


def test_what_a_websocket_does_is_on_record(audited: Serving, file: Path) -> None:
    """Each stop and signal, and that something was typed, once a session."""
    run = tailrace.connect().start(["cat"], stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    address = audited.address.replace("http", "ws")
    with connect(f"{address}api/runs/{run.id}/socket", subprotocols=["tailrace.v1"], proxy=None) as socket:  # type: ignore[list-item]  # a NewType of theirs
        client = Client(socket)
        for _ in range(3):
            client.send(type="input", text="x\n")
            client.until(type="reply")
        client.send(type="stop")
        client.until(type="reply")
    found = [(entry.action, entry.run, entry.allowed, entry.status) for entry in requests(entries(file))]
    assert found == [("input", run.id, True, 204), ("stop", run.id, True, 204)]


def reloads(file: Path) -> list[str]:
    """Return by whom the files were read again."""
    return [each.via for each in entries(file) if each.action == "reload"]


def test_a_reload_names_its_worker(audited: Serving, file: Path) -> None:
    """Each has its own line."""
    audited.file.write_text(audited.file.read_text() + '\n[commands.fresh]\nargv = ["true"]\n')
    wait_for(lambda: len(reloads(file)) > 1)
    found = reloads(file)
    assert len(set(found)) == 2
    assert all(via.startswith("worker ") for via in found)


def test_strangers_take_few_lines(audited: Serving, file: Path) -> None:
    """What they are refused beyond that is told by its number, at the latest when the server ends."""
    for _ in range(60):
        assert audited.ask("/api/runs", headers={"Host": "evil.example"}).status == 421
    assert audited.stop() == 0
    found = list(entries(file))
    assert sum(each.count for each in found) == 60
    assert len(found) <= 22
    assert any("(" in line and "times)" in line for line in shown(file, "--refused"))


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    """With what to write into the file."""
    config = tmp_path / "tailrace.toml"
    config.write_text("[server]\n")
    argv = [sys.executable, "-m", "tailrace", "audit", str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "records nothing" in done.stderr
    assert "[audit]" in done.stderr


def test_a_place_that_cannot_be_written_is_told_at_the_start(tmp_path: Path, state_dir: Path) -> None:
    """The server does not begin."""
    assert state_dir.is_dir()
    config = tmp_path / "tailrace.toml"
    config.write_text('[audit]\nfile = "nowhere/audit.jsonl"\n')
    argv = [sys.executable, "-m", "tailrace", "serve", str(config), "--port", "0"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "the audit cannot be written" in done.stderr
