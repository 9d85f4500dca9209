"""One reading of a run for all its viewers that have come to its end.

Theory of operation. A viewer reads on by itself, with a cursor and a framer of its own, until nothing more is there.
Then it joins the broadcast of its run and wire, if that stands at the same offset, and lets go of its own; if there is
no broadcast, it begins one, with what it has. From then on the watcher's thread reads each new piece once, frames it
once, puts it into the log, and rings one bell, which all members hear. A member takes from the log what it has not had.
Nothing is locked for that: the log is a value, replaced as a whole.

To join, a viewer must stand where a piece ends. So it first has the broadcast read what is there now, out of turn, and
then reads up to that place by itself, and no further.

A member whose next piece is in the log no more (its client is slow), parts: it reads on by itself from its own offset,
and joins again when it has caught up. All part when something else comes than output: a gap, the end, a dead keeper,
or more than the log can hold. So whatever is not plain streaming happens in one place, the viewer's own loop.

Under load pieces are gathered: a broadcast of n members rings at most once in n times `Ear.member_s`, the first piece
after a pause at once. So what all members together cost is bounded, however fast the command prints.
"""

import os
import time
from typing import Final, NamedTuple, TypeAlias

from tailrace.core.errors import EngineError
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.wires import Framer
from tailrace.core.wires.gather import SILENCE_S
from tailrace.engine.base import Cursor
from tailrace.host import real
from tailrace.web.ear import Bell, Ear

GATHER_AT_MOST_S = 0.1
LOG_BYTES = 256 << 10
"""what a log has at most; a member may be behind by half of it"""
LOG_PIECES = 1024
"""the same, where pieces are small"""
FULL_BYTES = 32 << 10
"""less than that, at one look, is all there is; probably"""
KEEP_S = 1.0
"""for members that are late; then a silent run's log is empty"""
SOON_S = 0.005
NEWS_S = 0.25
"""between two looks at the run's state"""
NEVER = float("inf")

Told: TypeAlias = tuple[State, str | None, str | None, int | None, int, int | None, int | None]
"""what viewers are told of as it changes"""
Key: TypeAlias = tuple[int, int, str, str]
"""the hall, the engine's id(), the run's id, the wire"""


def told(info: RunInfo) -> Told:
    """Return what viewers are told of the run as it changes."""
    return info.state, info.held, info.hint, info.queue_place, len(info.ladder), info.rows, info.columns


class Piece(NamedTuple):
    """Bytes for every member."""

    end: int
    """where a client could resume after it"""
    data: bytes


class Log(NamedTuple):
    """The last pieces, in order, and where things stand after them. Pieces are only ever added at the list's end."""

    first: int
    """the number of the list's first piece; they are counted from 0"""
    next: int
    """the number of the piece that is to come; the list may be ahead of it"""
    pieces: list[Piece]
    end: int
    """where a client could resume after the last"""
    told: Told

    def since(self, number: int) -> list[Piece]:
        """Return the pieces from this number on."""
        return self.pieces[number - self.first : self.next - self.first]

    def latest(self, most_bytes: int) -> list[Piece]:
        """Return the last pieces that are no more than so many bytes."""
        size = 0
        for at in range(len(self.pieces) - 1, -1, -1):
            size += len(self.pieces[at].data)
            if size > most_bytes:
                return self.pieces[at + 1 :]
        return self.pieces[:]


