"""The forker: the runner's parent, which does nothing but fork keepers.

A keeper starts as a copy of the process that forks it, page by page: what either writes to later is copied. A process
that answered requests between two forks would leave each keeper with its own old copy of all that it touched meanwhile
(0.5 MiB here). So the runner's work is done in a child, and the forker stays as it was after the rehearsal.

One request is a keeper's order, with the descriptor of its lock, held; the answer is the keeper's pid. The forker
reaps keepers and adopts the orphans of those that die. It goes when the runner goes.
"""

import errno
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from typing import NoReturn

from tailrace.host import linux

ORDER_BYTES = 4096
_PID = struct.Struct("=i")
_REFUSED = -1


class Forker:
    """The runner's end: asks for keepers."""

    def __init__(self, link: socket.socket, pid: int) -> None:
        self.pid = pid
        """the forker's pid: the parent of all keepers"""
        self._link = link

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the forker is gone."""
        return self._link.fileno()

    def fork(self, order: bytes, lock_fd: int) -> int:
        """Have a keeper forked that holds the run's lock; returns its pid.

        Raises:
            OSError: the system gave no process, or the forker is gone.
        """
        socket.send_fds(self._link, [order], [lock_fd])
        answer = self._link.recv(_PID.size)
        if len(answer) != _PID.size:
            raise ConnectionResetError(errno.ECONNRESET, "the forker is gone")
        (pid,) = _PID.unpack(answer)
        if pid == _REFUSED:
            raise BlockingIOError(errno.EAGAIN, "no process could be made")
        return int(pid)

    def children(self) -> set[int]:
        """Return the pids of the forker's children: keepers, orphans of keepers, and this process."""
        return linux.children_of(self.pid)


def divide(keep: Callable[[bytes], None], let_go: tuple[int, ...]) -> Forker:
    """Fork: the child returns as the runner, with the forker's other end; the parent becomes the forker, for good.

    Args:
        keep: what a keeper does, given its order, in a fresh fork that holds the run's lock.
        let_go: descriptors that are the runner's alone.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    if os.fork() == 0:
        ours.close()
        return Forker(theirs, parent)
    theirs.close()
    for fd in let_go:
        if fd >= 0:
            os.close(fd)
    return _serve(ours, keep)


def _serve(link: socket.socket, keep: Callable[[bytes], None]) -> NoReturn:
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


def _answer(link: socket.socket, keep: Callable[[bytes], None], ours: tuple[int, int]) -> bool:
    """Fork one keeper; False when the runner is gone."""
    message, fds, _flags, _address = socket.recv_fds(link, ORDER_BYTES, 1)
    for fd in fds:
        os.set_inheritable(fd, False)  # CPython 3.11's recv_fds ignores MSG_CMSG_CLOEXEC
    if not message:
        return False
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
            keep(message)
        finally:
            os._exit(0)
    for fd in fds:
        os.close(fd)
    try:
        link.send(_PID.pack(pid))
    except OSError:
        return False
    return True
