"""Following: any offset, any time, any number of viewers, the same bytes."""
# ruff: noqa: S101  (these are tests)

import asyncio
import threading
from contextlib import closing
from functools import partial

import pytest

from tailrace.core.errors import InvalidInput, OffsetBeyondEnd, StreamBroken
from tailrace.core.outcome import Exited
from tailrace.core.states import State
from tailrace.core.timeline import Stream
from tailrace.engine.base import End, Engine, Retention
from tailrace.testing.engine.viewer import (
    TWO_STREAMS,
    cat,
    ended,
    in_threads,
    left_alone,
    python,
    shell,
    wait_until,
    watch,
    watch_cursor,
    watch_until,
)

LINES = b"first\n\nthird \xff\xfe\r\n\rlast"
NUMBERS = b"".join(b"%d\n" % n for n in range(1, 30001))
PRINT_LINES = r"printf 'first\n\nthird \377\376\r\n\rlast'"


class FollowingContract:
    """`cursor`, and the handle's `follow`, `afollow`, `events` and `wait`."""

    def test_every_offset_gives_the_rest(self, engine: Engine) -> None:
        """From each byte to the end, exactly; at the end nothing but the end; beyond it an error."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        for offset in range(len(LINES) + 1):
            seen = watch(engine, run.id, offset)
            assert seen.data == LINES[offset:]
            assert not seen.gaps
            assert seen.end is not None
        with pytest.raises(OffsetBeyondEnd):
            engine.cursor(run.id, len(LINES) + 1)
        with pytest.raises(InvalidInput):
            engine.cursor(run.id, -1)

    def test_chunks_follow_one_another(self, engine: Engine) -> None:
        """Each begins where the one before ended, and has at most 256 KiB; times never go back."""
        run = shell(engine, "seq 100000; seq 100 >&2; seq 100000")
        seen = watch(engine, run.id)
        at, last_s = 0, 0.0
        for chunk in seen.chunks:
            assert chunk.offset == at
            assert 0 < len(chunk.data) <= 256 << 10
            assert chunk.time_s is not None
            assert chunk.time_s >= last_s
            at, last_s = chunk.end, chunk.time_s
        assert seen.end is not None
        assert at == seen.end.size

    def test_a_live_run_is_followed_as_it_prints(self, engine: Engine) -> None:
        """What is printed can be seen while the command waits; then nothing, until there is more."""
        run = cat(engine)
        with closing(engine.cursor(run.id)) as cursor:
            assert cursor.look() is None
            for word in (b"one\n", b"two", b"\n"):
                run.send(word)
                assert watch_cursor(cursor, until=word).data == word
            assert cursor.look() is None
            assert cursor.offset == 8
            run.close_input()
            seen = watch_cursor(cursor)
            assert (seen.data, seen.gaps) == (b"", [])
            assert seen.end is not None
            assert seen.end.outcome == Exited(0)
            assert isinstance(cursor.look(), End)

    def test_a_live_run_has_no_offset_beyond_what_there_is(self, engine: Engine) -> None:
        """A viewer that asks for bytes that do not exist yet has been told something wrong."""
        run = cat(engine)
        with pytest.raises(OffsetBeyondEnd):
            engine.cursor(run.id, 1)

    @pytest.mark.parametrize(
        ("tail", "rest"),
        [
            (0, b""),
            (1, b"\rlast"),
            (2, b"third \xff\xfe\r\n\rlast"),
            (3, b"\nthird \xff\xfe\r\n\rlast"),
            (4, LINES),
            (99, LINES),
        ],
    )
    def test_tail_counts_lines(self, engine: Engine, tail: int, rest: bytes) -> None:
        """A line ends at LF and only there; an unfinished one counts."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        seen = watch(engine, run.id, tail=tail)
        assert seen.data == rest
        assert seen.end is not None

    def test_tail_below_nothing_is_refused(self, engine: Engine) -> None:
        """There is no such number of lines."""
        run = shell(engine, ":")
        ended(run)
        with pytest.raises(InvalidInput):
            engine.cursor(run.id, tail=-1)

    def test_tail_of_a_live_run_goes_on(self, engine: Engine) -> None:
        """The last lines of now, then what comes."""
        run = cat(engine)
        run.send(b"a\nb\nc\n")
        watch_until(engine, run.id, b"c\n")
        with closing(engine.cursor(run.id, tail=2)) as cursor:
            run.send(b"d\n")
            run.close_input()
            assert watch_cursor(cursor).data == b"b\nc\nd\n"

    def test_streams_are_told_apart(self, engine: Engine) -> None:
        """Each byte has the label of who wrote it, and one stream can be had alone, at its true offsets."""
        run = python(engine, "import os\nfor n in range(50): os.write(1, b'o%d\\n' % n); os.write(2, b'e%d\\n' % n)")
        seen = watch(engine, run.id)
        for stream, letter in ((Stream.STDOUT, "o"), (Stream.STDERR, "e")):
            wanted = "".join(f"{letter}{n}\n" for n in range(50)).encode()
            assert seen.of(stream) == wanted
            alone = watch(engine, run.id, stream=stream)
            assert alone.data == wanted
            assert all(seen.data[chunk.offset : chunk.end] == chunk.data for chunk in alone.chunks)
            assert alone.end is not None

    def test_merged_streams_are_one(self, engine: Engine) -> None:
        """On one pipe the order is exactly that of writing."""
        run = shell(engine, TWO_STREAMS, merge=True)
        seen = watch(engine, run.id)
        assert seen.of(Stream.STDOUT) == b"one\ntwo\nthree\n"

    def test_nothing_is_followed_to_its_end(self, engine: Engine) -> None:
        """A silent run has an end, and no bytes."""
        run = shell(engine, ":")
        seen = watch(engine, run.id)
        assert (seen.chunks, seen.gaps) == ([], [])
        assert seen.end == ended(run)

    def test_two_viewers_see_the_same(self, engine: Engine, elsewhere: Engine) -> None:
        """One from the start and one that came late, one of them from elsewhere."""
        run = engine.start(["seq", "30000"])
        wanted = NUMBERS
        late = watch_until(engine, run.id, b"\n9\n").data
        seen = in_threads(partial(watch, engine, run.id), partial(watch, elsewhere, run.id, len(late)))
        assert seen[0].data == wanted
        assert late + seen[1].data == wanted

    def test_a_viewer_that_does_not_read_holds_nobody_up(self, engine: Engine) -> None:
        """An open cursor that is never looked at, and one that left, change nothing for the others."""
        run = engine.start(["seq", "30000"])
        with closing(engine.cursor(run.id)) as idle:
            idle.on_change(lambda: None)
            engine.cursor(run.id).close()
            assert len(watch(engine, run.id).data) == len(NUMBERS)
            assert len(watch_cursor(idle).data) == len(NUMBERS)

    def test_a_closed_cursor_rings_no_more(self, engine: Engine) -> None:
        """After `close`, which may be repeated, the ring is certainly not used."""
        run = cat(engine)
        cursor = engine.cursor(run.id)
        rings = threading.Event()
        cursor.on_change(rings.set)
        cursor.close()
        cursor.close()
        rings.clear()
        run.send(b"x")
        watch_until(engine, run.id, b"x")
        assert not rings.is_set()

    def test_a_ring_comes_once_and_again_when_it_says_so(self, engine: Engine) -> None:
        """At once, though nothing happens; and later, as often as it asks for that."""
        run = cat(engine)
        with closing(engine.cursor(run.id)) as cursor:
            left, done = [0.02, 0.0, None], threading.Event()

            def ring() -> float | None:
                if len(left) == 1:
                    done.set()
                return left.pop(0) if left else None

            cursor.on_change(ring)
            assert done.wait(60)

    def test_more_gives_output_alone(self, engine: Engine) -> None:
        """What is there, then nothing yet; at the end it says that something else comes, and `look` tells what."""
        run = cat(engine)
        with closing(engine.cursor(run.id)) as cursor:
            assert cursor.more() == []
            run.send(b"one\n")
            chunks = wait_until(cursor.more)
            assert b"".join(chunk.data for chunk in chunks or ()) == b"one\n"
            assert cursor.more() == []
            assert cursor.info().state is State.RUNNING
            run.close_input()
            assert wait_until(lambda: cursor.more() is None)
            assert isinstance(cursor.look(), End)
            assert cursor.info().outcome == Exited(0)

    def test_a_look_stops_where_it_is_told_to(self, engine: Engine) -> None:
        """Nothing is given from there on, and nothing is said of what comes."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        with closing(engine.cursor(run.id)) as cursor:
            chunks = cursor.look(until=7)
            assert isinstance(chunks, list)
            assert b"".join(chunk.data for chunk in chunks) == LINES[:7]
            assert cursor.look(until=7) is None
            assert watch_cursor(cursor).data == LINES[7:]

    def test_another_cursor_goes_on(self, engine: Engine) -> None:
        """From any offset, whatever becomes of the first one."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        with closing(engine.cursor(run.id)) as cursor:
            others = [cursor.at(offset) for offset in (0, 3, len(LINES))]
        for other, rest in zip(others, (LINES, LINES[3:], b""), strict=True):
            with closing(other):
                assert watch_cursor(other).data == rest

    def test_the_handle_follows(self, engine: Engine) -> None:
        """`follow` gives chunks until the end, from an offset, a tail, or one stream."""
        run = shell(engine, TWO_STREAMS)
        ended(run)
        whole = b"".join(chunk.data for chunk in run.follow())
        assert sorted(whole.split()) == [b"one", b"three", b"two"]
        assert b"".join(chunk.data for chunk in run.follow(4)) == whole[4:]
        assert b"".join(chunk.data for chunk in run.follow(tail=1)) == whole.splitlines(keepends=True)[-1]
        assert b"".join(chunk.data for chunk in run.follow(stream="stderr")) == b"two\n"

    def test_the_handle_follows_asynchronously(self, engine: Engine) -> None:
        """`afollow` gives the same, to several viewers in one loop, while the command prints."""
        run = engine.start(["seq", "30000"])

        async def gather() -> bytes:
            return b"".join([chunk.data async for chunk in run.afollow()])

        async def twice() -> list[bytes]:
            return list(await asyncio.gather(gather(), gather()))

        wanted = NUMBERS
        assert asyncio.run(twice()) == [wanted, wanted]

    def test_a_cancelled_viewer_resumes(self, engine: Engine) -> None:
        """After cancellation nothing is held, and the last chunk's end is where to go on."""
        run = cat(engine)
        run.send(b"one\n")

        async def read_and_be_cancelled() -> int:
            ends: asyncio.Queue[int] = asyncio.Queue()

            async def read() -> None:
                async for chunk in run.afollow():
                    ends.put_nowait(chunk.end)

            task = asyncio.create_task(read())
            end = await ends.get()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return end

        end = asyncio.run(read_and_be_cancelled())
        assert end == 4
        run.send(b"two\n")
        run.close_input()
        assert b"".join(chunk.data for chunk in run.follow(end)) == b"two\n"

    def test_events_tell_of_silence(self, engine: Engine) -> None:
        """With a time limit, silence comes as None, again and again, and output all the same."""
        run = cat(engine)
        events = run.events(timeout_s=0.01)
        assert next(events) is None
        assert next(events) is None
        run.send(b"x")
        assert next(event for event in events if event is not None) is not None
        run.close_input()
        assert isinstance(list(events)[-1], End)

    def test_waiting_has_a_limit(self, engine: Engine) -> None:
        """A wait that times out leaves the run as it is."""
        run = cat(engine)
        for timeout in (0, 0.05):
            with pytest.raises(TimeoutError):
                run.wait(timeout=timeout)
        run.close_input()
        assert ended(run).outcome == Exited(0)
        assert run.wait(timeout=0).outcome == Exited(0)