class Broadcast:
    """Made by its first member, whose cursor and framer it keeps."""

    def __init__(self, cursor: Cursor, framer: Framer, at: Told, ear: Ear) -> None:
        """Begin at the cursor's offset.

        Args:
            cursor: at the end of what there is now.
            framer: which has framed what lies before; it may hold something back.
            at: what the first member was told of the run.
            ear: how the members hear.

        Raises:
            OSError: this process has too many files open.
        """
        self.cursor = cursor
        self.framer = framer
        self.first_offset = framer.resume_offset
        self.members = 1
        self.is_over = False
        """only what is in the log will come"""
        self.log = Log(0, 0, [], framer.resume_offset, at)
        self._told = at
        self._log_bytes = 0
        self.bell = ear.make_shared_bell()
        self._member_s = ear.member_s
        self._turn = real.make_lock()
        self._due = self._news_due = 0.0
        self._news_at = self._empty_at = self._again_at = NEVER
        self._flush_at = time.monotonic() + SILENCE_S if self._is_holding() else NEVER

    def begin(self, ear: Ear) -> None:
        """Read on from now."""
        try:
            with ear.watching():
                self.cursor.on_change(self.ring)
        except (OSError, EngineError):  # it cannot be watched: each member finds that out by itself
            with self._turn:
                self.is_over = True
                self.bell.ring()

    def ring(self, *, out_of_turn: bool = False) -> float | None:
        """Read what has come, and wake the members; called by the watcher. Return the seconds until the next time."""
        with self._turn:
            try:
                return self._ring(out_of_turn=out_of_turn)
            except Exception:  # noqa: BLE001  the watcher serves others too; each member will meet it by itself
                self.is_over = True
                self.bell.ring()
                return None

    def _ring(self, *, out_of_turn: bool) -> float | None:
        if self.is_over:
            self.bell.ring()
            return None
        now = time.monotonic()
        if self.framer.tells_states:
            self._news_at = min(self._news_at, self._news_due)
        if now < self._due and not out_of_turn:
            return self._due - now
        self._again_at = NEVER
        pieces = self._pieces(now)
        if pieces:
            self._due = now + min(self.members * self._member_s, GATHER_AT_MOST_S)
            self._empty_at = now + KEEP_S
            self._add(pieces)
        elif now >= self._empty_at:
            self._empty_at = NEVER
            self._keep([])
        if pieces or self.is_over:
            self.bell.ring()
        soonest = min(self._flush_at, self._news_at, self._empty_at, self._again_at)
        return None if soonest == NEVER else max(0.0, soonest - now)

    def close(self) -> None:
        """Let go of everything; nobody is a member any more."""
        with self._turn:
            self.is_over = True  # nobody reads or rings from here on
        self.cursor.close()
        with self._turn:
            self.bell.close()

    def _pieces(self, now: float) -> list[Piece]:
        """Return what is to be sent. News of a run that goes wait until its output has been sent, but not for ever."""
        if self._told[0] is State.STARTING or now >= self._news_due + NEWS_S:
            return self._news(now) + self._output(now) + self._flushed(now)
        if pieces := self._output(now) + self._flushed(now):
            if self.framer.tells_states:
                self._news_at = max(self._news_at, now + SOON_S)
            return pieces
        return self._news(now)

    def _add(self, pieces: list[Piece]) -> None:
        log = self.log
        log.pieces.extend(pieces)
        self.log = Log(log.first, log.first + len(log.pieces), log.pieces, pieces[-1].end, self._told)
        self._log_bytes += sum([len(piece.data) for piece in pieces])
        if self._log_bytes > LOG_BYTES or len(log.pieces) > LOG_PIECES:
            self._keep(self.log.latest(LOG_BYTES // 2)[-LOG_PIECES // 2 :])

    def _keep(self, pieces: list[Piece]) -> None:
        """Drop all other pieces; they are the last ones, in a list of their own."""
        self.log = self.log._replace(first=self.log.next - len(pieces), pieces=pieces)
        self._log_bytes = sum(len(piece.data) for piece in pieces)

    def _output(self, now: float) -> list[Piece]:
        """Return what was printed, as one piece. It is sent before it is looked whether that was all."""
        framed, size = [], 0
        while chunks := self.cursor.more():
            for chunk in chunks:
                framed.append(self.framer.output(chunk))
                size += len(framed[-1])
            if size > LOG_BYTES // 2:
                break
            if chunks[-1].end - chunks[0].offset < FULL_BYTES:
                self._again_at = now
                break
        self.is_over = chunks is None or size > LOG_BYTES // 2
        if framed:
            self._flush_at = now + SILENCE_S if self._is_holding() else NEVER
        return self._piece(b"".join(framed))

    def _is_holding(self) -> bool:
        return self.framer.resume_offset < self.cursor.offset

    def _flushed(self, now: float) -> list[Piece]:
        """Return what was held back only to gather it, when it has been silent for long enough."""
        if now < self._flush_at:
            return []
        self._flush_at = NEVER
        return self._piece(self.framer.flush())

    def _news(self, now: float) -> list[Piece]:
        """Return the run's state, if what viewers are told of it has changed."""
        if now < self._news_at:
            return []
        self._news_due, self._news_at = now + NEWS_S, NEVER
        info = self.cursor.info()
        if info.is_finished or info.damage or info.state is State.QUEUED or told(info) == self._told:
            return []  # the end, and a run that has been removed, are for each viewer's own loop
        self._told = told(info)
        return self._piece(self.framer.state(info))

    def _piece(self, data: bytes) -> list[Piece]:
        return [Piece(self.framer.resume_offset, data)] if data else []


class Member:
    """One viewer's place in a broadcast. `leave` it in any case."""

    __slots__ = ("_is_in", "_key", "_told", "broadcast", "number", "offset")

    def __init__(self, key: Key, broadcast: Broadcast, number: int, offset: int, at: Told) -> None:
        self._told = at
        self.offset = offset
        """where its client could resume"""
        self._key = key
        self.broadcast = broadcast
        self.number = number
        """of the next piece that it has not had"""
        self._is_in = True

    @property
    def bell(self) -> Bell:
        """What rings when there may be more, or all is over."""
        return self.broadcast.bell

    @property
    def told(self) -> Told:
        """What was last told of the run's state; of one that is behind, perhaps not the last."""
        log = self.broadcast.log
        return log.told if self.number == log.next else self._told

    def take(self) -> bytes | None:
        """Return what has come since the last time, empty if nothing has; None: part, for nothing more comes here."""
        is_over, log = self.broadcast.is_over, self.broadcast.log
        if self.number < log.first:
            return None
        if self.number == log.next:
            return None if is_over else b""
        pieces = log.since(self.number)
        self.number, self.offset = log.next, pieces[-1].end
        return pieces[0].data if len(pieces) == 1 else b"".join([piece.data for piece in pieces])

    @property
    def is_over(self) -> bool:
        """Whether the broadcast ends here for everybody, and something else comes than output."""
        return self.broadcast.is_over

    def part(self) -> tuple[Cursor, Framer]:
        """Leave, and return a cursor and a framer that go on from here.

        Raises:
            EngineError: this process has too many files open.
        """
        try:
            return self.broadcast.cursor.at(self.offset), self.broadcast.framer.at(self.offset)
        finally:
            self.leave()

    def leave(self) -> None:
        """Be a member no longer; the last one closes the broadcast. Safe to repeat."""
        if not self._is_in:
            return
        self._is_in = False
        with _guard:
            self.broadcast.members -= 1
            is_last = not self.broadcast.members
            if is_last and _broadcasts.get(self._key) is self.broadcast:
                del _broadcasts[self._key]
        if is_last:
            self.broadcast.close()


def place_of(key: Key, offset: int) -> int | None:
    """Return the offset at which who stands at `offset` can join; None: there is no broadcast of this key."""
    with _guard:
        broadcast = _broadcasts.get(key)
    if broadcast is None or broadcast.is_over:
        return None
    if broadcast.log.end < offset:
        broadcast.ring(out_of_turn=True)
    return broadcast.log.end


def join(key: Key, offset: int, at: Told) -> Member | None:
    """Join the broadcast of this key; None if there is none that goes on from the offset, and has told the same."""
    with _guard:
        broadcast = _broadcasts.get(key)
        if broadcast is None or broadcast.is_over:
            return None
        log = broadcast.log
        if (log.end, log.told) != (offset, at):
            return None
        broadcast.members += 1
    return Member(key, broadcast, log.next, offset, at)


def begin(key: Key, cursor: Cursor, framer: Framer, at: Told, ear: Ear) -> Member | None:
    """Begin a broadcast with a viewer's cursor and framer, which are its own from now on; None: it has one already.

    Raises:
        OSError: this process has too many files open; cursor and framer stay the viewer's.
    """
    with _guard:
        if (other := _broadcasts.get(key)) is not None and not other.is_over:
            return None
        broadcast = _broadcasts[key] = Broadcast(cursor, framer, at, ear)
    member = Member(key, broadcast, 0, broadcast.first_offset, at)
    try:
        broadcast.begin(ear)  # not under the guard: it may let other greenlets run
    except BaseException:
        member.leave()
        raise
    return member


def going() -> list[Broadcast]:
    """Return the broadcasts of this process: how many runs are being watched at their ends, and by how many."""
    with _guard:
        return list(_broadcasts.values())


_broadcasts: Final[dict[Key, Broadcast]] = {}
_guard = real.make_lock()


def _forget_parents() -> None:
    """In a forked child: the parent's broadcasts, read by its watcher, are not here."""
    global _guard  # noqa: PLW0603
    _broadcasts.clear()
    _guard = real.make_lock()


os.register_at_fork(after_in_child=_forget_parents)
