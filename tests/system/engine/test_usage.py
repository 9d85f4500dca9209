"""What a run uses while it goes, seen in its processes."""

import sys
from pathlib import Path

import msgspec
import pytest

from tailrace.api import connect
from tailrace.core.run import Live
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import usage
from tailrace.host.rundir import RunDir
from tests.support.cleanup import end_everything
from tests.support.wait import wait_for

BURN = "import time; [None for _ in iter(lambda: time.process_time() < 0.2, False)]"
INNER = "import sys, tailrace; tailrace.connect(sys.argv[1]).start(['sleep', '1000']); print('up', flush=True); input()"


def live_of(run: Run) -> Live:
    """Return what the run's keeper says."""
    assert isinstance(run.engine, DiskEngine)
    with RunDir(run.engine.state, run.id) as directory:
        live = directory.live()
    assert live is not None
    return live


def started(engine: DiskEngine, script: str, *args: str) -> Run:
    """Return a run that has printed something, and waits for input."""
    run = engine.start(["sh", "-c", script, sys.executable, *args], stdin=True, ladder=[("KILL", 0)])
    next(run.follow())
    return run


def test_what_was_waited_for_counts(engine: DiskEngine) -> None:
    """By whom ever: the command, a child of it, or the keeper, to which orphans come."""
    run = started(engine, f"$0 -c '{BURN}'; (($0 -c '{BURN}'; echo burnt) &); read line")
    wait_for(lambda: run.info().size > 0)
    used = wait_for(lambda: used if (used := engine.get(run.id, usage=True).usage) and used.processes == 1 else None)
    assert used is not None
    assert used.cpu_user_s + used.cpu_system_s > 0.3  # a tick is 10 ms, and each part is rounded down
    run.stop()
    final = run.wait(60).usage
    assert final is not None
    assert final.cpu_user_s + final.cpu_system_s >= used.cpu_user_s + used.cpu_system_s - 0.1


def test_daemons_and_threads_count(engine: DiskEngine) -> None:
    """Who has left the session, and who was started by another thread than the first."""
    script = (
        "import os, subprocess, threading, time;"
        "begun = threading.Event();"
        "start = lambda: (subprocess.Popen(['setsid', 'sleep', '1000']), begun.set(), time.sleep(1000));"
        "threading.Thread(target=start, daemon=True).start(); begun.wait(); print('up', flush=True); input()"
    )
    run = engine.start([sys.executable, "-c", script], stdin=True, ladder=[("KILL", 0)])
    next(run.follow())
    used = wait_for(lambda: used if (used := engine.get(run.id, usage=True).usage) and used.processes == 2 else None)
    assert used is not None
    run.stop()
    run.wait(60)


def test_runs_started_inside_are_not_the_runs_own(engine: DiskEngine, tmp_path: Path) -> None:
    """A runner that was started from inside a run is its guest, with all that it launches."""
    inside = tmp_path / "s"
    try:
        run = engine.start([sys.executable, "-c", INNER, str(inside)], stdin=True, ladder=[("KILL", 0)])
        next(run.follow())
        wait_for(lambda: connect(inside).list(Query()).runs[0].state == "running")
        found = engine.get(run.id, usage=True).usage
        assert found is not None
        assert found.processes == 1
        run.stop()
        run.wait(60)
    finally:
        end_everything(inside)


def test_of_whom_nothing_is_told(engine: DiskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that is dead, or was another process with its pid; and a run that is too large."""
    run = started(engine, "echo up; sleep 1000 & read line")
    keeper = live_of(run).keeper
    assert usage.usage_of(keeper) is not None
    assert usage.usage_of(msgspec.structs.replace(keeper, boot="another")) is None
    assert usage.usage_of(msgspec.structs.replace(keeper, start=keeper.start + 1)) is None
    monkeypatch.setattr(usage, "MOST_PROCESSES", 1)
    wait_for(lambda: usage.usage_of(keeper) is None)
    run.stop()
    run.wait(60)
    wait_for(lambda: usage.usage_of(keeper) is None)


def test_a_run_that_waits_uses_nothing(engine: DiskEngine) -> None:
    """Nobody has taken it."""
    going = engine.start(["sleep", "1000"], key="k")
    waiting = engine.start(["sleep", "1000"], key="k", when_busy="queue")
    assert engine.get(waiting.id, usage=True).usage is None
    for run in (waiting, going):
        run.stop(now=True)
        run.wait(60)
