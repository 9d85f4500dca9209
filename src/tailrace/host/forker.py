"""The forker: the runner's parent, which does nothing but fork keepers.

A keeper starts as a copy of the process that forks it, page by page: what either writes to later is copied. A process
that answered requests between two forks would leave each keeper with its own old copy of all that it touched meanwhile
(0.5 MiB here). So the runner's work is done in a child, and the forker stays as it was after the rehearsal.

Keepers are forked ahead of need: the runner always has a spare one, which has made what any run needs, down to the
process that will become the command, and waits for its order. One request to the forker is one byte; the answer is the
new keeper's pid, with two descriptors: its pidfd, and the socket that takes the order. The forker reaps keepers and
adopts the orphans of those that die. It goes when the runner goes, and a spare keeper too.
"""

import errno
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from tailrace.host import linux, order
from tailrace.host.order import Order
from tailrace.host.unix import pair

ORDER_BYTES = 4096
_PID = struct.Struct("=i")
_REFUSED = -1
_FORK = b"f"


class Spare(NamedTuple):
    """A keeper that waits for its order."""

    pid: int
    pidfd: int
    """-1 where the system has none"""
    link: socket.socket

    def begin(self, ordered: Order, lock_fd: int) -> None:
        """Hand over a run and its lock, held; the pidfd remains the caller's.

        Raises:
            OSError: the keeper has died meanwhile.
        """
        try:
            with self.link:
                socket.send_fds(self.link, [order.encode(ordered)], [lock_fd])
        except OSError:
            if self.pidfd >= 0:
                os.close(self.pidfd)
            raise


class Forker:
    """The runner's end: has keepers forked, one ahead."""

    def __init__(self, link: socket.socket, pid: int) -> None:
        self.pid = pid
        """the forker's pid: the parent of all keepers"""
        self._link = link
        self._is_asked = False
        self._spare: Spare | None = None

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the forker has answered, or is gone."""
        return self._link.fileno()

    @property
    def needs_spare(self) -> bool:
        """Whether there is no keeper ahead, and none on its way."""
        return self._spare is None and not self._is_asked

    def prepare(self) -> None:
        """Have a keeper forked ahead of need; returns at once. That the forker is gone, its descriptor tells."""
        try:
            self._link.send(_FORK)
        except OSError:
            return
        self._is_asked = True

    def receive(self) -> None:
        """Take in the answer that is there; if the system gave no process, there is no spare keeper.

        Raises:
            ConnectionResetError: the forker is gone.
        """
        answer, fds, _flags, _address = socket.recv_fds(self._link, _PID.size, 2)
        if len(answer) != _PID.size:
            raise ConnectionResetError(errno.ECONNRESET, "the forker is gone")
        self._is_asked = False
        (pid,) = _PID.unpack(answer)
        if pid == _REFUSED:
            return
        for fd in fds:
            os.set_inheritable(fd, False)  # CPython 3.11's recv_fds ignores MSG_CMSG_CLOEXEC
        self._spare = Spare(pid, fds[1] if len(fds) > 1 else -1, socket.socket(fileno=fds[0]))

    def take(self) -> Spare:
        """Return the spare keeper, for good; one is forked now if there is none.

        Raises:
            OSError: the system gave no process, or the forker is gone.
        """
        if self.needs_spare:
            self.prepare()
        if self._is_asked:
            self.receive()
        if self._spare is None:
            raise BlockingIOError(errno.EAGAIN, "no process could be made")
        spare, self._spare = self._spare, None
        return spare

    def children(self) -> set[int]:
        """Return the pids of the forker's children but for the spare keeper: keepers, their orphans, this process."""
        try:
            if self._is_asked:
                self.receive()
        except OSError:
            return set()  # the forker is gone, as its descriptor tells
        spare = {self._spare.pid} if self._spare is not None else set()
        return linux.children_of(self.pid) - spare


def divide(keep: Callable[[socket.socket], None], let_go: tuple[int, ...]) -> Forker:
    """Fork: the child returns as the runner, with the forker's other end; the parent becomes the forker, for good.

    Args:
        keep: what a keeper does in a fresh fork, given the socket that its order comes by (see `receive_order`).
        let_go: descriptors that are the runner's alone.
    """
    ours, theirs = pair()
    parent = os.getpid()
    if os.fork():
        theirs.close()
        for fd in let_go:
            if fd >= 0:
                os.close(fd)
        _serve(ours, keep)
    ours.close()
    return Forker(theirs, parent)


def receive_order(link: socket.socket) -> Order | None:
    """Wait in a keeper for its order; None: the runner is gone. The descriptor of the run's lock comes with it.

    The lock is held for as long as this process lives: nothing else needs the descriptor.
    """
    with link:
        message, fds, _flags, _address = socket.recv_fds(link, ORDER_BYTES, 1)
    for fd in fds:
        os.set_inheritable(fd, False)  # as above
    return order.decode(message) if message else None


def _serve(link: socket.socket, keep: Callable[[socket.socket], None]) -> NoReturn:
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(link, select.POLLIN)
    poll.register(reading, select.POLLIN)
    while True:
        for fd, _events in poll.poll():
            if fd == reading:
                os.read(reading, 4096)
                _reap()
            elif not _answer(link, keep, (reading, writing)):
                os._exit(0)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _answer(link: socket.socket, keep: Callable[[socket.socket], None], ours: tuple[int, int]) -> bool:
    """Fork one keeper; False when the runner is gone."""
    if not link.recv(len(_FORK)):
        return False
    theirs, keepers = pair()
    try:
        pid = os.fork()
    except OSError:
        pid = _REFUSED
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            for fd in ours:
                os.close(fd)
            link.close()
            theirs.close()
            keep(keepers)
        finally:
            os._exit(0)
    keepers.close()
    fds = [theirs.fileno()]
    if pid != _REFUSED and (pidfd := linux.pidfd_of(pid)) >= 0:
        fds.append(pidfd)
    try:
        socket.send_fds(link, [_PID.pack(pid)], fds)
    except OSError:
        return False
    finally:
        theirs.close()
        for fd in fds[1:]:
            os.close(fd)
    return True
