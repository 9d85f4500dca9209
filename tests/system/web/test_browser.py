"""Chromium's own EventSource."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tailrace
from tailrace import Query
from tests.support.wait import wait_for
from tests.system.web.gate import gated, query
from tests.system.web.server import Server

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
)
DEADLINE_S = 90.0


@pytest.fixture
def browse(state_dir: Path, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Give what opens a page; the browser, and all its processes, end with the test's state directory."""
    browsers = []
    env = {**os.environ, "TAILRACE_STATE": str(state_dir)}

    def open_page(url: str) -> None:
        command = ["chromium", *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", url]
        with (tmp_path / "chromium.log").open("wb") as log:
            browsers.append(subprocess.Popen(command, env=env, stdout=log, stderr=log))

    yield open_page
    for browser in browsers:
        browser.terminate()
        try:
            browser.wait(20)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()


@pytest.mark.parametrize("kind", ["werkzeug", "gthread"])
def test_a_browser_sees_every_line_once_across_a_restart(
    serve: Callable[[str], Server],
    browse: Callable[[str], None],
    state_dir: Path,
    reports: Path,
    kind: str,
) -> None:
    """The server is killed half way and comes back: no line is missing or twice, one run, and the browser stops."""
    gate = reports / "gate"
    server = serve(kind)
    browse(server.url + "/page" + query(gated("seq 20; echo half", gate, "seq 21 40")))
    wait_for((reports / "half").exists, DEADLINE_S)
    server.kill()
    gate.touch()
    engine = tailrace.connect(state_dir)
    wait_for(lambda: all(run.is_finished for run in engine.list(Query()).runs))
    server.restart()
    wait_for((reports / "done").exists, DEADLINE_S)
    report = json.loads((reports / "done").read_bytes())
    assert report == {"seen": [*map(str, range(1, 21)), "half", *map(str, range(21, 41))], "ended": 1}
    [run] = engine.list(Query()).runs
    half = len("".join(f"{number}\n" for number in range(1, 21)) + "half\n")
    assert (reports / "requests").read_text().splitlines() == [
        "GET /start '-'",
        f"GET /start '{run.id}/{half}'",
        f"GET /start '{run.id}/{run.size}/end'",
    ]
