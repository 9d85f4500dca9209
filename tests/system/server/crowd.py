"""Thousands of viewers in one thread: raw sockets and an epoll. Each checks what it gets, byte for byte, as it comes.

A viewer takes its stream apart no further than is needed to know that each byte of the output came once, in order: it
keeps the checksum of what it has, and where it would resume.
"""

import random
import re
import select
import socket
import zlib
from collections.abc import Callable, Iterable
from typing import Final

EVENT = re.compile(rb"id: [a-z0-9]+/(\d+)(/end)?\n(?:event: (\w+)\n)?(?:data: ([^\n]*)\n)?\n")
COMMENT = b": \n\n"
CRAWL_BYTES = 512
LEAVING = 0.02
"""how likely it is that one of those who come and go leaves, each time it has got something"""
TAKE_BYTES = 64 << 10
RECEIVE_BYTES = 16 << 10
"""of each client's kernel buffer, so that one that stalls soon shows"""
ADDRESSES: Final = 200


class Broken(Exception):
    """A viewer got what it must not get."""


class CrowdViewer:
    """One of them. `kind`: `steady`, `stall`, `crawl` or `rejoin`; `wire`: `lines` or `text`."""

    def __init__(self, number: int, port: int, run_id: str, kind: str, wire: str) -> None:
        self.number, self.kind, self.wire = number, kind, wire
        self._port, self._run_id = port, run_id
        self.offset = 0
        """where it would resume"""
        self.crc = 0
        self.is_done = False
        self.is_stalled = False
        self.connections = 0
        self.cuts = 0
        """texts that stopped before their end, and said so"""
        self.socket: socket.socket | None = None
        self._raw = b""
        self._rest = b""
        self._has_head = False
        self._is_last = False

    def connect(self) -> None:
        """Begin, or go on where it was."""
        self.connections += 1
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        made.bind((f"127.0.0.{2 + self.number % ADDRESSES}", 0))
        made.connect(("127.0.0.1", self._port))
        made.sendall(self._request().encode())
        made.setblocking(False)
        self.socket, self._raw, self._rest, self._has_head, self._is_last = made, b"", b"", False, False

    def _request(self) -> str:
        address = f"/api/runs/{self._run_id}/output?format={self.wire}"
        headers = ["Host: localhost"]
        if self.wire == "text":
            address += f"&from={self.offset}"
        elif self.connections > 1:
            headers.append(f"Last-Event-ID: {self._run_id}/{self.offset}")
        return "\r\n".join([f"GET {address} HTTP/1.1", *headers, "", ""])

    def leave(self) -> None:
        """Close the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def take(self) -> bool:
        """Take what has come; tell whether the connection is still there."""
        assert self.socket is not None
        try:
            data = self.socket.recv(CRAWL_BYTES if self.kind == "crawl" else TAKE_BYTES)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            data = b""
        if not data:
            self._closed()
            return False
        self._raw += data
        if not self._has_head and not self._take_head():
            return True
        self._take_chunks()
        if self._is_last and not self.is_done:
            self._closed()  # an event stream may end at any time: its client comes back
            return False
        return True

    def _take_head(self) -> bool:
        head, blank, rest = self._raw.partition(b"\r\n\r\n")
        if not blank:
            return False
        status = head.split(b" ", 2)[1]
        if status == b"204":
            self.is_done = True
        elif status != b"200":
            raise Broken(f"viewer {self.number} got {head!r}")
        self._has_head, self._raw = True, rest
        self._length = re.search(rb"content-length: (\d+)", head)
        if self._length is not None and int(self._length[1]) == 0:
            self.is_done = True
        return True

    def _take_chunks(self) -> None:
        if self._length is not None:
            self._take_body(self._raw)
            self._raw = b""
            return
        at, parts = 0, []
        while (line_end := self._raw.find(b"\r\n", at)) >= 0:
            size = int(self._raw[at:line_end], 16)
            if len(self._raw) < line_end + size + 4:
                break
            parts.append(self._raw[line_end + 2 : line_end + 2 + size])
            at = line_end + size + 4
            if not size:
                self._is_last = True
                break
        self._raw = self._raw[at:]
        self._take_body(b"".join(parts))
        if self._is_last and self.wire == "text":  # an event stream may end at any time; its end is an event
            self.is_done = True

    def _take_body(self, data: bytes) -> None:
        if self.wire == "text":
            self.crc = zlib.crc32(data, self.crc)
            self.offset += len(data)
            return
        data = (self._rest + data).replace(COMMENT, b"")
        at = 0
        for event in EVENT.finditer(data):
            if event.start() != at:
                raise Broken(f"viewer {self.number} got {data[at : event.start()][:200]!r}")
            at = event.end()
            self._take_event(int(event[1]), event[3], event[4])
        self._rest = data[at:]

    def _take_event(self, offset: int, name: bytes | None, data: bytes | None) -> None:
        if name is None and data is not None:
            if offset != self.offset + len(data) + 1:
                raise Broken(f"viewer {self.number} was at {self.offset}, and got {len(data)} bytes up to {offset}")
            self.crc = zlib.crc32(data + b"\n", self.crc)
            self.offset = offset
        elif offset != self.offset:
            raise Broken(f"viewer {self.number} was at {self.offset}, and got {name!r} at {offset}")
        if name == b"end":
            self.is_done = True
        elif name == b"gap":
            raise Broken(f"viewer {self.number} got a gap: {data!r}")

    def _closed(self) -> None:
        self.leave()
        if self.wire == "text" and not self.is_done:
            self.cuts += 1


class Crowd:
    """All of them. Call `serve` until what is waited for has come."""

    def __init__(self, port: int, run_id: str, count: int, *, seed: int = 7) -> None:
        self._chance = random.Random(seed)
        self.is_served = True
        """whether a server is there to come back to"""
        self._epoll = select.epoll()
        self._by_fd: dict[int, CrowdViewer] = {}
        kinds = ["steady"] * 7 + ["stall", "crawl", "rejoin"]
        self.viewers = [
            CrowdViewer(number, port, run_id, kinds[number % 10], "text" if number // 10 % 4 == 0 else "lines")
            for number in range(count)
        ]

    def connect(self, viewers: Iterable[CrowdViewer]) -> None:
        """Have them connect."""
        for viewer in viewers:
            viewer.connect()
            assert viewer.socket is not None
            self._by_fd[viewer.socket.fileno()] = viewer
            self._epoll.register(viewer.socket.fileno(), select.EPOLLIN)

    def serve(self, until: Callable[[], bool], deadline_s: float, clock: Callable[[], float]) -> None:
        """Take what comes, until the condition is true; who was cut off comes back.

        Raises:
            TimeoutError: it is not, after so long.
        """
        end = clock() + deadline_s
        while not until():
            if clock() > end:
                raise TimeoutError(self.summary())
            for fd, _events in self._epoll.poll(0.05, 2000):
                self._serve_one(self._by_fd[fd])

    def stall(self) -> None:
        """Have a tenth take nothing from now on."""
        for viewer in self.viewers:
            if viewer.kind == "stall" and viewer.socket is not None and not viewer.is_done:
                viewer.is_stalled = True
                self._epoll.unregister(viewer.socket.fileno())

    def go_on(self) -> None:
        """Have them take again."""
        for viewer in self.viewers:
            if viewer.is_stalled:
                viewer.is_stalled = False
                viewer.kind = "steady"
                if viewer.socket is not None:
                    self._epoll.register(viewer.socket.fileno(), select.EPOLLIN)

    def come_back(self) -> None:
        """Have everybody connect again who has no connection and is not done; the server was away."""
        self.connect([viewer for viewer in self.viewers if viewer.socket is None and not viewer.is_done])

    def hurry(self) -> None:
        """Have those who crawl take all there is."""
        for viewer in self.viewers:
            if viewer.kind == "crawl":
                viewer.kind = "steady"

    def close(self) -> None:
        """Close all connections."""
        for viewer in self.viewers:
            viewer.leave()
        self._epoll.close()

    def are_done(self) -> bool:
        """Tell whether everybody has everything."""
        return all(viewer.is_done for viewer in self.viewers)

    def have(self, offset: int, kinds: tuple[str, ...] = ("steady", "rejoin")) -> bool:
        """Tell whether all of these kinds have come so far."""
        return all(viewer.offset >= offset for viewer in self.viewers if viewer.kind in kinds)

    def summary(self) -> str:
        """Return what a failure needs to tell."""
        late = [viewer for viewer in self.viewers if not viewer.is_done]
        shown = [(viewer.number, viewer.kind, viewer.wire, viewer.offset, viewer.connections) for viewer in late[:10]]
        return f"{len(late)} of {len(self.viewers)} are not done: {shown}"

    def _serve_one(self, viewer: CrowdViewer) -> None:
        assert viewer.socket is not None
        fd = viewer.socket.fileno()
        is_there = viewer.take()
        leaves = viewer.kind == "rejoin" and self.is_served and self._chance.random() < LEAVING
        if is_there and not viewer.is_done and not leaves:
            return
        if is_there:
            self._epoll.unregister(fd)  # else it was closed, which does the same
        del self._by_fd[fd]
        viewer.leave()
        if not viewer.is_done and self.is_served:
            self.connect([viewer])
