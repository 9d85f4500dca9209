"""Killing processes of ours, at random and at chosen instants."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.engine.disk import DiskEngine
from tailrace.host import linux
from tailrace.host.rundir import RunDir


@pytest.fixture
def engine(state_dir: Path) -> Iterator[DiskEngine]:
    """Give an engine; what it started ends with the test."""
    engine = DiskEngine(state_dir)
    yield engine
    engine.close()


@pytest.fixture
def chance() -> random.Random:
    """Give random numbers whose seed stands in the test's output when it fails."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it when the test fails)
    return random.Random(seed)


def runner_pid(state_dir: Path) -> int:
    """Return the pid of the state directory's runner, or 0 if there is none."""
    try:
        pid = int((state_dir / "runner.lock").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return pid if str(state_dir).encode() in _command_line(pid) else 0


def forker_pid(state_dir: Path) -> int:
    """Return the pid of the runner's parent, which forks keepers, or 0."""
    stat = linux.stat_of(runner_pid(state_dir) or -1)
    return stat.ppid if stat is not None and str(state_dir).encode() in _command_line(stat.ppid) else 0


def kill(pid: int) -> bool:
    """Kill the process, if it is there."""
    try:
        os.kill(pid, signal.SIGKILL) if pid > 1 else None
    except ProcessLookupError:
        return False
    return pid > 1


def keeper_pid(engine: DiskEngine, run_id: str) -> int:
    """Return the pid of the run's keeper, or 0 before it is known."""
    with RunDir(engine.state, run_id) as run:
        live = run.live()
    return live.keeper.pid if live else 0


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
