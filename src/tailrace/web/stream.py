"""The body of a response that follows a run, for servers that take an iterator of bytes.

One loop gives what is there: from the viewer's own place in the output, or, once that is at the end, from the broadcast
for all who are (`tailrace.web.broadcast`). Where nothing is there it waits on two things together: the bell that rings
when there may be more, and the viewer's own socket. What it does meanwhile, it does by due times: 50 ms after the last
output the framer lets go of what it held only to gather it; some time after anything was sent comes a heartbeat, and
some time after the last output, if the route wants it, an interval message; and after the bell rang, but at most four
times a second, it looks whether the run's state has changed.

How a body may stop: behind the recorded end, or, with `follow` off, where the output ended when it was asked for, it is
complete. Before that, a wire that aborts raises, so that the server cuts the connection without a terminating chunk; an
event stream just ends, and its client resumes. A text is cut at its end too where the run has no whole output, having
no other way to say so. What is raised is always a `ConnectionResetError`: of that one, servers know that nothing can be
sent any more. (After any other exception Werkzeug's server writes an error page into the stream, and the terminating
chunk behind it.)

Buffers: what one look gives, 256 KiB at most, and what the framer holds; or what the broadcast has that this viewer has
not, 1 MiB at most. The command waits for neither.
"""

import errno
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tailrace.core.errors import StreamBroken, TailraceError, UnknownRun
from tailrace.core.outcome import Cancelled, FailedToStart, Lost, describe
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.wires import Framer
from tailrace.core.wires.gather import SILENCE_S
from tailrace.engine.base import Cursor, End
from tailrace.engine.run import Run
from tailrace.follow.bell import Bell
from tailrace.follow.waiter import IS_SHARED, Waiter, make_waiter
from tailrace.host.wait import give_way
from tailrace.web import broadcast, farewell
from tailrace.web.broadcast import NEVER, NEWS_S, Key, Member, Told, told
from tailrace.web.client import Client
from tailrace.web.pace import Pace

ALONE_S = 2.0
"""after a broadcast is over, a viewer looks for itself for so long: a dead keeper shows within a second"""
UNTOLD: Told = (State.RUNNING, None, None, None)
"""on wires that never tell"""


def ignore(_error: Exception) -> None:
    """Tell nobody."""


class Place(NamedTuple):
    """A viewer's place in a run."""

    run: Run
    info: RunInfo
    """the run as it was when it was asked for"""
    cursor: Cursor
    is_whole: bool = True
    """whether all streams are wanted"""


