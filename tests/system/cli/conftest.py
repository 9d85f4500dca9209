"""The `tailrace` program, as a user starts it: a real process, on a state directory of the test's own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tailrace
from tailrace import Engine
from tests.support.wait import wait_for

DEADLINE_S = 100
TAILRACE = [sys.executable, "-m", "tailrace"]

Done = subprocess.CompletedProcess[bytes]


class Program:
    """Starts `tailrace`, to its end or in the background; what is left in the background ends with the test."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._started: list[subprocess.Popen[bytes]] = []

    def __call__(self, *args: str | bytes, stdin: bytes = b"", **env: str) -> Done:
        """Run it to its end, and return what it printed and how it exited."""
        return subprocess.run(
            [*TAILRACE, *args],
            input=stdin,
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
            env={**os.environ, **env},
        )

    def start(
        self, *args: str, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start it in the background, in a session of its own."""
        started = subprocess.Popen(
            [*TAILRACE, *args], stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True, bufsize=0
        )
        self._started.append(started)
        return started

    def shell(self, script: str) -> Done:
        """Run a shell script in which `"$@"` is the program."""
        command = ["sh", "-c", script, "sh", *TAILRACE]
        return subprocess.run(command, capture_output=True, timeout=DEADLINE_S, check=False)

    def detached(self, *args: str) -> str:
        """Start a run with `--detach`, and return its id."""
        done = self("run", "--detach", *args)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def end(self) -> None:
        """End what is left in the background."""
        for started in self._started:
            started.kill()
            started.communicate()


@pytest.fixture
def program(state_dir: Path) -> Iterator[Program]:
    """Give the program; `TAILRACE_STATE` names the state directory."""
    given = Program(state_dir)
    yield given
    given.end()


@pytest.fixture
def engine(state_dir: Path) -> Iterator[Engine]:
    """Give the library's view of the same state directory."""
    given = tailrace.connect(state_dir)
    yield given
    given.close()


@pytest.fixture
def until_printed(state_dir: Path) -> Callable[[str, bytes], None]:
    """Give a wait for a run to have printed something."""

    def wait(run_id: str, text: bytes) -> None:
        def output() -> bytes:
            return (state_dir / "runs" / run_id / "output").read_bytes()

        wait_for(lambda: text in output(), what=f"{text!r} in the output")

    return wait
