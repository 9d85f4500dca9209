"""The keeper that is forked ahead of need, and the process that it keeps ready: killed, no run is the worse for it."""

import os
import select
import signal
from pathlib import Path

import pytest

from tailrace.core.outcome import Exited
from tailrace.engine.disk import DiskEngine
from tailrace.host import linux
from tests.support.wait import wait_for
from tests.system.engine.processes import seen
from tests.system.kills.conftest import forker_pid, kill, runner_pid


@pytest.mark.parametrize("victim", ["keeper", "blank"])
def test_killed_while_it_waits(engine: DiskEngine, state_dir: Path, victim: str) -> None:
    """The next runs start as if it had never been there."""
    engine.start(["true"]).wait(timeout=60)
    for _ in range(3):
        spare, blank = wait_for(lambda: _spare(state_dir))
        _kill_and_wait(spare if victim == "keeper" else blank)
        run = engine.start(["echo", "hi"])
        assert [piece.data for piece in run.follow()] == [b"hi\n"]
        assert run.wait(timeout=60).outcome == Exited(0)


def test_told_to_go_while_it_waits(engine: DiskEngine, state_dir: Path) -> None:
    """SIGTERM ends it, and not the run that it would have had."""
    engine.start(["true"]).wait(timeout=60)
    both = [seen(pid) for pid in wait_for(lambda: _spare(state_dir))]
    os.kill(both[0].pid, signal.SIGTERM)
    wait_for(lambda: not any(process.is_alive for process in both))
    assert engine.start(["true"]).wait(timeout=60).outcome == Exited(0)


def test_it_goes_with_the_runner(engine: DiskEngine, state_dir: Path) -> None:
    """Nothing is left of either when the runner has gone."""
    engine.start(["true"]).wait(timeout=60)
    both = [seen(pid) for pid in wait_for(lambda: _spare(state_dir))]
    kill(runner_pid(state_dir))
    wait_for(lambda: not any(process.is_alive for process in both))


def _spare(state_dir: Path) -> tuple[int, ...]:
    """Return the pids of the keeper that waits, and of what it keeps ready; nothing if there is none yet."""
    for pid in linux.children_of(forker_pid(state_dir)) - {runner_pid(state_dir)}:
        for blank in linux.children_of(pid):
            return pid, blank
    return ()


def _kill_and_wait(pid: int) -> None:
    pidfd = os.pidfd_open(pid)
    try:
        kill(pid)
        select.select([pidfd], [], [], 60)
    finally:
        os.close(pidfd)