class Body:
    """One viewer's body. Iterate over it once; `close` it in any case.

    Args:
        place: where the viewer stands; its cursor is closed with the body.
        framer: the wire, at the cursor's offset.
        client: the viewer's connection.
        pace: what comes while the command is silent.
        stop_at: the offset behind which nothing is wanted; None: follow to the end.
    """

    def __init__(self, place: Place, framer: Framer, *, client: Client, pace: Pace, stop_at: int | None = None) -> None:
        self.report: Callable[[Exception], None] = ignore
        """told of an error that stops the stream early"""
        self._run, self._info = place.run, place.info
        self._cursor: Cursor | None = place.cursor
        self._framer = framer
        self._key: Key = (id(place.run.engine), place.run.id, framer.name)
        self._may_share = IS_SHARED and stop_at is None and pace.interval_s is None and place.is_whole
        self._member: Member | None = None
        self._alone_until = 0.0
        self._until: int | None = None
        self._waiter: Waiter | None = None
        self._told = told(self._info) if framer.tells_states else UNTOLD
        self._pace = pace
        self._client = client
        self._stop_at = stop_at
        self._bell: Bell | None = None
        self._flush_due = self._beat_due = self._news_at = self._interval_due = NEVER
        self._news_due = 0.0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes as they come; the first at once, if only to have the headers sent.

        Raises:
            ConnectionResetError: the stream stops before the recorded end, on a wire that must not look complete then.
        """
        try:
            self._rest()
            for data in self._pieces():
                self._beat_due = time.monotonic() + self._pace.heartbeat_s
                yield data
        except (TailraceError, OSError) as error:
            if not isinstance(error, ConnectionResetError):
                self.report(error)
            if self._framer.aborts and not self._client.cut():
                raise ConnectionResetError(errno.ECONNRESET, f"stopped before the recorded end: {error}") from error
        finally:
            self.close()

    def close(self) -> None:
        """Let go of everything; the run goes on. Safe to repeat."""
        farewell.remove(self)
        if self._cursor is not None:
            self._cursor.close()
        if self._member is not None:
            self._member.leave()
        if self._waiter is not None:
            self._waiter.close()
        if self._bell is not None:
            self._bell.close()
        self._cursor = self._member = self._waiter = self._bell = None

    def _pieces(self) -> Iterator[bytes]:
        yield self._framer.begin(self._info)
        while self._framer.aborts or not farewell.is_due():
            if self._member is not None:
                if data := self._shared(self._member):
                    yield data
                    give_way()
                continue
            seen = self._own().look(self._until)
            if isinstance(seen, End):
                if not self._framer.tells_end and not is_whole(seen.run):
                    raise _not_whole(seen.run)
                yield self._framer.end(seen.run)
                return
            if seen is None and self._may_share and time.monotonic() >= self._alone_until and self._meets():
                continue
            if data := self._gone_on(seen) if seen is not None else self._idle():
                yield data
                give_way()  # a viewer that takes all at once would hold up the other greenlets
            if self._stop_at is not None and (seen is None or self._own().offset >= self._stop_at):
                yield self._framer.flush()
                return

    def _rest(self) -> float:
        """Begin a new interval now."""
        now = time.monotonic()
        if self._pace.interval_s is not None:
            self._interval_due = now + self._pace.interval_s
        return now

    def _gone_on(self, seen: list[Chunk] | Gap) -> bytes:
        now = self._rest()
        self._flush_due = now + SILENCE_S
        is_begun = self._told[0] in (State.QUEUED, State.STARTING)
        news = self._news() if is_begun or now >= self._news_due + NEWS_S else b""
        self._news_at = self._news_due  # else it waits until the output has been sent
        if isinstance(seen, Gap):
            return news + self._framer.gap(seen)
        return b"".join([news, *map(self._framer.output, self._wanted(seen))])

    def _wanted(self, chunks: list[Chunk]) -> list[Chunk]:
        """Return the chunks without what lies behind `stop_at`."""
        stop_at = self._stop_at
        if stop_at is None or self._own().offset <= stop_at:
            return chunks
        return [chunk._replace(data=chunk.data[: stop_at - chunk.offset]) for chunk in chunks if chunk.offset < stop_at]

    def _idle(self) -> bytes:
        """Return what is to be said while there is no output; wait if there is nothing."""
        now = time.monotonic()
        if now >= self._flush_due:
            self._flush_due = NEVER
            return self._framer.flush()
        if now >= self._news_at:
            return self._news()
        if now >= self._interval_due:
            self._rest()
            return self._framer.interval(self._pace.interval_text)
        if now >= self._beat_due:
            self._beat_due = now + self._pace.heartbeat_s
            return self._framer.heartbeat()
        if self._stop_at is None:
            self._wait(min(self._flush_due, self._beat_due, self._news_at, self._interval_due) - now)
        return b""

    def _wait(self, timeout_s: float) -> None:
        """Wait until there may be more.

        Raises:
            ConnectionResetError: the viewer has left.
        """
        if self._bell is None:
            self._bell = Bell()
            self._listen(self._bell)
            self._own().on_change(self._bell.ring)
            self._news_at = self._news_due
            return
        if self._hear(timeout_s):
            self._news_at = min(self._news_at, self._news_due)

    def _listen(self, bell: Bell) -> None:
        if self._waiter is None:
            self._waiter = make_waiter()
        self._waiter.listen(bell)
        if not self._framer.aborts:
            farewell.add(self, bell)

    def _hear(self, timeout_s: float) -> bool:
        """Wait for the bell that is listened to; tell whether it rang. It is heard before the next look: none is lost.

        Raises:
            ConnectionResetError: the viewer has left.
        """
        assert self._waiter is not None  # noqa: S101  (for mypy)
        woken = self._waiter.wait(min(timeout_s, self._client.ask_s), self._client.fds)
        if (woken.by_peer or self._client.ask_s < NEVER) and self._client.is_gone():
            raise ConnectionResetError(errno.ECONNRESET, "the viewer has left")
        return woken.by_bell

    def _news(self) -> bytes:
        """Return the run's state, if what viewers are told of it has changed."""
        self._news_due = time.monotonic() + NEWS_S
        self._news_at = NEVER
        if not self._framer.tells_states:
            return b""
        try:
            info = self._run.info()
        except UnknownRun:  # it has just been removed; its output can be read to its end all the same
            return b""
        if info.is_finished or told(info) == self._told:
            return b""  # the end is told when the output is complete
        self._told = told(info)
        return self._framer.state(info)

    # Together with others

    def _own(self) -> Cursor:
        """Return the viewer's own place; one that is in a broadcast has none."""
        assert self._cursor is not None  # noqa: S101  (for mypy)
        return self._cursor

    def _meets(self) -> bool:
        """Nothing more is there: begin or join the broadcast, or go towards it; false if neither is possible now."""
        offset, has_more, self._until = self._framer.resume_offset, self._until is not None, None
        place = broadcast.place_of(self._key, offset)
        if place is None:
            return self._begins() or has_more
        if place > self._own().offset:
            self._until = place
            return True
        if (member := broadcast.join(self._key, offset, self._told)) is None:
            return has_more
        self._own().close()
        self._enter(member)
        return True

    def _begins(self) -> bool:
        if self._own().info().state is State.QUEUED:
            return False  # who waits for a runner looks after it
        if (member := broadcast.begin(self._key, self._own(), self._framer, self._told)) is None:
            return False
        self._enter(member)
        return True

    def _enter(self, member: Member) -> None:
        self._cursor, self._member = None, member
        self._listen(member.bell)
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def _shared(self, member: Member) -> bytes:
        """Return what has come to all; wait if there is nothing."""
        data = member.take()
        if data is None:
            self._part(member)
        elif not data:
            now = time.monotonic()
            if now >= self._beat_due:
                self._beat_due = now + self._pace.heartbeat_s
                return self._framer.heartbeat()
            self._hear(self._beat_due - now)
        return data or b""

    def _part(self, member: Member) -> None:
        """Go on alone."""
        self._told = member.told if self._framer.tells_states else UNTOLD
        now = time.monotonic()
        if member.is_over:
            self._alone_until = now + ALONE_S
        self._member = None
        farewell.remove(self)
        self._cursor, self._framer = member.part()
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
