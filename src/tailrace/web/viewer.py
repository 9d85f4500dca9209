"""One viewer of a run: what it is to be sent, and when there is nothing, how long to wait. No waiting here.

One loop gives what is there: from the viewer's own place in the output, or, once that is at the end, from the broadcast
for all who are (`tailrace.web.broadcast`). Where nothing is there it asks its driver to rest until a bell rings or some
time has passed. What it does meanwhile, it does by due times: 50 ms after the last output the framer lets go of what it
held only to gather it; some time after anything was sent comes a heartbeat, and some time after the last output, if the
route wants it, an interval message; and after the bell rang, but at most four times a second, it looks whether the
run's state has changed.

A driver takes the steps and does the rest: a thread or a greenlet (`tailrace.web.stream`), or an event loop
(`tailrace.web.delivery`). It is complete behind the recorded end, or, with `follow` off, where the output ended when it
was asked for. A text has no whole output to show where the run has none, having no other way to say so: then the last
step raises.

Buffers: what one look gives, 64 KiB at most on a disk, and what the framer holds; or what the broadcast has that this
viewer has not, 256 KiB at most. The command waits for neither.
"""

import time
from collections.abc import Collection
from typing import NamedTuple

from tailrace.core.errors import StreamBroken, UnknownRun
from tailrace.core.outcome import Cancelled, FailedToStart, Lost, describe
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.wires import Framer
from tailrace.core.wires.gather import SILENCE_S
from tailrace.engine.base import Cursor, End, Passage
from tailrace.engine.run import Run
from tailrace.follow.waiter import IS_SHARED
from tailrace.web import broadcast
from tailrace.web.broadcast import NEVER, NEWS_S, Key, Member, Told, told
from tailrace.web.ear import Bell, Ear
from tailrace.web.pace import Pace
from tailrace.web.steps import Leaving, Rest, Steps, Stream

ALONE_S = 2.0
"""after a broadcast is over, a viewer looks for itself for so long: a dead keeper shows within a second"""
LAG_BYTES = 4 << 20
"""a viewer that is further behind is told so, on a wire that has a word for it"""
LAG_S = 3.0
"""but not more often than this"""
SKIPPED = "skipped on request"
PASSAGE_BYTES = 64 << 10
"""less is not worth a passage of its own"""
UNTOLD: Told = (State.RUNNING, None, None, None, 0, None, None)
"""on wires that never tell"""


class Place(NamedTuple):
    """A viewer's place in a run."""

    run: Run
    info: RunInfo
    """the run as it was when it was asked for"""
    cursor: Cursor
    is_whole: bool = True
    """whether all streams are wanted"""


