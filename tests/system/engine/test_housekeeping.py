"""What the runner does by itself: pruning by its settings, and not counting what runs as waiting."""

from pathlib import Path

from tailrace.core.outcome import Exited
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.host import messages, runner_link, settings
from tailrace.host.settings import Settings
from tests.support.wait import wait_for


def _tell(engine: DiskEngine, chosen: Settings) -> None:
    settings.save(engine.state, chosen)
    runner_link.ask(engine.state, messages.Configure())


def test_old_runs_go_by_themselves_and_pinned_and_live_ones_stay(engine: DiskEngine, state_dir: Path) -> None:
    """With room for two finished runs, the oldest go; the pinned and the going one are not counted."""
    pinned = engine.start(["echo", "pinned"], pin=True)
    pinned.wait(30)
    live = engine.start(["sleep", "1000"])
    finished = [engine.start(["echo", str(number)]) for number in range(5)]
    for run in finished:
        assert run.wait(30).outcome == Exited(0)
    _tell(engine, Settings(keep_count=2))
    expected = {pinned.id, live.id, finished[3].id, finished[4].id}
    wait_for(lambda: {path.name for path in (state_dir / "runs").iterdir()} == expected)
    assert {run.id for run in engine.list(Query()).runs} == expected
    live.stop(now=True)


def test_a_keyed_run_that_runs_does_not_wait(engine: DiskEngine) -> None:
    """It is going, and nothing else; the next of its key waits behind it, and joins of the key get the first."""
    first = engine.start(["sleep", "1000"], key="k")
    second = engine.start(["echo", "second"], key="k", when_busy="queue")
    wait_for(lambda: first.info().state == "running")
    status = runner_link.ask(engine.state, messages.Status())
    assert status.queued == (second.id,)
    assert second.info().queue_place == 1
    assert engine.start(["echo", "third"], key="k").id == first.id
    first.stop()
    assert second.wait(30).outcome == Exited(0)
    assert b"".join(chunk.data for chunk in second.follow()) == b"second\n"
