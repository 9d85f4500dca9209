"""Waiting for a bell and for a viewer to hang up, in one system call.

On Linux that is an epoll of the viewer's own. It hears a bell by its edges, so that nobody has to clear the bell, and
any number of viewers may listen to the same one; and it hears of the peer's end alone, whatever data lies before it.
Elsewhere each viewer needs a bell of its own, which is cleared, and what is readable is for the caller to look at.
"""

import select
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, NamedTuple

from tailrace.follow.bell import Bell
from tailrace.host import real
from tailrace.host.wait import first_of, readable

IS_SHARED: Final = sys.platform == "linux"
"""whether one bell may have several listeners"""


class Woken(NamedTuple):
    """Why a wait ended; neither: the time was over."""

    by_bell: bool
    by_peer: bool
    """one of the peers' sockets wants to be looked at"""


class Waiter(ABC):
    """One viewer's. For one thread at a time."""

    @abstractmethod
    def listen(self, bell: Bell) -> None:
        """Wait for this bell from now on. Look once more after this call.

        Raises:
            OSError: no memory is left for it, or too many are waited for.
        """

    @abstractmethod
    def wait(self, timeout_s: float, peers: Sequence[int]) -> Woken:
        """Wait until the bell rings, or something is to be seen at a peer's socket, or for so long."""

    @abstractmethod
    def close(self) -> None:
        """Let go of descriptors; the bell stays. Safe to repeat."""


class EpollWaiter(Waiter):
    """epoll(7)."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            OSError: this process has too many files open.
        """
        self._epoll = real.make_epoll()
        self._heard = -1
        self._peers: list[int] = []

    def listen(self, bell: Bell) -> None:
        """See `Waiter.listen`."""
        if self._heard >= 0:
            try:
                self._epoll.unregister(self._heard)
            except OSError:
                pass  # it was closed, and so is forgotten already
            self._heard = -1
        self._epoll.register(bell.fd, select.EPOLLIN | select.EPOLLET)
        self._heard = bell.fd

    def wait(self, timeout_s: float, peers: Sequence[int]) -> Woken:
        """See `Waiter.wait`."""
        for fd in peers:
            if fd not in self._peers:
                self._epoll.register(fd, select.EPOLLRDHUP)
                self._peers.append(fd)
        ready = first_of(self._epoll, timeout_s)
        return Woken(self._heard in ready, any(fd in peers for fd in ready))

    def close(self) -> None:
        """See `Waiter.close`."""
        self._epoll.close()


class PollWaiter(Waiter):
    """poll(2), on any system."""

    def __init__(self) -> None:
        self._bell: Bell | None = None

    def listen(self, bell: Bell) -> None:
        """See `Waiter.listen`."""
        self._bell = bell

    def wait(self, timeout_s: float, peers: Sequence[int]) -> Woken:
        """See `Waiter.wait`."""
        heard = [] if self._bell is None else [self._bell.fd]
        ready = readable([*heard, *peers], timeout_s)
        if self._bell is not None and self._bell.fd in ready:
            self._bell.clear()
        return Woken(self._bell is not None and self._bell.fd in ready, any(fd in peers for fd in ready))

    def close(self) -> None:
        """See `Waiter.close`."""


def make_waiter() -> Waiter:
    """Return one for this system.

    Raises:
        OSError: this process has too many files open.
    """
    return EpollWaiter() if IS_SHARED else PollWaiter()
