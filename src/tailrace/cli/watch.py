"""The loop behind `run` and `follow`: shows an output until its end, and stays attentive meanwhile.

Nothing in it blocks but one poll: on the run's news, on signals, and on whichever descriptor of ours is full. So ^C
works while a pager holds our output up, and a viewer that is slow costs the command nothing.
"""

import os
import select
import time
from contextlib import closing
from typing import Protocol, runtime_checkable

from tailrace.cli import talk
from tailrace.cli.face import Face, Piece
from tailrace.cli.signals import Signals
from tailrace.cli.sink import Sink
from tailrace.core.piece import Gap
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.engine.base import Cursor, End
from tailrace.engine.run import LIMIT_GAP, Run
from tailrace.follow.bell import Bell

NEWS_S = 0.1
"""between two looks at how the run is, while that may change at any moment"""
SELDOM_S = 1.0
"""and otherwise"""
HALF_BYTES = 4
"""no half character of UTF-8 has so many"""
SILENCE_S = 0.05
"""after which text is shown without its newline"""


class Left(Exception):
    """We leave before the run's end, which goes on; not an error."""

    def __init__(self, exit_code: int, why: str = "") -> None:
        super().__init__(why)
        self.exit_code = exit_code
        self.why = why


class Unwritable(Exception):
    """Our own output cannot be written to; the message says why."""


@runtime_checkable
class Link(Protocol):
    """A cursor whose run is elsewhere: it knows what it was told, and that the connection was lost."""

    def info(self) -> RunInfo:
        """Return the run as it was told last; nothing is asked."""

    def take_news(self) -> list[str]:
        """Return what is to be said of the connection since the last time."""


class Attendant(Protocol):
    """What a command does beside showing the output."""

    def on_signal(self, number: int) -> None:
        """Deal with a signal; `Left` ends the watching."""

    def on_news(self, info: RunInfo) -> None:
        """Take a look at how the run is: now and then, and once at its end."""


class Watch:
    """One viewing of one run.

    Args:
        run: what to watch.
        cursor: where to begin; closed at the end of `until_end`.
        face: the form in which it is shown.
        signals: what the user may press.
        attendant: who deals with signals and news.
    """

    def __init__(self, run: Run, cursor: Cursor, face: Face, *, signals: Signals, attendant: Attendant) -> None:
        self._run = run
        self._cursor = cursor
        self._face = face
        self._signals = signals
        self._attendant = attendant
        self._link = cursor if isinstance(cursor, Link) else None
        self._bell = Bell()
        self._is_here = os.isatty(talk.STDERR)
        self._state: State | None = None
        self._untold: RunInfo | None = None
        """a state that the face has yet to show: never in the middle of something else"""
        self._news_at = 0.0
        self._is_silent = True
        self.offset = cursor.offset
        """everything before it was written out"""
        self.is_broken = False
        """whether bytes were missing that no limit left out on purpose"""
        self.is_raw = False
        """whether our terminal does nothing by itself, not even go to the line's start after its end"""

    def until_end(self, *, follow: bool = True) -> RunInfo:
        """Show what there is and what comes, and return the run as it ended (or is, without `follow`).

        Raises:
            Left: a signal said so.
            BrokenPipeError: nobody reads our output any more.
            Unwritable: it cannot be written.
            EngineError: the run cannot be read.
        """
        with closing(self._bell), closing(self._cursor):
            begun = self._info()
            self._put(self._face.begin(begun))
            is_watching = False
            while True:
                self._bell.clear()
                self._attend()
                self._tell_state()
                seen = self._cursor.look()
                if isinstance(seen, End):
                    return self._finish(seen.run)
                if isinstance(seen, Gap):
                    self._tell_gap(seen)
                elif seen is not None:
                    for chunk in seen:
                        self._put(self._face.output(chunk))
                        self.offset = chunk.end
                    self._is_silent = False
                elif not follow and self._has_all(begun):
                    return self._finish(self._info())
                elif is_watching:
                    self._rest()
                else:
                    self._cursor.on_change(self._bell.ring)
                    is_watching = True

    def _has_all(self, info: RunInfo) -> bool:
        """Tell whether what there was has been shown; half a character comes from elsewhere when it is whole."""
        missing = info.size - self._cursor.offset
        return missing <= 0 or (self._link is not None and missing < HALF_BYTES)

    def say(self, message: str) -> None:
        """Say a line on stderr, on a line of its own where the output goes to the same terminal."""
        end = "\r\n" if self.is_raw else "\n"
        if self._is_here and any(sink.is_terminal and not sink.is_at_line_start for sink in self._face.sinks):
            talk.write(end)
            for sink in self._face.sinks:
                sink.is_at_line_start = True
        talk.say(message, end=end)

    def note_echo(self) -> None:
        """A key was pressed for which the terminal shows something, `^C`: it is not at a line's start now."""
        for sink in self._face.sinks:
            sink.is_at_line_start = False

    def _rest(self) -> None:
        """Wait for whatever comes; what waits for its newline is shown after a little silence."""
        if self._is_silent:
            self._wait(None, NEWS_S if self._state in (State.QUEUED, State.STARTING, State.STOPPING) else SELDOM_S)
        elif not self._wait(None, SILENCE_S):
            self._put(self._face.silence())
            self._is_silent = True

    def _wait(self, full: Sink | None, timeout_s: float) -> bool:
        """Wait for news, signals, or room in a sink that is full; False if nothing came."""
        poll = select.poll()
        poll.register(self._signals.fd, select.POLLIN)
        if full is None:
            poll.register(self._bell.fd, select.POLLIN)
        else:
            poll.register(full.fd, select.POLLOUT)
        return bool(poll.poll(timeout_s * 1000))

    def _attend(self) -> None:
        """Deal with signals, and look now and then at how the run is."""
        for number in self._signals.take():
            self._attendant.on_signal(number)
            self._news_at = 0.0
        for message in self._link.take_news() if self._link is not None else ():
            self.say(message)
        now = time.monotonic()
        if now >= self._news_at:
            self._news_at = now + NEWS_S
            self._take_news(self._info())

    def _info(self) -> RunInfo:
        """Return the run as it is now; one that is elsewhere, as it was told last: asking takes time, or is in vain."""
        return self._run.info() if self._link is None else self._link.info()

    def _take_news(self, info: RunInfo) -> None:
        if self._state is not None and info.state is not self._state and not info.is_finished:
            self._untold = info
        self._state = info.state
        self._attendant.on_news(info)

    def _tell_state(self) -> None:
        if self._untold is not None:
            info, self._untold = self._untold, None
            self._put(self._face.state(info))

    def _tell_gap(self, gap: Gap) -> None:
        self._put(self._face.gap(gap))
        self.is_broken = self.is_broken or gap.why != LIMIT_GAP
        if not self._face.tells:
            self.say(f"bytes {gap.begin} to {gap.end} are missing: {gap.why}")
        self.offset = gap.end

    def _finish(self, info: RunInfo) -> RunInfo:
        self._put(self._face.end(info) if info.is_finished else self._face.silence())
        self._attendant.on_news(info)
        return info

    def _put(self, pieces: list[Piece]) -> None:
        """Write everything, attentive while a sink is full."""
        for sink, data in pieces:
            view = memoryview(data)
            while view:
                written = _write(sink, view)
                view = view[written:]
                if not written:
                    self._wait(sink, NEWS_S)
                    self._attend()


def _write(sink: Sink, view: memoryview) -> int:
    try:
        return sink.write(view)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable((error.strerror or str(error)).lower()) from None
