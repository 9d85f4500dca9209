"""A runner that was started from inside a run is its guest: the run's end is not the end of all that it launched."""

import sys
from pathlib import Path

import pytest

from tailrace.api import connect
from tailrace.core.outcome import Exited
from tailrace.core.piece import Chunk
from tailrace.engine.disk import DiskEngine
from tests.support.cleanup import end_everything
from tests.support.wait import wait_for

INNER = "import sys, tailrace; print(tailrace.connect(sys.argv[1]).start(['sleep', '1000']).id, flush=True); input()"


@pytest.mark.parametrize("how", ["its own end", "a stop"])
def test_runs_started_inside_a_run_outlive_it(engine: DiskEngine, tmp_path: Path, how: str) -> None:
    """Their runner leaves the outer run's cgroup, and is not in its tree."""
    inside = tmp_path / "s"
    try:
        outer = engine.start([sys.executable, "-c", INNER, str(inside)], stdin=True)
        wait_for(lambda: outer.info().size > 20)
        inner_id = b"".join(chunk.data for chunk in engine_output(engine, outer.id)).decode().strip()
        inner = connect(inside)
        wait_for(lambda: inner.get(inner_id).state == "running")
        if how == "a stop":
            outer.stop()
        else:
            outer.send(b"\n")
        ended = outer.wait(60)
        assert (ended.outcome == Exited(0)) is (how == "its own end")
        assert ended.lingering == ()
        assert inner.get(inner_id).state == "running"
        again = connect(inside).start(["echo", "served"])
        assert again.wait(30).outcome == Exited(0)
        assert inner.get(inner_id).state == "running"
    finally:
        end_everything(inside)


def engine_output(engine: DiskEngine, run_id: str) -> list[Chunk]:
    """Return what there is of a run's output now."""
    cursor = engine.cursor(run_id)
    try:
        chunks = cursor.look()
        assert isinstance(chunks, list)
        return chunks
    finally:
        cursor.close()