class Viewer(Stream):
    """One viewer. Take its `steps` once; `close` it in any case.

    Args:
        place: where the viewer stands; its cursor is closed with the viewer.
        framer: the wire, at the cursor's offset.
        pace: what comes while the command is silent.
        stop_at: the offset behind which nothing is wanted; None: follow to the end.
    """

    __slots__ = (
        "_alone_until",
        "_beat_due",
        "_bell",
        "_cursor",
        "_ear",
        "_flush_due",
        "_info",
        "_interval_due",
        "_lag_due",
        "_may_share",
        "_news_at",
        "_news_due",
        "_pace",
        "_run",
        "_skips",
        "_stop_at",
        "_told",
        "_until",
        "framer",
        "is_complete",
        "member",
    )

    def __init__(self, place: Place, framer: Framer, *, pace: Pace, stop_at: int | None = None) -> None:
        self.framer = framer
        self.is_complete = False
        """whether it has given everything that was wanted"""
        self.member: Member | None = None
        """its place in the broadcast; None: it reads by itself"""
        self._run = place.run
        self._info: RunInfo | None = place.info
        self._cursor: Cursor | None = place.cursor
        self._may_share = IS_SHARED and stop_at is None and pace.interval_s is None and place.is_whole
        self._alone_until = 0.0
        self._until: int | None = None
        self._told = told(place.info) if framer.tells_states else UNTOLD
        self._pace = pace
        self._stop_at = stop_at
        self._ear: Ear | None = None
        self._bell: Bell | None = None
        self._flush_due = self._beat_due = self._news_at = self._interval_due = NEVER
        self._news_due = 0.0
        self._lag_due = NEVER if place.info.is_finished else 0.0  # who looks at what is over is not late
        self._skips = False

    def steps(self, ear: Ear) -> Steps:
        """Yield what is to be sent, as it comes, and rests in between; the first at once, if only to send the headers.

        Raises:
            Leaving: the server is, on a wire that must not look complete before its end.
            StreamBroken: what comes next cannot be had, or the run has no whole output, on a wire that cannot say so.
            EngineError, OSError: the output cannot be read.
        """
        self._ear = ear
        self._begin_interval()
        yield self._beginning()
        self._sent()
        while not ear.is_leaving():
            seen: list[Chunk] | Gap | None = None
            if self._skips:
                yield self._skipped()
                self._sent()
            if self.member is not None:
                step = self._shared(self.member)
            else:
                looked = self._own().look(self._until)
                if isinstance(looked, End):
                    ending = self._ending(looked.run)
                    self.is_complete = True
                    yield ending
                    return
                if looked is None and self._meets():
                    continue
                seen = looked
                step = self._idle() if seen is None else self._gone_on(seen)
            if isinstance(step, Rest):
                self._rested(is_rung=bool((yield step)))
            elif step:
                yield step
                self._sent()
            if self._is_at_stop(seen):
                self.is_complete = True
                yield self.framer.flush()
                return
        if self.framer.aborts:
            raise Leaving("the server is stopping")

    def close(self) -> None:
        """Let go of everything; the run goes on. Safe to repeat."""
        if self._ear is not None:
            self._deafen(self._ear)
        if self._cursor is not None:
            self._cursor.close()
        if self.member is not None:
            self.member.leave()
        if self._bell is not None:
            self._bell.close()
        self._cursor = self.member = self._bell = self._ear = None

    def skip(self) -> None:
        """Leave out everything up to the end of what there is now, from the next step on; a gap tells of it."""
        self._skips = True

    @property
    def aborts(self) -> bool:
        """See `Stream.aborts`."""
        return self.framer.aborts

    @property
    def head(self) -> Member | None:
        """See `Stream.head`."""
        return self.member

    @property
    def is_reading(self) -> bool:
        """See `Stream.is_reading`."""
        return self.member is None

    @property
    def wire(self) -> str:
        """See `Stream.wire`."""
        return self.framer.name

    @property
    def run_ids(self) -> tuple[str, ...]:
        """See `Stream.run_ids`."""
        return (self._run.id,)

    @property
    def commands(self) -> Collection[str]:
        """See `Stream.commands`."""
        command = None if self._info is None else self._info.command
        return () if command is None else (command,)

    def lag_bytes(self) -> int:
        """See `Stream.lag_bytes`."""
        if (member := self.member) is not None:
            return max(0, member.broadcast.log.end - member.offset)
        return max(0, self._run.info().size - self.framer.resume_offset)

    def count_behind(self) -> None:
        """See `Stream.count_behind`."""
        cursor = self._cursor if self.member is None else self.member.broadcast.cursor
        if cursor is not None:
            cursor.count_behind()

    def passage(self) -> Passage | None:
        """See `Stream.passage`."""
        if self._cursor is None or not self.framer.passes or self._pace.interval_s is not None:
            return None
        found = self._cursor.passage()
        ends = [end for end in (self._until, self._stop_at) if end is not None]
        if found is not None and ends:
            found = found._replace(end=min(found.end, *ends))
        return found if found is not None and found.end - found.begin >= PASSAGE_BYTES else None

    def pass_on(self, count: int) -> None:
        """See `Stream.pass_on`."""
        self._own().skip(count)
        self.framer.skip(count)

    @property
    def heartbeat_s(self) -> float:
        """See `Stream.heartbeat_s`."""
        return self._pace.heartbeat_s

    def heartbeat(self) -> bytes:
        """See `Stream.heartbeat`."""
        return self.framer.heartbeat()

    @property
    def key(self) -> Key:
        """What viewers that may share a broadcast have in common."""
        return (self._listener().hall, id(self._run.engine), self._run.id, self.framer.name)

    def _deafen(self, ear: Ear) -> None:
        if self._bell is not None:
            ear.deafen(self._bell)
        if self.member is not None:
            ear.deafen(self.member.bell)

    def _beginning(self) -> bytes:
        assert self._info is not None  # noqa: S101  # nosec B101 # for mypy
        data, self._info = self.framer.begin(self._info), None
        return data

    def _ending(self, info: RunInfo) -> bytes:
        if not self.framer.tells_end and not is_whole(info):
            raise _not_whole(info)
        return self.framer.end(info)

    def _is_at_stop(self, seen: list[Chunk] | Gap | None) -> bool:
        return self._stop_at is not None and (seen is None or self._own().offset >= self._stop_at)

    def _begin_interval(self) -> float:
        """Begin a new interval now."""
        now = time.monotonic()
        if self._pace.interval_s is not None:
            self._interval_due = now + self._pace.interval_s
        return now

    def _sent(self) -> None:
        self._beat_due = time.monotonic() + self._pace.heartbeat_s

    def _rested(self, *, is_rung: bool) -> None:
        if is_rung and self.member is None:
            self._news_at = min(self._news_at, self._news_due)

    def _gone_on(self, seen: list[Chunk] | Gap) -> bytes:
        now = self._begin_interval()
        self._flush_due = now + SILENCE_S
        is_begun = self._told[0] in (State.QUEUED, State.STARTING)
        news = self._news() if is_begun or now >= self._news_due + NEWS_S else b""
        self._news_at = self._news_due  # else it waits until the output has been sent
        if isinstance(seen, Gap):
            return news + self.framer.gap(seen)
        return b"".join([news, self._lag(now), *map(self.framer.output, self._wanted(seen))])

    def _lag(self, now: float) -> bytes:
        """Return how far behind the viewer is, if that is much, and it has not just been told."""
        if not self.framer.tells_lag or now < self._lag_due:
            return b""
        ahead = self._own().passage()
        behind = 0 if ahead is None else ahead.end - self.framer.resume_offset
        is_much = behind > LAG_BYTES
        self._lag_due = now + (LAG_S if is_much else NEWS_S)
        return self.framer.lagging(behind) if is_much else b""

    def _skipped(self) -> bytes:
        """Go to the end of what there is now, alone for the moment; return the gap."""
        self._skips = False
        if self.member is not None:
            self._part(self.member)
        begin, end = self._own().offset, self._own().info().size
        if self._stop_at is not None:
            end = min(end, self._stop_at)
        if end <= begin:
            return b""
        there = self._own().at(end)
        self._own().close()
        self._cursor, self._until = there, None
        self._silence()
        return self.framer.gap(Gap(begin, end, SKIPPED))

    def _silence(self) -> None:
        """Have the viewer's own bell rung no more; it gets another when it needs one."""
        if self._bell is not None:
            self._listener().deafen(self._bell)
            self._bell.close()
            self._bell = None

    def _wanted(self, chunks: list[Chunk]) -> list[Chunk]:
        """Return the chunks without what lies behind `stop_at`."""
        stop_at = self._stop_at
        if stop_at is None or self._own().offset <= stop_at:
            return chunks
        return [chunk._replace(data=chunk.data[: stop_at - chunk.offset]) for chunk in chunks if chunk.offset < stop_at]

    def _idle(self) -> bytes | Rest:
        """Return what is to be said while there is no output; a rest if there is nothing."""
        now = time.monotonic()
        if now >= self._flush_due:
            self._flush_due = NEVER
            return self.framer.flush()
        if now >= self._news_at:
            return self._news()
        if now >= self._interval_due:
            self._begin_interval()
            return self.framer.interval(self._pace.interval_text)
        if now >= self._beat_due:
            self._sent()
            return self.framer.heartbeat()
        if self._stop_at is not None:
            return b""
        if self._bell is None:
            self._watch()
            return b""
        return Rest(min(self._flush_due, self._beat_due, self._news_at, self._interval_due) - now)

    def _watch(self) -> None:
        """Have a bell rung from now on; what came before is to be looked at again."""
        self._bell = self._listener().make_bell()
        self._listener().listen(self._bell)
        with self._listener().watching():
            self._own().on_change(self._bell.ring)
        self._news_at = self._news_due

    def _news(self) -> bytes:
        """Return the run's state, if what viewers are told of it has changed."""
        self._news_due = time.monotonic() + NEWS_S
        self._news_at = NEVER
        if not self.framer.tells_states:
            return b""
        try:
            info = self._run.info()
        except UnknownRun:  # it has just been removed; its output can be read to its end all the same
            return b""
        if info.is_finished or told(info) == self._told:
            return b""  # the end is told when the output is complete
        self._told = told(info)
        return self.framer.state(info)

    def _listener(self) -> Ear:
        assert self._ear is not None  # noqa: S101  # nosec B101 # for mypy
        return self._ear

    # Together with others

    def _own(self) -> Cursor:
        """Return the viewer's own place; one that is in a broadcast has none."""
        assert self._cursor is not None  # noqa: S101  # nosec B101 # for mypy
        return self._cursor

    def _meets(self) -> bool:
        """Nothing more is there: begin or join the broadcast, or go towards it; false if neither is possible now."""
        if not self._may_share or time.monotonic() < self._alone_until:
            return False
        offset, has_more, self._until = self.framer.resume_offset, self._until is not None, None
        place = broadcast.place_of(self.key, offset)
        if place is None:
            return self._begins() or has_more
        if place > self._own().offset:
            self._until = place
            return True
        if (member := broadcast.join(self.key, offset, self._told)) is None:
            return has_more
        self._own().close()
        self._enter(member)
        return True

    def _begins(self) -> bool:
        if self._own().info().state is State.QUEUED:
            return False  # who waits for a runner looks after it
        if (member := broadcast.begin(self.key, self._own(), self.framer, self._told, self._listener())) is None:
            return False
        self._enter(member)
        return True

    def _enter(self, member: Member) -> None:
        self._cursor, self.member = None, member
        self._listener().listen(member.bell)
        self._silence()

    def _shared(self, member: Member) -> bytes | Rest:
        """Return what has come to all; a rest if there is nothing."""
        data = member.take()
        if data is None:
            self._part(member)
        elif not data:
            now = time.monotonic()
            if now < self._beat_due:
                return Rest(self._beat_due - now)
            self._sent()
            return self.framer.heartbeat()
        return data or b""

    def _part(self, member: Member) -> None:
        """Go on alone."""
        self._told = member.told if self.framer.tells_states else UNTOLD
        now = time.monotonic()
        if member.is_over:
            self._alone_until = now + ALONE_S
        self.member = None
        self._listener().deafen(member.bell)
        self._cursor, self.framer = member.part()
        self._flush_due = now + SILENCE_S


def is_whole(info: RunInfo) -> bool:
    """Tell whether a finished run's bytes are all there can be; a wire that adds nothing has no other way to say no.

    Of a lost run nobody knows; one that never ran printed nothing, which is not the same as a command that did so.
    """
    return not info.dropped and not isinstance(info.outcome, Lost | FailedToStart | Cancelled)


def _not_whole(info: RunInfo) -> StreamBroken:
    how = "bytes of it were not kept" if info.outcome is None or info.dropped else describe(info.outcome)
    return StreamBroken(
        f"run {info.id} has no whole output: {how}",
        op="follow",
        subject=info.id,
        hint="the wires that can tell how a run ended do so: lines, sse, ndjson, cast",
    )
