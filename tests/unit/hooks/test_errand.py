from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.core.hook import Hook
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.hooks import errand
from tailrace.hooks.outbox import Delivery
from tailrace.host import settings
from tailrace.host.settings import Settings

DELIVERY = Delivery(id="r.finished.note", hook="note", event="finished", run="r", since=0.0, body="{}")


@pytest.fixture
def engine(state_dir: Path) -> Iterator[DiskEngine]:
    """Give one of this test's own."""
    made = DiskEngine(str(state_dir))
    yield made
    made.close()


def hook(out: Path) -> Hook:
    """Return one that writes down what it is told."""
    return Hook(name="note", argv=("sh", "-c", 'cat >> "$0"', str(out)), timeout=60.0)


def ends(engine: DiskEngine) -> list[str]:
    """Return the runs of hooks, once they have ended."""
    found = [info.id for info in engine.list(Query(labels={"hook": "note"})).runs]
    for each in found:
        Run(engine, each).wait()
    return found


def test_it_is_run_once(engine: DiskEngine, tmp_path: Path) -> None:
    """However often it is told to: whoever was killed behind its start is followed by one who finds the run."""
    for _ in range(2):
        assert errand.run(engine, hook(tmp_path / "out"), DELIVERY, lambda: False)
        assert len(ends(engine)) == 1
    assert (tmp_path / "out").read_text() == "{}"


def test_one_that_was_told_nothing_is_told(engine: DiskEngine, tmp_path: Path) -> None:
    """As whoever started it was killed before he could."""
    made = hook(tmp_path / "out")
    errand._run_of(engine, made, DELIVERY, ())
    assert errand.run(engine, made, DELIVERY, lambda: False)
    assert len(ends(engine)) == 1
    assert (tmp_path / "out").read_text() == "{}"


def test_a_turn_that_does_not_come_is_not_waited_for(engine: DiskEngine, tmp_path: Path) -> None:
    """When the process ends it is left to the next one, which finds it in the queue."""
    settings.save(engine.state, Settings(max_running=1))
    going = engine.start(["sleep", "1000"])
    made = hook(tmp_path / "out")
    assert not errand.run(engine, made, DELIVERY, lambda: True)
    going.stop(now=True)
    going.wait()
    assert errand.run(engine, made, DELIVERY, lambda: False)
    assert len(ends(engine)) == 1
    assert (tmp_path / "out").read_text() == "{}"


def test_it_does_not_get_the_secrets_of_others(engine: DiskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be in the clear in its output."""
    monkeypatch.setenv("DB_PASSWORD", "hunter2-hunter2")
    shows = Hook(name="note", argv=("env",), timeout=60.0)
    assert errand.run(engine, shows, DELIVERY, lambda: False, {"DB_PASSWORD"})
    (run_id,) = ends(engine)
    shown = b"".join(chunk.data for chunk in Run(engine, run_id).follow())
    assert b"PATH=" in shown
    assert b"DB_PASSWORD" not in shown
