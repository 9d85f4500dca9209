"""The article's page, in Chromium."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import tailrace
from tailrace import Query
from tests.support.browser import DEADLINE_S
from tests.support.wait import wait_for
from tests.system.article.quick import quick_sleep
from tests.system.web.server import ROOT

CLOSED = "2"
"""EventSource.readyState"""


def test_the_page_across_a_restart(state_dir: Path, tmp_path: Path, browse: Callable[[str], None]) -> None:
    """Every number once, though the server is killed half way and comes back; it stops at the end; one run."""
    report = tmp_path / "report"
    env = {**os.environ, "TAILRACE_STATE": str(state_dir), "PATH": quick_sleep(tmp_path)}
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        command = [sys.executable, "-m", "tests.system.article.reporting", str(port), str(tmp_path)]
        server = subprocess.Popen(command, cwd=ROOT, env=env)
        wait_for(lambda: _answers(port))
        browse(f"http://127.0.0.1:{port}/page")
        wait_for(lambda: _shown(report)[1][:3] == ["0", "1", "2"], DEADLINE_S)
        server.kill()
        server.wait()
        server = subprocess.Popen(command, cwd=ROOT, env=env)
        try:
            wait_for(lambda: _shown(report)[0] == CLOSED, DEADLINE_S)
        finally:
            server.kill()
            server.wait()
    assert _shown(report)[1] == [str(number) for number in range(100)]
    assert len(tailrace.connect(state_dir).list(Query()).runs) == 1


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _shown(report: Path) -> tuple[str, list[str]]:
    """Return the EventSource's state and the lines on the page, as last reported."""
    if not report.exists():
        return "", []
    state, _, text = report.read_text().partition(" ")
    return state, text.split()