class RemovedContract:
    """Cursors whose run has been pruned meanwhile."""

    def test_another_cursor_goes_on_from_anywhere(self, engine: Engine) -> None:
        """Also when the run has been removed; and the first one may be closed."""
        run = shell(engine, PRINT_LINES)
        ended(run)
        with closing(engine.cursor(run.id)) as cursor:
            others = [cursor.at(offset) for offset in (0, 3, len(LINES))]
            assert engine.prune(Retention(count=0)).runs == 1
            others.append(cursor.at(5))
        for other, rest in zip(others, (LINES, LINES[3:], b"", LINES[5:]), strict=True):
            with closing(other):
                seen = other.look() if rest else []
                assert isinstance(seen, list)
                assert b"".join(chunk.data for chunk in seen) == rest
                end = other.look()
                assert isinstance(end, End)
                assert end.run.outcome == Exited(0)

    def test_a_run_that_is_removed_before_its_end_was_seen(self, engine: Engine) -> None:
        """Who was too late for the end is told so, and does not wait for ever."""
        run = cat(engine)
        with closing(engine.cursor(run.id)) as cursor:
            run.send(b"one\n")
            run.close_input()
            left_alone(engine, run.id)
            engine.prune(Retention(count=0))
            chunks = cursor.look()
            assert isinstance(chunks, list)
            assert b"".join(chunk.data for chunk in chunks) == b"one\n"
            with pytest.raises(StreamBroken):
                watch_cursor(cursor)
