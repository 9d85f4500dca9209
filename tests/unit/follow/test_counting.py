"""Counting behind whoever asks: the thread, and what it is given."""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES
from tailrace.follow import counting
from tailrace.follow.lines import Lines
from tailrace.host import spare
from tailrace.host.rundir import RunDir, remove_tree
from tests.support.wait import wait_for
from tests.unit.follow.test_lines import file_of, lines_of, run_of

SOME = b"one\ntwo\nthree\n" * (5 * STRIDE_BYTES // 14)


@pytest.fixture(autouse=True)
def _worth(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every output counted, in small pieces; wait until the thread is gone."""
    monkeypatch.setattr(counting, "WORTH_BYTES", 1)
    monkeypatch.setattr(counting, "PIECE_BYTES", 2 * STRIDE_BYTES)
    monkeypatch.setattr(counting, "LOOK_S", 0.01)
    yield
    monkeypatch.setattr(counting, "WATCHED_S", 0.0)
    wait_for(lambda: not counting.is_counting())


def attend(run: RunDir) -> None:
    """Ask for it, with descriptors that are closed at once."""
    again = run.again()
    output = again.open("output")
    try:
        counting.attend(again, output)
    finally:
        os.close(output)
        again.close()


def is_indexed(run: RunDir) -> bool:
    """Tell whether there is a record for each stride."""
    size = file_of(run, "output").stat().st_size
    return run.has("lines") and file_of(run).stat().st_size == size // STRIDE_BYTES * RECORD_BYTES


def test_it_is_counted_to_its_end() -> None:
    """By somebody else, who goes when the run is finished; asking twice is asking once."""
    with run_of(SOME) as run:
        file_of(run, "result.json").write_bytes(b"{}")
        attend(run)
        attend(run)
        wait_for(lambda: not counting.is_counting())
        assert is_indexed(run)
        with lines_of(run) as lines:
            assert lines.count(0).end == len(SOME) // STRIDE_BYTES * STRIDE_BYTES


def test_one_that_grows_is_counted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as somebody has asked not long ago."""
    with run_of(SOME) as run, file_of(run, "output").open("ab", buffering=0) as output:
        attend(run)
        for _ in range(3):
            wait_for(lambda: is_indexed(run))
            output.write(SOME)
        wait_for(lambda: is_indexed(run))
        assert counting.is_counting()
        monkeypatch.setattr(counting, "WATCHED_S", 0.0)
        wait_for(lambda: not counting.is_counting())


def test_several_take_turns() -> None:
    """Each is counted to its end."""
    with run_of(SOME) as one, run_of(SOME * 2) as other, run_of(b"") as empty:
        for run in (one, other, empty):
            file_of(run, "result.json").write_bytes(b"{}")
            attend(run)
        wait_for(lambda: is_indexed(one) and is_indexed(other))


def test_a_run_that_is_removed_is_let_go() -> None:
    """Its files are closed."""
    with run_of(SOME) as run:
        attend(run)
        wait_for(lambda: is_indexed(run))
        remove_tree(run.id, dir_fd=run.state.runs_fd)
        wait_for(lambda: not counting.is_counting())


def test_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted is kept in memory; where that is impossible too, it is not counted for ever."""
    with run_of(SOME) as run:
        file_of(run).mkdir()
        attend(run)
        with lines_of(run) as lines:
            first = lines.count(0)
        wait_for(lambda: _known(run) == len(SOME) // STRIDE_BYTES * STRIDE_BYTES)
        assert first.end <= len(SOME)
        assert list(file_of(run).iterdir()) == []
    monkeypatch.setattr(counting, "WATCHED_S", 0.0)
    wait_for(lambda: not counting.is_counting())
    monkeypatch.setattr(counting, "WATCHED_S", 60.0)
    monkeypatch.delattr(os, "memfd_create")
    with run_of(SOME) as run:
        file_of(run).mkdir()
        attend(run)
        wait_for(lambda: not counting.is_counting())
        assert _known(run) == 0


def test_what_is_kept_in_memory_is_bounded() -> None:
    """It goes with the output that was asked for longest ago, and is counted again."""
    for _ in range(spare.MOST + 2):
        with run_of(SOME) as run, closing(_lines(run)) as lines:
            file_of(run).mkdir()
            assert lines.count().lines == SOME.count(b"\n")
            assert spare.kept(run.id) >= 0
    assert len(spare._spares) <= spare.MOST


def test_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there is room again; nothing of theirs is kept open."""
    monkeypatch.setattr(counting, "MOST_RUNS", 1)
    with run_of(SOME) as one, run_of(SOME) as other:
        attend(one)
        attend(other)
        wait_for(lambda: is_indexed(one))
        assert not other.has("lines")
        file_of(one, "result.json").write_bytes(b"{}")
        wait_for(lambda: not counting.is_counting())
        attend(other)
        wait_for(lambda: is_indexed(other))


def test_a_child_counts_nothing_of_its_parents() -> None:
    """The thread is not there, nor its descriptors."""
    with run_of(SOME) as run:
        attend(run)
        wait_for(lambda: is_indexed(run))
        pid = os.fork()
        if not pid:
            os._exit(counting.is_counting() or bool(counting._works))
        assert os.waitpid(pid, 0)[1] == 0


def _known(run: RunDir) -> int:
    with lines_of(run) as lines:
        return lines.count(0).end


def _lines(run: RunDir) -> Lines:
    return Lines(run, run.open("output"), lambda: len(SOME), int)
