"""The body of a response that follows a run, for servers that take an iterator of bytes.

It takes a viewer's steps, and waits for two things together: the bells that ring when there may be more, and the
viewer's own socket.

How a body may stop: complete, where its viewer is at the end. Before that, a wire that aborts raises, so that the
server cuts the connection without a terminating chunk; an event stream just ends, and its client resumes. What is
raised is always a `ConnectionResetError`: of that one, servers know that nothing can be sent any more. (After any other
exception Werkzeug's server writes an error page into the stream, and the terminating chunk behind it.)
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from tailrace.core.errors import TailraceError
from tailrace.follow.bell import Bell
from tailrace.follow.waiter import Waiter, make_waiter
from tailrace.host.wait import give_way
from tailrace.web import farewell
from tailrace.web.client import NEVER, Client
from tailrace.web.ear import Bell as AnyBell
from tailrace.web.steps import Errand, Rest, Stream

MEMBER_S = 0.00025
"""what waking a thread, and its sending, may cost"""


def ignore(_error: Exception) -> None:
    """Tell nobody."""


class Body:
    """One viewer's body. Iterate over it once; `close` it in any case.

    Args:
        viewer: what is to be sent; it is closed with the body.
        client: the viewer's connection.
    """

    hall = 0
    member_s = MEMBER_S

    def __init__(self, viewer: Stream, client: Client) -> None:
        self.report: Callable[[Exception], None] = ignore
        """told of an error that stops the stream early"""
        self._viewer = viewer
        self._client = client
        self._waiter: Waiter | None = None
        self._bells: list[Bell] = []

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes as they come; the first at once, if only to have the headers sent.

        Raises:
            ConnectionResetError: the stream stops before the recorded end, on a wire that must not look complete then.
        """
        aborts = self._viewer.aborts
        try:
            yield from self._pieces()
        except (TailraceError, OSError) as error:
            if not isinstance(error, ConnectionResetError):
                self.report(error)
            if aborts and not self._client.cut():
                raise ConnectionResetError(errno.ECONNRESET, f"stopped before the recorded end: {error}") from error
        finally:
            self.close()

    def close(self) -> None:
        """Let go of everything; the run goes on. Safe to repeat."""
        self._viewer.close()
        if self._waiter is not None:
            self._waiter.close()
            self._waiter = None

    # What the viewer hears by

    def make_bell(self) -> Bell:
        """See `Ear.make_bell`."""
        return Bell()

    make_shared_bell = make_bell

    def listen(self, bell: AnyBell) -> None:
        """See `Ear.listen`."""
        assert isinstance(bell, Bell)  # noqa: S101  # nosec B101 # for mypy
        if self._waiter is None:
            self._waiter = make_waiter()
        self._waiter.listen(bell)
        self._bells.append(bell)
        if not self._viewer.aborts:
            farewell.add(self, bell)

    def deafen(self, bell: AnyBell) -> None:
        """See `Ear.deafen`."""
        assert isinstance(bell, Bell)  # noqa: S101  # nosec B101 # for mypy
        if bell not in self._bells:
            return
        self._bells.remove(bell)
        if self._waiter is not None:
            self._waiter.deafen(bell)
        if self._bells and not self._viewer.aborts:
            farewell.add(self, self._bells[-1])
        else:
            farewell.remove(self)

    def watching(self) -> AbstractContextManager[None]:
        """See `Ear.watching`."""
        return nullcontext()

    def is_leaving(self) -> bool:
        """See `Ear.is_leaving`."""
        return not self._viewer.aborts and farewell.is_due()

    def _pieces(self) -> Iterator[bytes]:
        steps = self._viewer.steps(self)
        is_rung: bool | None = None
        while True:
            try:
                step = steps.send(is_rung)
            except StopIteration:
                return
            if isinstance(step, Rest):
                is_rung = self._hear(step.timeout_s)
            elif isinstance(step, Errand):
                step.work()
                is_rung = None
            else:
                yield step
                give_way()  # a viewer that takes all at once would hold up the other greenlets
                is_rung = None

    def _hear(self, timeout_s: float) -> bool:
        """Wait for the bells; tell whether one rang. It is heard before the next look: none is lost.

        Raises:
            ConnectionResetError: the viewer has left.
        """
        assert self._waiter is not None  # noqa: S101  # nosec B101 # for mypy
        woken = self._waiter.wait(min(timeout_s, self._client.ask_s), self._client.fds)
        if (woken.by_peer or self._client.ask_s < NEVER) and self._client.is_gone():
            raise ConnectionResetError(errno.ECONNRESET, "the viewer has left")
        return woken.by_bell
