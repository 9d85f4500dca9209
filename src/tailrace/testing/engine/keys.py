"""Keys: at most one run of a key goes at a time."""
# ruff: noqa: S101  (these are tests)

import threading

import pytest

from tailrace.core.errors import KeyBusy
from tailrace.core.outcome import Exited
from tailrace.core.states import State
from tailrace.engine.base import Engine, Query
from tailrace.testing.engine.viewer import cat, ended, shell


class KeyContract:
    """`key` and `when_busy`."""

    def test_join_answers_with_the_run_that_goes(self, engine: Engine, elsewhere: Engine) -> None:
        """Nothing is started, whoever asks; when it has ended, the next start is a new run."""
        run = cat(engine, key="k")
        assert shell(engine, "echo other", key="k").id == run.id
        assert shell(elsewhere, "echo other", key="k", when_busy="join").id == run.id
        assert len(engine.list(Query()).runs) == 1
        run.close_input()
        ended(run)
        fresh = shell(engine, "exit 3", key="k")
        assert fresh.id != run.id
        assert ended(fresh).outcome == Exited(3)

    def test_of_many_at_once_one_starts(self, engine: Engine, elsewhere: Engine) -> None:
        """Starts that race for a key all get the same run."""
        found: list[str] = []
        barrier = threading.Barrier(8)

        def start(place: Engine) -> None:
            barrier.wait()
            found.append(place.start(["cat"], stdin=True, key="k").id)

        threads = [threading.Thread(target=start, args=(place,)) for place in (engine, elsewhere) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
        assert len(engine.list(Query()).runs) == 1

    def test_reject_names_the_run_that_goes(self, engine: Engine) -> None:
        """The error tells which it is; nothing is started."""
        run = cat(engine, key="k")
        with pytest.raises(KeyBusy, match=run.id) as caught:
            shell(engine, ":", key="k", when_busy="reject")
        assert caught.value.hint
        assert len(engine.list(Query()).runs) == 1

    def test_queue_waits_its_turn(self, engine: Engine) -> None:
        """First come, first served, one at a time, and each tells its place."""
        first = cat(engine, key="k")
        second = cat(engine, key="k", when_busy="queue")
        third = shell(engine, "exit 3", key="k", when_busy="queue")
        places = [run.info().queue_place for run in (first, second, third)]
        assert places == [None, 1, 2]
        with pytest.raises(TimeoutError):
            second.wait(timeout=0.05)
        first.close_input()
        ended(first)
        second.send(b"x")
        assert [run.info().state for run in (second, third)] == [State.RUNNING, State.QUEUED]
        second.close_input()
        assert ended(second).outcome == Exited(0)
        assert ended(third).outcome == Exited(3)

    def test_other_keys_do_not_wait(self, engine: Engine) -> None:
        """A key holds back only its own."""
        cat(engine, key="a")
        assert ended(shell(engine, ":", key="b", when_busy="reject")).outcome == Exited(0)
        assert ended(shell(engine, ":")).outcome == Exited(0)
