"""`tailrace serve`, and the doctor, as their users start them."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.system.web.server import Server
from tests.system.web.serving import TAILRACE, Serve, serving

DEADLINE_S = 100


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path) -> Iterator[Serve]:
    """Give what starts `tailrace serve`; it ends with the test."""
    assert state_dir.is_dir()
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(serving(tmp_path, config))


@pytest.fixture
def gunicorn(state_dir: Path, tmp_path: Path) -> Iterator[int]:
    """Give the port of gunicorn, which serves the API in a Flask application, under `/ops`."""
    command = (
        *("-m", "gunicorn", "--no-control-socket", "--graceful-timeout", "1", "--bind", "127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--threads", "16", "tests.system.doctor.flask_app:app"),
    )
    with closing(Server("server", tmp_path / "gunicorn.log", {"TAILRACE_STATE": str(state_dir)}, command)) as server:
        yield server.port


class Examined(NamedTuple):
    """What the doctor said."""

    code: int
    findings: dict[str, tuple[str, str, str]]
    """verdict, message and cure, by check"""
    proxies: list[str]
    wires: dict[str, list[str]]

    def not_fine(self) -> dict[str, str]:
        """Return the verdicts of what is not fine."""
        return {check: verdict for check, (verdict, _message, _cure) in self.findings.items() if verdict != "fine"}


def examine(url: str, *args: str) -> Examined:
    """Have a server examined."""
    done = subprocess.run(
        [*TAILRACE, "doctor", url, "--json", *args], capture_output=True, text=True, check=False, timeout=DEADLINE_S
    )
    assert done.stderr == ""
    report = json.loads(done.stdout)
    found = {each["check"]: each for each in report["findings"]}
    return Examined(
        done.returncode,
        {check: (each["verdict"], each["message"], each["cure"]) for check, each in found.items()},
        report["proxies"],
        {check: each["wires"] for check, each in found.items()},
    )
