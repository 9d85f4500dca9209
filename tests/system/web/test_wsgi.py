"""Without Flask: a plain WSGI application and a Django view, under a real server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tailrace import Query, connect
from tailrace.wsgi import Refused, Tailrace
from tests.support.wait import wait_for
from tests.system.article.quick import quick_sleep
from tests.system.web.server import ROOT
from tests.system.web.test_servers import Viewer, curl
from tests.unit.core.wires.event_source import parse

NUMBERS = "".join(f"{number}\n" for number in range(100)).encode()
EXAMPLES = ("wsgi", "django")


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Give what serves an example, and returns its address."""
    env = {**os.environ, "TAILRACE_STATE": str(state_dir), "PATH": quick_sleep(tmp_path)}
    log = tmp_path / "log"
    servers = []

    def start(example: str) -> str:
        options = ("--no-control-socket", "--threads", "16", "--bind", "127.0.0.1:0", "app:application")
        with log.open("wb") as file:
            command = [sys.executable, "-m", "gunicorn", *options]
            directory = ROOT / "examples" / example
            servers.append(subprocess.Popen(command, cwd=directory, env=env, stdout=file, stderr=file))
        return str(wait_for(lambda: re.findall(r"Listening at: (http://127\.0\.0\.1:\d+)", log.read_text()))[0])

    yield start
    for server in servers:
        server.terminate()
        server.wait()


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example(serve: Callable[[str], str], tmp_path: Path, state_dir: Path, example: str) -> None:
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
    assert b"200" in curl("-I", url + "/stream").stdout.splitlines()[0]
    assert len(connect(state_dir).list(Query()).runs) == 2
    assert curl("--fail", url + "/elsewhere").returncode == 22


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_viewer_that_leaves(serve: Callable[[str], str], tmp_path: Path, state_dir: Path, example: str) -> None:
    """It is noticed; the run goes on without it."""
    url = serve(example)
    viewer = Viewer(url + "/stream", tmp_path / "seen")
    wait_for(viewer.seen)
    viewer.leave()
    [run] = connect(state_dir).list(Query()).runs
    wait_for(lambda: connect(state_dir).get(run.id).is_finished)
    assert connect(state_dir).get(run.id).size == len(NUMBERS)


def test_what_is_refused_is_a_problem(state_dir: Path) -> None:
    """Of another site, of no wire, of no command: a document with a hint, and nothing is started."""
    race = Tailrace(state_dir=state_dir)
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/run", "HTTP_HOST": "here.example"}
    foreign = {**environ, "HTTP_ORIGIN": "https://elsewhere.example"}
    answers = [
        race.stream(foreign, ["true"]),
        race.stream({**environ, "QUERY_STRING": "format=gif&format=text"}, ["true"]),
        race.stream(environ, "0" * 27),
    ]
    assert [answer.status for answer in answers] == [403, 406, 404]
    for answer in answers:
        assert json.loads(b"".join(answer.body))["hint"]
    with pytest.raises(Refused) as refused:
        race.start(foreign, ["true"])
    assert refused.value.answer.status == 403
    assert race.engine.list(Query()).runs == ()
    assert race.start(environ, ["true"]).wait(60).by is None
