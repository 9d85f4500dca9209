"""The bell of a broadcast in an event loop: it sends to all who stand at the end, in one go.

A viewer whose transport is lent, and whose client has taken everything, is a *head*: whatever is added to the log is
framed as one chunk, once, and written to the socket of every head. It needs no task to be woken, and no place of its
own: all heads stand where the fanout stands. A head whose client takes no more is dismissed in the same moment, with
what it has had noted, and goes on by itself; so is everybody when the broadcast is over.

Of a head, writing looks at the number of its descriptor and at nothing else. The kernel's work for a thousand sockets
empties the processor's caches, so whatever else were looked at would come from memory, a thousand times.

Whoever has no lent transport is woken, and sends by itself.
"""

import os
from typing import TYPE_CHECKING, Protocol

from tailrace.web.broadcast import NEVER
from tailrace.web.loop.chunks import chunk_of

if TYPE_CHECKING:
    import asyncio

    from tailrace.web.broadcast import Broadcast, Member
    from tailrace.web.loop.hall import Hall


class Listener(Protocol):
    """Who waits."""

    def wake(self) -> None:
        """There may be more."""


class Head(Listener, Protocol):
    """Who stands at the end, on a lent transport."""

    @property
    def fd(self) -> int:
        """Its socket's descriptor, which stays open until it has been dismissed."""

    def write_rest(self, data: bytes) -> None:
        """Have the transport write what the socket did not take of a chunk.

        Raises:
            OSError, RuntimeError: the connection is lost.
        """

    @property
    def heartbeat(self) -> bytes:
        """What it gets when all is silent, as a chunk."""

    @property
    def heartbeat_s(self) -> float:
        """After how long a silence."""


class Fanout:
    """One broadcast's. For the loop's thread, but for `ring`."""

    def __init__(self, hall: "Hall") -> None:
        self._hall = hall
        self.heads: dict[Head, tuple[Member, int]] = {}
        self._by_fd: dict[int, Head] = {}
        self._listeners: set[Listener] = set()
        self._broadcast: Broadcast | None = None
        self._number = self._end = 0
        """where the heads stand in the log, and in the output"""
        self._said = 0.0
        self._period_s = NEVER
        self._beat: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        """Send what is new, and wake whoever sends by himself."""
        self._hall.soon(self._deliver)

    def close(self) -> None:
        """Send no more."""
        for head in list(self.heads):
            self.dismiss(head)
        self._listeners.clear()

    def listen(self, listener: Listener) -> None:
        """Wake it whenever there is something new."""
        self._listeners.add(listener)

    def deafen(self, listener: Listener) -> None:
        """Wake it no more. Safe to repeat."""
        self._listeners.discard(listener)

    def enrol(self, head: Head, member: "Member") -> None:
        """Send to it from now on; it has had all that is in the log."""
        self._broadcast = member.broadcast
        if self.heads and self._number != member.number:
            self._deliver()
        if self._broadcast.is_over:
            head.wake()
            return
        if not self.heads:
            self._number, self._end = member.number, member.offset
            self._said = self._hall.loop.time()
        fd = head.fd
        self.heads[head], self._by_fd[fd] = (member, fd), head
        self._beat_within(head.heartbeat_s)

    def dismiss(self, head: Head) -> None:
        """Send to it no more, and note what it has had. Safe to repeat."""
        entry = self.heads.pop(head, None)
        if entry is not None:
            member, fd = entry
            del self._by_fd[fd]
            member.number, member.offset = self._number, self._end
        if not self.heads and self._beat is not None:
            self._beat.cancel()
            self._beat, self._period_s = None, NEVER

    def _deliver(self) -> None:
        broadcast = self._broadcast
        if broadcast is not None and self.heads:
            log = broadcast.log
            if self._number < log.first:
                self._dismiss_all()
            elif self._number != log.next:
                pieces = log.since(self._number)
                self._number, self._end = log.next, pieces[-1].end
                self._write(chunk_of(b"".join([piece.data for piece in pieces])))
            if broadcast.is_over:
                self._dismiss_all()
        for listener in list(self._listeners):
            listener.wake()

    def _write(self, chunk: bytes) -> None:
        loop, tally = self._hall.loop, self._hall.tally
        self._said = loop.time()
        tally.sent_bytes += len(chunk) * len(self.heads)
        for head, sent in self._not_taken(chunk):
            try:
                head.write_rest(chunk[sent:])
            except (OSError, RuntimeError):  # uvloop: of a transport that has been closed in this very round
                self.dismiss(head)
                head.wake()
        tally.fanout.add(loop.time() - self._said)

    def _not_taken(self, chunk: bytes) -> list[tuple[Head, int]]:
        """Write to all sockets; return the heads whose socket did not take all of it, and how much it took."""
        write, size, found = os.write, len(chunk), []
        for fd in self._by_fd:
            try:
                sent = write(fd, chunk)
            except OSError:  # full, or lost: the transport sees to either
                sent = 0
            if sent < size:
                found.append((self._by_fd[fd], sent))
        return found

    def _dismiss_all(self) -> None:
        for head in list(self.heads):
            self.dismiss(head)
            head.wake()

    def _beat_within(self, period_s: float) -> None:
        """See that no silence is longer than this; one heartbeat for all, as soon as any of them wants it."""
        if period_s >= self._period_s:
            return
        if self._beat is not None:
            self._beat.cancel()
        self._period_s = period_s
        self._beat = self._hall.loop.call_later(period_s, self._beat_if_silent)

    def _beat_if_silent(self) -> None:
        self._period_s = min(head.heartbeat_s for head in self.heads)
        now = self._hall.loop.time()
        if now >= self._said + self._period_s:
            self._write(next(iter(self.heads)).heartbeat)
        if self.heads:
            left_s = max(0.0, self._said + self._period_s - now)
            self._beat = self._hall.loop.call_later(left_s, self._beat_if_silent)
