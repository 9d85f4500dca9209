"""The floors: what a server costs that does only what must be done. `floors.py PORT FILE`: one thread, one epoll.

GET /watch        a chunked event stream that never ends; told to nobody but who watches
POST /go?count=&every_s=&size=      send so many messages to all that watch, each framed once
GET /file         the file, by sendfile
"""

import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from bench.field.message import make

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVER_S = 3600.0
PIECE_BYTES = 2 << 20
"""as nginx sends; all at once was slower here, three times of four"""


class Floor:
    """One server."""

    def __init__(self, port: int, file: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._file = file
        self._peers: dict[int, socket.socket] = {}
        self._watching: dict[int, socket.socket] = {}
        self._held: dict[int, bytes] = {}
        """what a full socket did not take; whoever reads slowly makes it grow: a floor has no mercy"""
        self._due: Iterator[float] = iter(())

    def serve(self) -> None:
        """Go on for ever."""
        at = next(self._due, time.monotonic() + EVER_S)
        while True:
            wait_s = at - time.monotonic()
            if wait_s <= 0:
                at = next(self._due, time.monotonic() + EVER_S)
                continue
            for fd, events in self._epoll.poll(wait_s):
                at = self._happened(fd, events) or at

    def _happened(self, fd: int, events: int) -> float | None:
        """Do what is to be done; return when messages begin, if they do."""
        if fd == self._listener.fileno():
            peer, _ = self._listener.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[peer.fileno()] = peer
            self._epoll.register(peer, select.EPOLLIN)
        elif events & select.EPOLLOUT:
            self._go_on(fd)
        else:
            return self._asked(fd)
        return None

    def _asked(self, fd: int) -> float | None:
        """Read a request, which comes in one piece on a loopback."""
        peer = self._peers[fd]
        try:
            request = peer.recv(65536)
        except ConnectionError:
            request = b""
        if not request:
            self._leave(fd)
            return None
        target = urlsplit(request.split()[1].decode())
        if target.path == "/watch":
            peer.sendall(HEAD)
            peer.setblocking(False)
            self._watching[fd] = peer
        elif target.path == "/file":
            _send_file(peer, self._file)
            self._leave(fd)
        else:
            peer.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            told = dict(parse_qsl(target.query))
            self._due = self._messages(int(told["count"]), float(told["every_s"]), int(told["size"]))
            return next(self._due)
        return None

    def _messages(self, count: int, every_s: float, size: int) -> Iterator[float]:
        """Send them, and give when the next is due."""
        due = time.monotonic()
        for number in range(count):
            yield due
            event = b"data: %s\n\n" % make(number, size).rstrip(b"\n")
            chunk = b"%x\r\n%s\r\n" % (len(event), event)
            for fd in self._watching:
                self._send(fd, chunk)
            due += every_s

    def _send(self, fd: int, data: bytes) -> None:
        if fd in self._held:
            self._held[fd] += data
            return
        try:
            sent = self._watching[fd].send(data)
        except BlockingIOError:
            sent = 0
        except ConnectionError:
            return
        if sent < len(data):
            self._held[fd] = data[sent:]
            self._epoll.modify(fd, select.EPOLLIN | select.EPOLLOUT)

    def _go_on(self, fd: int) -> None:
        """A full socket has room again."""
        self._epoll.modify(fd, select.EPOLLIN)
        self._send(fd, self._held.pop(fd))

    def _leave(self, fd: int) -> None:
        self._watching.pop(fd, None)
        self._held.pop(fd, None)
        self._epoll.unregister(fd)
        self._peers.pop(fd).close()


def _send_file(peer: socket.socket, name: str) -> None:
    with open(name, "rb") as file:  # noqa: PTH123  a floor
        size, at = os.fstat(file.fileno()).st_size, 0
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size)
        while at < size:
            at += os.sendfile(peer.fileno(), file.fileno(), at, min(PIECE_BYTES, size - at))


if __name__ == "__main__":
    Floor(int(sys.argv[1]), sys.argv[2]).serve()
