"""Ending what a test left running, and nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.cleanup import end_everything, find_processes
from tests.support.wait import wait_for

pytestmark = [
    pytest.mark.other_platform,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]

STAYS = """
import signal
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    signal.signal(number, signal.SIG_IGN)
print("up", flush=True)
signal.pause()
"""


class Start(Protocol):
    """A way to start processes that only KILL ends."""

    def __call__(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start one with these arguments and these additions to the environment."""


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a way to start processes; end them with the test."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str, **env: str) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
        child = subprocess.Popen(
            [sys.executable, "-c", STAYS, *arguments],
            env=inherited | env,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        return child

    yield start_one
    for child in started:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def test_ends_what_names_the_directory(state_dir: Path, start: Start) -> None:
    """A process is ended when its arguments, its TAILRACE_STATE or its TAILRACE_RUN lead to the directory."""
    (state_dir / "runs" / "0abc").mkdir(parents=True)
    children = [
        start("--state-dir", str(state_dir)),
        start(f"disk:{state_dir}/"),
        start(TAILRACE_STATE=str(state_dir)),
        start(TAILRACE_RUN="0abc"),
    ]
    end_everything(state_dir)
    assert [child.wait(timeout=30) for child in children] == [-signal.SIGKILL] * 4


def test_spares_everything_else(state_dir: Path, start: Start) -> None:
    """Runs of other directories, and paths that merely begin or end alike, are left alone."""
    (state_dir / "runs" / "0abc").mkdir(parents=True)
    children = [
        start(),
        start(f"{state_dir}2"),
        start(f"/var{state_dir}"),
        start(TAILRACE_STATE=f"{state_dir}.old"),
        start(TAILRACE_RUN="0abd"),
    ]
    end_everything(state_dir)
    assert [child.poll() for child in children] == [None] * 5


def test_spares_the_test_itself(state_dir: Path) -> None:
    """A process that ends what names the directory, naming it itself, goes on."""
    script = "import pathlib, sys\nfrom tests.support.cleanup import end_everything\n"
    script += "end_everything(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, str(state_dir)], check=True, cwd=Path(__file__).parents[2])


def test_ends_a_process_that_forks_as_it_dies(state_dir: Path) -> None:
    """What is started between a look and a kill is found by the next look."""
    script = "(trap '' TERM; while :; do sleep 0.01 & wait; done) & while :; do sleep 0.01; done"
    env = {**os.environ, "TAILRACE_STATE": str(state_dir)}
    shell = subprocess.Popen(["sh", "-c", script], env=env, start_new_session=True)
    wait_for(lambda: len(find_processes(state_dir)) > 2)
    end_everything(state_dir)
    assert find_processes(state_dir) == []
    assert shell.wait(timeout=30) == -signal.SIGKILL


def test_needs_no_directory(tmp_path: Path) -> None:
    """A test may have removed the directory itself."""
    end_everything(tmp_path / "gone")


def test_state_dir_is_private_and_short(state_dir: Path) -> None:
    """A socket below a run's directory fits into the 107 bytes of an address; nobody else may enter."""
    assert state_dir.stat().st_mode & 0o777 == 0o700
    assert len(str(state_dir / "runs" / ("0" * 27) / "control")) <= 107
    assert os.environ["TAILRACE_STATE"] == str(state_dir)
