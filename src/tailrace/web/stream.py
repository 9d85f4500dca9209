"""The body of a response that follows a run, for servers that take an iterator of bytes.

One loop looks at the output, and waits on two things together: the bell that rings when there may be more, and the
viewer's own socket. What the loop does when nothing is there, it does by due times: 50 ms after the last output the
framer lets go of what it held only to gather it; some time after anything was sent comes a heartbeat, and some time
after the last output, if the route wants it, an interval message; and after the bell rang, but at most four times a
second, it looks whether the run's state has changed.

How a body may stop: behind the recorded end, or, with `follow` off, where the output ended when it was asked for, it is
complete. Before that, a wire that aborts raises, so that the server cuts the connection without a terminating chunk; an
event stream just ends, and its client resumes. A text is cut at its end too where the run has no whole output, having
no other way to say so. What is raised is always a `ConnectionResetError`: of that one, servers know that nothing can be
sent any more. (After any other exception Werkzeug's server writes an error page into the stream, and the terminating
chunk behind it.)

Buffers: what one look gives, 256 KiB at most, and what the framer holds. The command waits for neither.
"""

import errno
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from tailrace.core.errors import StreamBroken, TailraceError
from tailrace.core.outcome import Cancelled, FailedToStart, Lost
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.wires import Framer
from tailrace.core.wires.gather import SILENCE_S
from tailrace.engine.base import Cursor, End
from tailrace.engine.run import Run
from tailrace.follow.bell import Bell
from tailrace.host.wait import give_way, readable
from tailrace.web import farewell
from tailrace.web.client import Client
from tailrace.web.pace import Pace

NEWS_S = 0.25
"""between two looks at the run's state"""
NEVER = float("inf")

Told: TypeAlias = tuple[State, str | None, str | None, int | None]
"""what viewers are told of as it changes"""


def ignore(_error: Exception) -> None:
    """Tell nobody."""


class Place(NamedTuple):
    """A viewer's place in a run."""

    run: Run
    info: RunInfo
    """the run as it was when it was asked for"""
    cursor: Cursor


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
        self._run, self._info, self._cursor = place
        self._framer = framer
        self._told = _told(self._info)
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
        self._cursor.close()
        if self._bell is not None:
            farewell.remove(self._bell)
            self._bell.close()
            self._bell = None

    def _pieces(self) -> Iterator[bytes]:
        yield self._framer.begin(self._info)
        while self._framer.aborts or not farewell.is_due():
            seen = self._cursor.look()
            if isinstance(seen, End):
                if not self._framer.tells_end and not is_whole(seen.run):
                    raise StreamBroken("the run has no end of its own", op="follow", subject=seen.run.id)
                yield self._framer.end(seen.run)
                return
            if data := self._gone_on(seen) if seen is not None else self._idle():
                yield data
                give_way()  # a viewer that takes all at once would hold up the other greenlets
            if self._stop_at is not None and (seen is None or self._cursor.offset >= self._stop_at):
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
        if stop_at is None or self._cursor.offset <= stop_at:
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
        """Wait until there may be more. The bell is cleared before the next look, so no ring is lost.

        Raises:
            ConnectionResetError: the viewer has left.
        """
        if self._bell is None:
            self._bell = Bell()
            self._cursor.on_change(self._bell.ring)
            if not self._framer.aborts:
                farewell.add(self._bell)
            self._news_at = self._news_due
            return
        ready = readable([self._bell.fd, *self._client.fds], min(timeout_s, self._client.ask_s))
        if self._bell.fd in ready:
            self._bell.clear()
            self._news_at = min(self._news_at, self._news_due)
        elif (ready or self._client.ask_s < NEVER) and self._client.is_gone():
            raise ConnectionResetError(errno.ECONNRESET, "the viewer has left")

    def _news(self) -> bytes:
        """Return the run's state, if what viewers are told of it has changed."""
        self._news_due = time.monotonic() + NEWS_S
        self._news_at = NEVER
        if not self._framer.tells_states:
            return b""
        info = self._run.info()
        if info.is_finished or _told(info) == self._told:
            return b""  # the end is told when the output is complete
        self._told = _told(info)
        return self._framer.state(info)


def is_whole(info: RunInfo) -> bool:
    """Tell whether a finished run's bytes are all there can be; a wire that adds nothing has no other way to say no.

    Of a lost run nobody knows; one that never ran printed nothing, which is not the same as a command that did so.
    """
    return not info.dropped and not isinstance(info.outcome, Lost | FailedToStart | Cancelled)


def _told(info: RunInfo) -> Told:
    return info.state, info.held, info.hint, info.queue_place
