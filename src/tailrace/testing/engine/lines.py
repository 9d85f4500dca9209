"""Lines: by number, by the byte that they have, by time."""
# ruff: noqa: S101  (these are tests)

import asyncio
from contextlib import closing

import pytest

from tailrace.core.errors import InvalidInput, OffsetBeyondEnd
from tailrace.core.piece import Counted, Reach, Spot
from tailrace.core.timeline import Stream
from tailrace.engine.base import Engine
from tailrace.testing.engine.viewer import TWO_STREAMS, cat, ended, shell, watch_cursor, watch_until

LINES = b"first\n\nthird \xff\xfe\r\n\rlast"
PRINT_LINES = r"printf 'first\n\nthird \377\376\r\n\rlast'"
BEGINS = (0, 6, 7, 17)
MANY = 300_000
LAST_BEGINS = sum(len(str(number)) + 1 for number in range(1, MANY))


class LinesContract:
    """`Cursor.lines`, and `cursor` with `line`."""

    def test_lines_are_found_by_number(self, engine: Engine) -> None:
        """They are counted from 1, end at LF and only there, and the last one may lack its LF."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        for line, begin in enumerate(BEGINS, 1):
            with closing(engine.cursor(run.id, line=line)) as cursor:
                assert cursor.offset == begin
                assert watch_cursor(cursor).data == LINES[begin:]
        with pytest.raises(OffsetBeyondEnd) as caught:
            engine.cursor(run.id, line=5)
        assert caught.value.hint
        for wrong in (0, -1):
            with pytest.raises(InvalidInput):
                engine.cursor(run.id, line=wrong)

    def test_the_handle_follows_from_a_line(self, engine: Engine) -> None:
        """`follow` and `afollow` give what the cursor gives."""
        run = shell(engine, PRINT_LINES)
        ended(run)

        async def gather() -> bytes:
            return b"".join([chunk.data async for chunk in run.afollow(line=3)])

        assert b"".join(chunk.data for chunk in run.follow(line=3)) == asyncio.run(gather()) == LINES[BEGINS[2] :]

    def test_a_line_and_one_stream(self, engine: Engine) -> None:
        """Lines are those of the output, whichever stream is shown."""
        run = shell(engine, TWO_STREAMS)
        ended(run)
        whole = watch_until(engine, run.id, b"never").data.splitlines(keepends=True)
        for line in (1, 2, 3):
            with closing(engine.cursor(run.id, line=line, stream=Stream.STDOUT)) as cursor:
                assert watch_cursor(cursor).data == b"".join(text for text in whole[line - 1 :] if text != b"two\n")

    def test_every_byte_has_a_line(self, engine: Engine) -> None:
        """Its number, and where it begins; the end has the line that comes next."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        with closing(engine.cursor(run.id)) as cursor:
            lines = cursor.lines()
            for offset in range(len(LINES) + 1):
                line = sum(begin <= offset for begin in BEGINS)
                assert lines.at(offset) == Spot(line, BEGINS[line - 1])
            assert lines.count() == Counted(4, len(LINES), len(LINES))
            with pytest.raises(OffsetBeyondEnd):
                lines.at(len(LINES) + 1)
            assert cursor.offset == 0

    def test_a_live_run_has_the_lines_so_far(self, engine: Engine) -> None:
        """Half a line counts; the place behind the last LF is a line to come."""
        run = cat(engine)
        with closing(engine.cursor(run.id)) as cursor:
            lines = cursor.lines()
            assert (lines.count(), lines.begin(1), lines.at(0)) == (Counted(0, 0, 0), 0, Spot(1, 0))
            run.send(b"one\ntw")
            watch_cursor(cursor, until=b"tw")
            assert (lines.count(), lines.begin(2)) == (Counted(2, 6, 6), 4)
            with pytest.raises(OffsetBeyondEnd):
                lines.begin(3)
            run.send(b"o\n")
            watch_cursor(cursor, until=b"o\n")
            assert (lines.count(), lines.begin(3), lines.at(8)) == (Counted(2, 8, 8), 8, Spot(3, 8))
        run.close_input()
        ended(run)

    def test_many_lines(self, engine: Engine, elsewhere: Engine) -> None:
        """A long output is searched in steps; whoever asks, from wherever, gets the same."""
        run = shell(engine, f"seq {MANY}")
        info = ended(run)
        for one in (engine, elsewhere, engine):
            with closing(one.cursor(run.id)) as cursor:
                lines = cursor.lines()
                while not (counted := lines.count(1)).is_all:
                    assert lines.at(counted.end).line in (counted.lines, counted.lines + 1)
                assert counted == Counted(MANY, info.size, info.size)
                assert lines.begin(MANY) == LAST_BEGINS
                assert lines.at(LAST_BEGINS + 3) == Spot(MANY, LAST_BEGINS)
                for line in (1, 2, 99_999, 100_000, 100_001):
                    with closing(one.cursor(run.id, line=line)) as there:
                        assert watch_cursor(there, until=b"%d\n" % line).data.startswith(b"%d\n" % line)

    def test_lines_are_found_backwards(self, engine: Engine) -> None:
        """From any place, without counting; fewer where there are not so many, none where the beginning is too far."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        with closing(engine.cursor(run.id)) as cursor:
            lines = cursor.lines()
            for offset in range(1, len(LINES) + 1):
                line = sum(begin < offset for begin in BEGINS)
                for wanted in range(1, 6):
                    found = min(wanted, line)
                    assert lines.back(offset, wanted, 1 << 20) == Reach(found, BEGINS[line - found])

    def test_a_time_has_a_line(self, engine: Engine) -> None:
        """The one that the output had come to then."""
        run = cat(engine)
        with closing(engine.cursor(run.id)) as cursor:
            run.send(b"one\n")
            first = watch_cursor(cursor, until=b"one\n").chunks[-1]
            run.send(b"two\n")
            second = watch_cursor(cursor, until=b"two\n").chunks[-1]
            assert first.time_s is not None
            assert second.time_s is not None
            lines = cursor.lines()
            assert lines.at_time(0) == Spot(1, 0)
            assert lines.at_time(first.time_s) == Spot(1, 0) or first.time_s == second.time_s
            last = Spot(2, 4) if first.time_s < second.time_s else Spot(1, 0)  # what came together has one time
            ends = (last, Spot(3, 8))  # a record may stand ready for bytes that are still to come
            assert lines.at_time(second.time_s) == last
            assert lines.at_time(second.time_s + 1e6) in ends
            assert lines.offset_at(0) == 0
            assert lines.offset_at(second.time_s + 1e6) in [end.offset for end in ends]
        run.close_input()
        ended(run)
