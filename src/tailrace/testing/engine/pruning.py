"""Retention: what is too old, too many or too much goes; what lives or is pinned stays."""
# ruff: noqa: S101  (these are tests)

import pytest

from tailrace.core.errors import UnknownRun
from tailrace.engine.base import Engine, Pruned, Query, Retention
from tailrace.engine.run import Run
from tailrace.testing.engine.viewer import cat, ended, shell


def finished(engine: Engine, count: int, *, size: int = 10) -> list[Run]:
    """Return runs that have ended, oldest first, each with so many bytes of output."""
    runs = [engine.start(["head", "-c", str(size), "/dev/zero"]) for _ in range(count)]
    for run in runs:
        ended(run)
    return runs


def left(engine: Engine) -> list[str]:
    """Return the ids there are, oldest first."""
    return [info.id for info in reversed(engine.list(Query()).runs)]


class PruningContract:
    """`prune`, and the request `Pin`."""

    def test_without_limits_everything_stays(self, engine: Engine) -> None:
        """No limit means none."""
        runs = finished(engine, 3)
        assert engine.prune(Retention()) == Pruned(0, 0)
        assert left(engine) == [run.id for run in runs]

    def test_the_oldest_beyond_the_count_go(self, engine: Engine, elsewhere: Engine) -> None:
        """The newest stay; what went is unknown everywhere, and was counted."""
        runs = finished(engine, 5)
        assert engine.prune(Retention(count=2)) == Pruned(3, 30)
        assert left(engine) == left(elsewhere) == [run.id for run in runs[3:]]
        for run in runs[:3]:
            with pytest.raises(UnknownRun):
                elsewhere.get(run.id)
            with pytest.raises(UnknownRun):
                engine.cursor(run.id)
        assert engine.prune(Retention(count=2)) == Pruned(0, 0)

    def test_the_oldest_beyond_the_size_go(self, engine: Engine) -> None:
        """As many of the newest stay as have room together."""
        runs = finished(engine, 4, size=100)
        assert engine.prune(Retention(size_bytes=250)) == Pruned(2, 200)
        assert left(engine) == [run.id for run in runs[2:]]

    def test_what_ended_too_long_ago_goes(self, engine: Engine) -> None:
        """The age counts from the end."""
        runs = finished(engine, 2)
        assert engine.prune(Retention(age_s=3600)) == Pruned(0, 0)
        assert engine.prune(Retention(age_s=0)) == Pruned(2, 20)
        assert left(engine) == []
        with pytest.raises(UnknownRun):
            engine.get(runs[0].id)

    def test_what_lives_stays(self, engine: Engine) -> None:
        """Neither a run that goes nor one that waits is ever removed."""
        going = cat(engine, key="k")
        waiting = shell(engine, ":", key="k", when_busy="queue")
        finished(engine, 1)
        assert engine.prune(Retention(count=0, age_s=0, size_bytes=0)) == Pruned(1, 10)
        assert left(engine) == [going.id, waiting.id]

    def test_what_is_pinned_stays_until_it_is_not(self, engine: Engine) -> None:
        """Pinned at the start or later; it does not count against the others."""
        early = engine.start(["true"], pin=True)
        ended(early)
        late, *rest = finished(engine, 3)
        late.pin()
        assert [run.info().pinned for run in (early, late, *rest)] == [True, True, False, False]
        assert engine.prune(Retention(count=1)) == Pruned(1, 10)
        assert left(engine) == [early.id, late.id, rest[1].id]
        early.pin(on=False)
        assert engine.list(Query(limit=1, cursor=late.id)).runs[0].pinned is False
        engine.prune(Retention(count=0))
        assert left(engine) == [late.id]

    def test_a_viewer_of_a_pruned_run_reads_to_its_end(self, engine: Engine) -> None:
        """Who has begun to read is not cut off; or is told, if the engine cannot do that."""
        (run,) = finished(engine, 1)
        chunks = run.follow(5)
        assert next(chunks).data == bytes(5)
        engine.prune(Retention(count=0))
        assert list(chunks) == []
