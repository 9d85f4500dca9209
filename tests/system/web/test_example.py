"""The example that the README begins with."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.wait import wait_for
from tests.system.web.server import ROOT
from tests.system.web.test_servers import Viewer


@pytest.mark.parametrize("is_port_taken", [False, True])
def test_the_example_serves_and_stops(state_dir: Path, tmp_path: Path, is_port_taken: bool) -> None:
    """It prints where it serves; the page is there, the loop counts; ^C ends it, with the stream still open."""
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as taken, log.open("wb") as file:
        port = taken.getsockname()[1] if is_port_taken else 0
        env = {**os.environ, "TAILRACE_STATE": str(state_dir), "PORT": str(port)}
        command = [sys.executable, "examples/quickstart/app.py"]
        example = subprocess.Popen(command, cwd=ROOT, env=env, stdout=file, stderr=file)
        [url] = wait_for(lambda: re.findall(r"The page: (http://127\.0\.0\.1:\d+/)\n", log.read_text()))
    page = Viewer(url, tmp_path / "page")
    assert page.process.wait() == 0
    assert b"EventSource('/stream')" in page.seen()
    stream = Viewer(url + "stream", tmp_path / "stream")
    wait_for(lambda: stream.seen().startswith(b"0\n1\n"))
    example.send_signal(signal.SIGINT)
    assert example.wait(30) == 0
    assert stream.process.wait() != 0
    assert "Traceback" not in log.read_text()
