"""How many runs there may be: of a command, of a user, of all; counted by all processes together."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tailrace.core.errors import LimitReached
from tailrace.core.limits import Quota, Scope
from tailrace.core.outcome import Exited, Lost
from tailrace.core.states import State
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import runner_link, settings
from tailrace.host.messages import Drain
from tailrace.host.rundir import RunDir
from tailrace.host.settings import Settings
from tests.support.wait import wait_for
from tests.system.kills.conftest import keeper_pid, kill, runner_pid

ONE = Quota(Scope.COMMAND, running=1)
ONE_AND_ONE = Quota(Scope.COMMAND, running=1, queued=1)


def start(engine: DiskEngine, command: str, quota: Quota, by: str | None = None) -> Run:
    """Start a run that ends when its input does."""
    return engine.start(["cat"], stdin=True, command=command, by=by, quotas=[quota])


def is_running(run: Run) -> bool:
    """Tell whether it goes."""
    return run.info().state is State.RUNNING


def test_those_beyond_wait(engine: DiskEngine) -> None:
    """One of a command goes at a time; those of others, behind it in the queue, are not held up."""
    first, second = start(engine, "build", ONE), start(engine, "build", ONE)
    other = start(engine, "test", ONE)
    wait_for(lambda: is_running(first) and is_running(other))
    assert second.info().state is State.QUEUED
    first.close_input()
    assert first.wait(60).outcome == Exited(0)
    wait_for(lambda: is_running(second))


def test_one_user_does_not_take_all_places(engine: DiskEngine) -> None:
    """A user's second run waits, another user's first goes."""
    quota = Quota(Scope.USER, running=1)
    first, second = start(engine, "a", quota, "ann"), start(engine, "b", quota, "ann")
    third = start(engine, "c", quota, "bob")
    wait_for(lambda: is_running(first) and is_running(third))
    assert second.info().state is State.QUEUED


def test_a_new_runner_keeps_to_it(engine: DiskEngine) -> None:
    """The rows are in the spec: a runner that comes later counts the runs that it finds."""
    first = start(engine, "build", ONE)
    wait_for(lambda: is_running(first))
    runner_link.ask_once(engine.state, Drain())
    wait_for(lambda: not engine.state.has_runner())
    second, other = start(engine, "build", ONE), start(engine, "test", ONE)
    wait_for(lambda: is_running(other))
    assert second.info().state is State.QUEUED
    first.close_input()
    wait_for(lambda: is_running(second))


def test_those_beyond_the_queue_are_refused(engine: DiskEngine) -> None:
    """And nothing of them is left; when one has ended there is room again."""
    first, second = (start(engine, "build", ONE_AND_ONE) for _ in range(2))
    with pytest.raises(LimitReached) as caught:
        start(engine, "build", ONE_AND_ONE)
    assert caught.value.subject == "max_queued"
    assert {info.id for info in engine.list(Query()).runs} == {first.id, second.id}
    wait_for(lambda: is_running(first))
    first.close_input()
    first.wait(60)
    wait_for(lambda: is_running(second))
    assert start(engine, "build", ONE_AND_ONE).id


def test_the_dead_take_no_places(engine: DiskEngine, state_dir: Path) -> None:
    """Whoever would be refused because of a run whose keeper was killed, and the runner with it, settles that run."""
    quota = Quota(Scope.COMMAND, running=1, queued=0)
    first = start(engine, "build", quota)
    wait_for(lambda: is_running(first))
    with RunDir(engine.state, first.id) as run:
        kill(runner_pid(state_dir))
        kill(keeper_pid(engine, first.id))
        wait_for(lambda: not run.is_kept())
    assert engine.start(["true"], command="build", quotas=[quota]).wait(60).outcome == Exited(0)
    assert isinstance(first.info().outcome, Lost)


def test_starts_a_minute(engine: DiskEngine) -> None:
    """Those that have ended, and were pruned, count too; the time to wait is within the minute."""
    quota = Quota(Scope.COMMAND, starts_per_minute=2)
    for _ in range(2):
        engine.start(["true"], command="build", quotas=[quota]).wait(60)
    with pytest.raises(LimitReached) as caught:
        engine.start(["true"], command="build", quotas=[quota])
    assert 0 < caught.value.retry_s <= 60
    assert engine.start(["true"], command="test", quotas=[quota]).wait(60).outcome == Exited(0)


def test_a_damaged_ledger_stops_nobody(engine: DiskEngine, state_dir: Path) -> None:
    """It is begun anew."""
    (state_dir / "starts.json").write_bytes(b"{")
    quota = Quota(Scope.ALL, starts_per_minute=1)
    engine.start(["true"], quotas=[quota]).wait(60)
    with pytest.raises(LimitReached):
        engine.start(["true"], quotas=[quota])


def test_many_at_the_same_moment(engine: DiskEngine) -> None:
    """Of twenty starts as many succeed as there are places, whoever is quicker."""
    quota = Quota(Scope.COMMAND, running=2, queued=3)

    def attempt(_number: int) -> bool:
        try:
            start(engine, "build", quota)
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(20))) == 5


def test_the_directory_has_limits_of_its_own(engine: DiskEngine, state_dir: Path) -> None:
    """They hold for everybody, the command line included, which exits with 75 and says when to try again."""
    settings.save(engine.state, Settings(max_running=1, max_queued=0))
    going = engine.start(["cat"], stdin=True)
    with pytest.raises(LimitReached):
        engine.start(["true"])
    command = [sys.executable, "-m", "tailrace", "run", "--state-dir", str(state_dir), "--", "true"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (75, "")
    assert done.stderr.splitlines() == [
        "tailrace: only 1 run of all here may go at a time, and none may wait",
        "  hint: try again in 10 s; nothing was started",
    ]
    going.close_input()
