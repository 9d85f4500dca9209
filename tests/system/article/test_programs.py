"""Each program serves what its first lines say."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.wait import wait_for
from tests.system.article.quick import quick_sleep
from tests.system.web.server import ROOT
from tests.system.web.test_servers import Viewer, curl
from tests.unit.core.wires.event_source import parse

PROGRAMS = ROOT / "examples" / "article"
MOST_LINES = 25
Serve = Callable[[str], str]
FLASK = ("flask", "--app", "{name}", "run", "--port", "0")
GUNICORN = ("gunicorn", "--no-control-socket", "--bind", "127.0.0.1:0", "-k", "gevent", "{name}:app")
AT_ITS_OWN_SPEED = ("interval", "python_child")


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path) -> Iterator[Serve]:
    """Give what starts a program and returns its address; seconds are short for what it runs."""
    own_env = {**os.environ, "TAILRACE_STATE": str(state_dir)}
    quick_env = {**own_env, "PATH": quick_sleep(tmp_path)}
    servers = []

    def start(name: str) -> str:
        log = tmp_path / f"{name}.log"
        argv = [part.format(name=name) for part in (GUNICORN if name == "worker" else FLASK)]
        env = own_env if name in AT_ITS_OWN_SPEED else quick_env
        with log.open("wb") as file:
            servers.append(
                subprocess.Popen([sys.executable, "-m", *argv], cwd=PROGRAMS, env=env, stdout=file, stderr=file)
            )
        urls = wait_for(lambda: re.findall(r"(?:Running on|Listening at:) (http://127\.0\.0\.1:\d+)", log.read_text()))
        return str(urls[0])

    yield start
    for server in servers:
        server.send_signal(signal.SIGKILL)
        server.wait()


def numbers(count: int) -> bytes:
    """Return the numbers from 0 on, a line each."""
    return "".join(f"{number}\n" for number in range(count)).encode()


@pytest.mark.parametrize("program", sorted(path.name for path in PROGRAMS.glob("*.py")))
def test_programs_are_short(program: str) -> None:
    """None is longer than the article's own."""
    assert len((PROGRAMS / program).read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("program", ["simple", "python_child", "events"])
def test_lines_come_one_by_one(serve: Serve, tmp_path: Path, program: str) -> None:
    """The first lines are there long before the last, and in the end all are."""
    viewer = Viewer(serve(program) + "/stream", tmp_path / "seen")
    wait_for(lambda: viewer.seen().startswith(b"0\n1\n"))
    assert viewer.process.poll() is None
    if program in AT_ITS_OWN_SPEED:
        viewer.leave()
    else:
        assert viewer.process.wait(60) == 0
        assert viewer.seen() == numbers(100)


def test_the_interval_message(serve: Serve, tmp_path: Path) -> None:
    """It comes in the silence, and the output after it."""
    viewer = Viewer(serve("interval") + "/stream", tmp_path / "seen")
    first, last = "working", "done"
    assert viewer.process.wait(60) == 0
    lines = viewer.seen().decode().splitlines()
    assert [line for line in lines if line != "*** Interval"] == [first, last]
    assert "*** Interval" in lines[lines.index(first) :]


def test_viewers_at_once_in_one_unpatched_worker(serve: Serve, tmp_path: Path) -> None:
    """Under gevent, as it is: each viewer has its first lines before the others have their last."""
    url = serve("worker")
    viewers = [Viewer(url + "/stream", tmp_path / f"seen-{number}") for number in range(3)]
    wait_for(lambda: all(viewer.seen().startswith(b"0\n1\n") for viewer in viewers))
    assert [viewer.process.poll() for viewer in viewers] == [None] * 3
    assert [viewer.process.wait(60) for viewer in viewers] == [0] * 3
    assert {viewer.seen() for viewer in viewers} == {numbers(100)}


def test_a_parameter_from_the_url(serve: Serve) -> None:
    """A number within bounds, or an error; nothing else gets to the command."""
    url = serve("parameter")
    assert curl(f"{url}/count/3").stdout == b"1\n2\n3\n"
    for wrong in ("0", "1001", "-1", "3;id", "x", ""):
        assert b"Traceback" not in curl(f"{url}/count/{wrong}").stdout
        assert curl("--fail", f"{url}/count/{wrong}").returncode == 22


def test_one_endless_command_for_many(serve: Serve, tmp_path: Path) -> None:
    """All see one run, the late one too."""
    url = serve("shared")
    first = Viewer(url + "/clock", tmp_path / "first")
    wait_for(lambda: first.seen().count(b"\n") >= 3)
    late = Viewer(url + "/clock", tmp_path / "late")
    wait_for(lambda: late.seen().count(b"\n") >= 5)
    shared = min(len(first.seen()), len(late.seen()))
    assert first.seen()[:shared] == late.seen()[:shared]
    for viewer in (first, late):
        viewer.process.kill()
        viewer.process.wait()


def test_go_on_where_one_left_off(serve: Serve, tmp_path: Path) -> None:
    """Curl's own resuming, while the run is live and when it has ended: no byte twice, none missing."""
    url = serve("resume")
    run_id = curl("-X", "POST", f"{url}/runs").stdout.decode().strip()
    log = tmp_path / "log"
    viewer = Viewer(f"{url}/runs/{run_id}", log)
    wait_for(lambda: viewer.seen().count(b"\n") >= 5)
    viewer.process.kill()
    viewer.process.wait()

    def is_whole() -> bool:
        curl("-C", "-", "-o", str(log), f"{url}/runs/{run_id}")
        assert numbers(100).startswith(log.read_bytes())
        return log.read_bytes() == numbers(100)

    wait_for(is_whole)


def test_a_button_runs_once(serve: Serve) -> None:
    """Reloading only watches; neither HEAD nor another site's form starts anything."""
    url = serve("once")
    assert b'method="post"' in curl(url).stdout
    answer = curl("-X", "POST", "-D", "-", "-o", "/dev/null", f"{url}/runs").stdout.decode()
    location = re.findall(r"Location: (\S+)", answer)[0]
    for _ in range(2):
        assert curl(url + location).stdout == b"1\n2\n3\n4\n5\n"
    refused = curl("-X", "POST", "-H", "Origin: https://elsewhere.example", f"{url}/runs")
    assert json.loads(refused.stdout)["status"] == 403
    assert b" 405 " in curl("-I", f"{url}/runs").stdout.splitlines()[0]


def test_streams_and_text_are_shown_properly(serve: Serve) -> None:
    """Each piece says which stream it is of; text is text, whatever its bytes."""
    url = serve("streams")
    pieces = [json.loads(event.data) for event in parse(curl(f"{url}/stream").stdout) if event.type == "output"]
    assert "".join(piece["text"] for piece in pieces if piece["stream"] == "stdout") == (
        "Grüße, 世界\ncaf\ufffd\n<b>done</b>\n"
    )
    assert "does-not-exist" in "".join(piece["text"] for piece in pieces if piece["stream"] == "stderr")


def test_several_commands_in_one_stream(serve: Serve) -> None:
    """Each line under its label, and how they ended."""
    lines = curl("-X", "POST", serve("group") + "/build").stdout.decode().splitlines()
    assert [line for line in lines if line.startswith("api: ")] == ["api: compiling", "api: linked"]
    assert [line for line in lines if line.startswith("page: ")] == ["page: bundling", "page: no such file"]
    assert lines[-1] == "{'api': 0, 'page': 3}"
