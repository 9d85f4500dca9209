"""Many viewers, as one process: raw sockets and one epoll, all reading into one buffer.

viewers.py count JSON     everyone counts messages; some, evenly spread, keep what they get, and when
viewers.py gulp JSON      everyone reads, as much as there is, until standard input ends

Says `connected` when every one of them has the head of its answer, `warm` and `done` when all have had so many
messages, then prints what was seen, as JSON. See `Count` and `Gulp` for what it is told.
"""

import bisect
import json
import resource
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

from bench.field.message import MARK, STAMPED, check

HEAD_END = b"\r\n\r\n"
BUFFER_BYTES = 1 << 18
BATCH = 100
"""connections that are begun before their answers are awaited: less than any listener's backlog"""
SOURCES = 8
"""addresses, from 127.0.0.1 on, of the viewers: ephemeral ports are per address, and so are some servers' limits"""
SPARE_FILES = 64
CONTROL = 8
"""websocket opcodes from here on carry no data"""
PATIENCE_S = 180.0
"""for a slow server to take in a crowd, and to give it its last message"""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Whom to ask for what."""

    port: int
    path: str
    accept: str = "*/*"
    is_websocket: bool = False
    is_closing: bool = False
    """whether the connection is to end with the answer"""

    def request(self) -> bytes:
        """Return the request's head."""
        lines = [f"GET {self.path} HTTP/1.1", "Host: 127.0.0.1", f"Accept: {self.accept}"]
        if self.is_websocket:
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
            lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        if self.is_closing:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many viewers, and what each is to get."""

    ask: Ask
    viewers: int
    messages: int
    warm: int
    """messages that are not measured"""
    size: int
    sampled: int
    """viewers that look at what they get"""
    seconds: float
    """for all messages, at their pace"""


@dataclass
class Sample:
    """What one viewer got, piece by piece."""

    pieces: list[bytes] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def take(self, piece: bytes) -> None:
        """Keep a piece that has just come."""
        self.times.append(time.monotonic_ns())
        self.pieces.append(piece)

    def ages_us(self, warm: int) -> list[int]:
        """Return how old each message was when it came, the first `warm` left out."""
        ends, at = [], 0
        for piece in self.pieces:
            at += len(piece)
            ends.append(at)
        ages = []
        for found in STAMPED.finditer(b"".join(self.pieces)):
            if int(found[1]) >= warm:
                arrived = self.times[bisect.bisect_left(ends, found.end())]
                ages.append((arrived - int(found[2])) // 1000)
        return ages


class Crowd:
    """The connections of all viewers."""

    def __init__(self, ask: Ask, viewers: int) -> None:
        self.peers: dict[int, socket.socket] = {}
        self.firsts: dict[int, bytes] = {}
        """what each has got: head, and what came with it"""
        _allow_files(viewers + SPARE_FILES)
        for begin in range(0, viewers, BATCH):
            self._connect(ask, range(begin, min(viewers, begin + BATCH)))

    def watch(self) -> "select.epoll":
        """Return an epoll on all of them, which do not block any more."""
        epoll = select.epoll()
        for fd, peer in self.peers.items():
            peer.setblocking(False)
            epoll.register(fd, select.EPOLLIN)
        return epoll

    def close(self) -> None:
        """Leave."""
        for peer in self.peers.values():
            peer.close()

    def _connect(self, ask: Ask, numbers: range) -> None:
        begun = []
        for number in numbers:
            address = (f"127.0.0.{1 + number % SOURCES}", 0)
            peer = socket.create_connection(("127.0.0.1", ask.port), PATIENCE_S, source_address=address)
            peer.sendall(ask.request())
            begun.append(peer)
        for peer in begun:
            self.firsts[peer.fileno()] = head_of(peer)
            self.peers[peer.fileno()] = peer


def count(told: Count) -> dict[str, object]:
    """Count until all have had all."""
    crowd = Crowd(told.ask, told.viewers)
    chosen = list(crowd.peers)[:: max(1, told.viewers // told.sampled)]
    samples = {fd: Sample() for fd in chosen}
    seen = dict.fromkeys(crowd.peers, 0)
    for fd, piece in crowd.firsts.items():
        seen[fd] += piece.count(MARK)
        if fd in samples:
            samples[fd].take(piece)
    _say("connected")
    size = _count(told, crowd, seen, samples)
    sys.stdin.read()  # they stay until they are sent away, so that what they cost can be read
    crowd.close()
    assert set(seen.values()) == {told.messages}, f"viewers got {min(seen.values())} to {max(seen.values())} messages"
    ages: list[int] = []
    for sample in samples.values():
        check(unframed(b"".join(sample.pieces), is_websocket=told.ask.is_websocket), told.messages, told.size)
        ages += sample.ages_us(told.warm)
    return {"messages": sum(seen.values()), "bytes": size, "ages_us": ages}


def _count(told: Count, crowd: Crowd, seen: dict[int, int], samples: dict[int, Sample]) -> int:
    """Read until the sum is right; return the bytes."""
    epoll, buffer = crowd.watch(), bytearray(BUFFER_BYTES)
    marks = [("warm", told.viewers * told.warm), ("done", told.viewers * told.messages)]
    total, size, give_up = sum(seen.values()), 0, time.monotonic() + told.seconds + PATIENCE_S
    while marks:
        if total >= marks[0][1]:
            _say(marks.pop(0)[0])
            continue
        assert time.monotonic() < give_up, f"{total} of {marks[-1][1]} messages came"
        for fd, _ in epoll.poll(1):
            got = crowd.peers[fd].recv_into(buffer)
            if not got:
                assert seen[fd] == told.messages, f"a viewer was left after {seen[fd]} messages"
                epoll.unregister(fd)
                continue
            size += got
            found = buffer.count(MARK, 0, got)
            seen[fd] += found
            total += found
            if fd in samples:
                samples[fd].take(bytes(buffer[:got]))
    return size


def gulp(ask: Ask, viewers: int) -> dict[str, object]:
    """Read as fast as it goes, until standard input ends."""
    crowd = Crowd(ask, viewers)
    _say("connected")
    epoll, buffer = crowd.watch(), bytearray(BUFFER_BYTES)
    epoll.register(sys.stdin.fileno(), select.EPOLLIN)
    taken = dict.fromkeys(crowd.peers, 0)
    while True:
        for fd, _ in epoll.poll(1):
            if fd == sys.stdin.fileno():
                crowd.close()
                return {
                    "least": min(taken.values(), default=0),
                    "most": max(taken.values(), default=0),
                    "bytes": sum(taken.values()),
                }
            got = crowd.peers[fd].recv_into(buffer)
            assert got, f"a viewer was left after {taken[fd]} bytes"
            taken[fd] += got


def unframed(raw: bytes, *, is_websocket: bool) -> bytes:
    """Return the body, as far as it has come: chunks, or the server's websocket frames, undone."""
    head, _, body = raw.partition(HEAD_END)
    if is_websocket:
        return b"".join(unmasked(body))
    return b"".join(_chunks(body)) if b"chunked" in head.lower() else body


