"""The queue: a limit on how many run at once, first come, first served."""

from tailrace.core.outcome import Cancelled, Exited
from tailrace.core.states import State
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.host import runner_link, settings
from tailrace.host.messages import Configure, Status
from tailrace.host.settings import Settings
from tests.support.wait import wait_for


def test_one_at_a_time_in_order(engine: DiskEngine) -> None:
    """Each run starts when the one before has ended, and knows how many are before it."""
    settings.save(engine.state, Settings(max_running=1))
    runs = [engine.start(["cat"], stdin=True) for _ in range(5)]
    for index, run in enumerate(runs):
        wait_for(lambda run=run: run.info().state is State.RUNNING)  # type: ignore[misc]
        waiting = [later.info() for later in runs[index + 1 :]]
        assert [info.state for info in waiting] == [State.QUEUED] * len(waiting)
        assert [info.queue_place for info in waiting] == list(range(1, len(waiting) + 1))
        assert [info.id for info in engine.list(Query(state="queued")).runs] == [info.id for info in waiting][::-1]
        run.close_input()
        assert run.wait(timeout=60).outcome == Exited(0)
    started = [run.info().started for run in runs]
    assert all(started)
    ended = [run.info().ended for run in runs]
    assert all(later >= earlier for later, earlier in zip(started[1:], ended, strict=False) if later and earlier)


def test_who_leaves_the_queue_lets_the_others_move_up(engine: DiskEngine) -> None:
    """A cancelled run never runs, and its place is gone."""
    settings.save(engine.state, Settings(max_running=1))
    going, second, third = (engine.start(["cat"], stdin=True) for _ in range(3))
    wait_for(lambda: going.info().state is State.RUNNING)
    assert third.info().queue_place == 2
    second.stop(by="ann")
    assert second.wait(timeout=60).outcome == Cancelled("ann")
    assert third.info().queue_place == 1
    going.close_input()
    wait_for(lambda: third.info().state is State.RUNNING)
    assert second.info().started is None


def test_a_higher_limit_takes_effect_when_the_runner_is_told(engine: DiskEngine) -> None:
    """Those that wait start at once."""
    settings.save(engine.state, Settings(max_running=1))
    runs = [engine.start(["cat"], stdin=True) for _ in range(3)]
    assert runner_link.ask(engine.state, Status()).max_running == 1
    settings.save(engine.state, Settings(max_running=10))
    assert runner_link.ask(engine.state, Configure()).max_running == 10
    wait_for(lambda: all(run.info().state is State.RUNNING for run in runs))


def test_two_hundred_at_once(engine: DiskEngine) -> None:
    """All of them run, each has its own output, and none is mistaken for another."""
    runs = [engine.start(["sh", "-c", f"read line; echo {n}"], stdin=True) for n in range(200)]
    wait_for(lambda: runner_link.ask(engine.state, Status()).running == 200)
    for run in runs:
        run.close_input()
    for n, run in enumerate(runs):
        assert b"".join(chunk.data for chunk in run.follow()) == b"%d\n" % n


def test_a_key_that_waits_does_not_hold_the_others_up(engine: DiskEngine) -> None:
    """Only runs of the same key wait for it; the queue's order is kept among those that may go."""
    settings.save(engine.state, Settings(max_running=2))
    first = engine.start(["cat"], stdin=True, key="k")
    second = engine.start(["cat"], stdin=True, key="k", when_busy="queue")
    assert engine.start(["true"]).wait(timeout=60).outcome == Exited(0)
    assert second.info().state is State.QUEUED
    first.close_input()
    wait_for(lambda: second.info().state is State.RUNNING)


def test_an_idle_runner_goes_and_the_next_start_brings_another(engine: DiskEngine) -> None:
    """Nobody notices."""
    settings.save(engine.state, Settings(idle_s=0.2))
    engine.start(["true"]).wait(timeout=60)
    wait_for(lambda: not engine.state.has_runner())
    assert engine.start(["echo", "again"]).wait(timeout=60).outcome == Exited(0)
