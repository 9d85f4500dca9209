"""The line index of a large output: made when its run has ended, by nobody whom anybody waits for."""

from contextlib import closing
from pathlib import Path

import pytest

from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES, Codec
from tailrace.core.outcome import Exited
from tailrace.engine.base import Retention
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import fault, settings
from tailrace.host.indexing import WORTH_BYTES
from tailrace.host.settings import Settings
from tests.support.cleanup import find_processes
from tests.support.wait import wait_for

SIZE = 100_000_000
LINE = b"a line of some length\n"


def printing(engine: DiskEngine, size: int = SIZE, key: str | None = None) -> Run:
    """Return a run that prints so many bytes."""
    return engine.start(
        ["sh", "-c", f"yes '{LINE.decode().strip()}' | head -c {size}"], key=key, when_busy="queue" if key else "reject"
    )


def index_of(state_dir: Path, run: Run) -> Path:
    """Return where it is."""
    return state_dir / "runs" / run.id / "lines"


def is_whole(index: Path) -> bool:
    """Tell whether every stride has its record."""
    return index.exists() and index.stat().st_size == SIZE // STRIDE_BYTES * RECORD_BYTES


def holders(run: Run, state_dir: Path) -> list[int]:
    """Return the pids of other processes of ours that have something of the run open."""
    there = str(state_dir / "runs" / run.id)
    return [pid for pid in find_processes(state_dir) if any(name.startswith(there) for name in opened(pid))]


def opened(pid: int) -> list[str]:
    """Return the names of the files that a process has open; none if it is gone."""
    try:
        return [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def test_a_large_output_is_indexed_when_its_run_has_ended(engine: DiskEngine, state_dir: Path) -> None:
    """As if somebody had asked for lines; then nothing is left of who did it. A small one is not."""
    small, large = printing(engine, WORTH_BYTES - 1), printing(engine)
    for run in (small, large):
        assert run.wait(60).outcome == Exited(0)
    index = index_of(state_dir, large)
    wait_for(lambda: is_whole(index))
    made, codec = index.read_bytes(), Codec(large.id)
    for place in range(1, SIZE // STRIDE_BYTES + 1):
        assert codec.decode(place, made[(place - 1) * RECORD_BYTES : place * RECORD_BYTES]) == (
            place * STRIDE_BYTES // len(LINE)
        )
    assert not index_of(state_dir, small).exists()
    wait_for(lambda: not holders(large, state_dir))


def test_it_keeps_no_run_waiting(engine: DiskEngine, state_dir: Path) -> None:
    """Neither one of the same key, nor one for which there is no place besides."""
    settings.save(engine.state, Settings(max_running=1))
    runs = [printing(engine, key="k") for _ in range(3)]
    for run in runs:
        assert run.wait(60).outcome == Exited(0)
    wait_for(lambda: all(is_whole(index_of(state_dir, run)) for run in runs))


@pytest.mark.parametrize("point", fault.INDEXING)
def test_killed_at_any_point_it_harms_nothing(
    engine: DiskEngine, state_dir: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """The run has ended as it did, and whoever asks for lines counts them."""
    monkeypatch.setenv("TAILRACE_FAULT", point)
    run = printing(engine)
    info = run.wait(60)
    assert info.outcome == Exited(0)
    monkeypatch.delenv("TAILRACE_FAULT")
    assert engine.start(["true"]).wait(60).outcome == Exited(0)
    with closing(engine.cursor(run.id)) as cursor:
        assert cursor.lines().count().lines == SIZE // len(LINE) + 1
    assert run.info() == info
    assert is_whole(index_of(state_dir, run))


def test_a_run_that_is_removed_meanwhile(engine: DiskEngine, state_dir: Path) -> None:
    """Nothing of it comes back, and whoever counted it goes."""
    run = printing(engine, SIZE * 4)
    assert run.wait(60).outcome == Exited(0)
    engine.prune(Retention(count=0))
    wait_for(lambda: not holders(run, state_dir))
    assert not (state_dir / "runs" / run.id).exists()
