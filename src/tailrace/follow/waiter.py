"""Waiting for bells and for a viewer to hang up, in one system call.

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
        """Wait for this bell too from now on. Look once more after this call.

        Raises:
            OSError: no memory is left for it, or too many are waited for.
        """

    @abstractmethod
    def deafen(self, bell: Bell) -> None:
        """Wait for this bell no more; to be called before it is closed. Safe to repeat."""

    @abstractmethod
    def wait(self, timeout_s: float, peers: Sequence[int]) -> Woken:
        """Wait until a bell rings, or something is to be seen at a peer's socket, or for so long."""

    @abstractmethod
    def close(self) -> None:
        """Let go of descriptors; the bells stay. Safe to repeat."""


class EpollWaiter(Waiter):
    """epoll(7)."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            OSError: this process has too many files open.
        """
        self._epoll = real.make_epoll()
        self._heard: set[int] = set()
        self._peers: list[int] = []

    def listen(self, bell: Bell) -> None:
        """See `Waiter.listen`."""
        self._epoll.register(bell.fd, select.EPOLLIN | select.EPOLLET)
        self._heard.add(bell.fd)

    def deafen(self, bell: Bell) -> None:
        """See `Waiter.deafen`."""
        if bell.fd in self._heard:
            self._heard.remove(bell.fd)
            self._epoll.unregister(bell.fd)

    def wait(self, timeout_s: float, peers: Sequence[int]) -> Woken:
        """See `Waiter.wait`."""
        for fd in peers:
            if fd not in self._peers:
                self._epoll.register(fd, select.EPOLLRDHUP)
                self._peers.append(fd)
        ready = first_of(self._epoll, timeout_s)
        return Woken(any(fd in self._heard for fd in ready), any(fd in peers for fd in ready))

    def close(self) -> None:
        """See `Waiter.close`."""
        self._epoll.close()


class PollWaiter(Waiter):
    """poll(2), on any system."""

    def __init__(self) -> None:
        self._bells: list[Bell] = []

    def listen(self, bell: Bell) -> None:
        """See `Waiter.listen`."""
        self._bells.append(bell)

    def deafen(self, bell: Bell) -> None:
        """See `Waiter.deafen`."""
        if bell in self._bells:
            self._bells.remove(bell)

    def wait(self, timeout_s: float, peers: Sequence[int]) -> Woken:
        """See `Waiter.wait`."""
        ready = readable([*(bell.fd for bell in self._bells), *peers], timeout_s)
        rung = [bell for bell in self._bells if bell.fd in ready]
        for bell in rung:
            bell.clear()
        return Woken(bool(rung), any(fd in peers for fd in ready))

    def close(self) -> None:
        """See `Waiter.close`."""


def make_waiter() -> Waiter:
    """Return one for this system.

    Raises:
        OSError: this process has too many files open.
    """
    return EpollWaiter() if IS_SHARED else PollWaiter()