def _chunks(body: bytes) -> list[bytes]:
    parts, at = [], 0
    while (end := body.find(b"\r\n", at)) >= 0:
        size = int(body[at:end], 16)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size
    return parts


def unmasked(body: bytes) -> list[bytes]:
    """Return what a server's frames hold (RFC 6455, 5.2), control frames left out."""
    parts, at = [], 0
    while at + 2 <= len(body):
        is_data, size, at = body[at] & 15 < CONTROL, body[at + 1], at + 2
        if size == 126:
            (size,), at = struct.unpack_from(">H", body, at), at + 2
        elif size == 127:
            (size,), at = struct.unpack_from(">Q", body, at), at + 8
        if is_data:
            parts.append(body[at : at + size])
        at += size
    return parts


def head_of(peer: socket.socket) -> bytes:
    """Return the head of the answer, and what has come behind it."""
    data = b""
    while HEAD_END not in data:
        part = peer.recv(65536)
        assert part, f"no answer but {data!r}"
        data += part
    status = data.split()[1]
    assert status in (b"200", b"101"), data
    return data


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        assert wanted <= hard, f"{wanted} open files are needed, and {hard} allowed (ulimit -Hn)"
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _say(word: str) -> None:
    print(word, flush=True)


def main(mode: str, text: str) -> None:
    """Do what the command line says."""
    told = json.loads(text)
    ask = Ask(**told.pop("ask"))
    print(json.dumps(count(Count(ask=ask, **told)) if mode == "count" else gulp(ask, **told)))


if __name__ == "__main__":
    main(*sys.argv[1:])
