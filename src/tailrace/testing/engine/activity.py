"""Activity: how much output came when."""
# ruff: noqa: S101  (these are tests)

from contextlib import closing

import pytest

from tailrace.core.activity import Activity
from tailrace.core.errors import InvalidInput
from tailrace.core.progress import Progress
from tailrace.engine.base import Engine
from tailrace.testing.engine.viewer import cat, ended, shell, watch_until


def activity(engine: Engine, run_id: str, *span: float) -> Activity:
    """Return the run's: in so many buckets, from, until."""
    buckets, *times = span or (60,)
    with closing(engine.cursor(run_id, counted=False)) as cursor:
        return cursor.activity(int(buckets), *times)


class ActivityContract:
    """`Cursor.activity`."""

    def test_bytes_stand_where_they_came(self, engine: Engine) -> None:
        """From the start to the end, every byte in one bucket."""
        info = ended(shell(engine, "echo one; sleep 0.3; echo three; sleep 0.3"))
        found = activity(engine, info.id)
        assert (found.begin_s, found.until_s, found.unplaced) == (0.0, info.duration_s, 0)
        assert (len(found.bytes), sum(found.bytes)) == (60, 10)
        assert set(found.bytes) <= {0, 4, 6, 10}

    def test_a_part_can_be_looked_at(self, engine: Engine) -> None:
        """Of what came before and behind it nothing is counted; parts that meet have every byte once."""
        info = ended(shell(engine, "echo one; sleep 0.3; echo three; sleep 0.3"))
        assert info.started is not None
        assert info.last_output is not None
        between = round((info.last_output - info.started).total_seconds(), 3) - 0.1
        before, behind = activity(engine, info.id, 7, 0.0, between), activity(engine, info.id, 5, between)
        assert (sum(before.bytes), before.begin_s) == (4, 0.0)
        assert (sum(behind.bytes), behind.until_s) == (6, info.duration_s)
        assert abs(before.until_s - between) + abs(behind.begin_s - between) < 1e-5
        assert sum(activity(engine, info.id, 3, 0.0, 1000.0).bytes) == 10
        assert activity(engine, info.id, 3, 1000.0).bytes == (0, 0, 0)
        assert activity(engine, info.id, 3, 1000.0, 2000.0).bytes == (0, 0, 0)

    def test_a_live_run_has_it_up_to_now(self, engine: Engine) -> None:
        """It grows, and so does its time."""
        run = cat(engine)
        assert sum(activity(engine, run.id).bytes) == 0
        run.send(b"hello")
        watch_until(engine, run.id, b"hello")
        first = activity(engine, run.id, 10)
        run.send(b"more")
        watch_until(engine, run.id, b"hellomore")
        second = activity(engine, run.id, 1)
        assert (sum(first.bytes), second.bytes) == (5, (9,))
        assert 0 < first.until_s < second.until_s

    def test_a_run_that_goes_tells_its_progress(self, engine: Engine) -> None:
        """The last that it told its terminal; behind 4 KiB of something else nobody knows, at the end it is over."""
        run = cat(engine)
        assert activity(engine, run.id).progress is None
        run.send(b"\x1b]9;4;1;20\x07\x1b]9;4;1;40\x07.")
        watch_until(engine, run.id, b".")
        assert activity(engine, run.id).progress == Progress("going", 40)
        run.send(b"x" * 4096 + b"!")
        watch_until(engine, run.id, b"!")
        assert activity(engine, run.id).progress is None
        run.close_input()
        run.wait()
        assert activity(engine, run.id).progress is None

    def test_a_run_that_never_began_has_none(self, engine: Engine) -> None:
        """Nor has one that waits."""
        going = cat(engine, key="k")
        waiting = cat(engine, key="k", when_busy="queue")
        failed = ended(engine.start(["/no/such/program"]))
        assert going.id != waiting.id
        for run_id in (waiting.id, failed.id):
            assert activity(engine, run_id, 2) == Activity(begin_s=0.0, until_s=0.0, bytes=(0, 0), unplaced=0)

    @pytest.mark.parametrize("span", [(0,), (-1,), (1001,), (60, -1.0), (60, 5.0, 5.0), (60, 5.0, 4.0), (60, 0.0, 0.0)])
    def test_time_that_cannot_be_divided_so(self, engine: Engine, span: tuple[float, ...]) -> None:
        """Refused, with a hint."""
        run = cat(engine)
        with pytest.raises(InvalidInput) as caught:
            activity(engine, run.id, *span)
        assert caught.value.hint
