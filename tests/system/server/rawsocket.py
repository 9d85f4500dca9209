"""The client's side of a websocket by hand (RFC 6455), so that it can also be wrong."""

import base64
import hashlib
import json
import socket
import struct
from contextlib import suppress
from typing import Final, NamedTuple, cast

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT: Final = base64.b64encode(
    hashlib.sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
).decode()
"""what the key above must be answered with (RFC 6455, 4.2.2)"""
NO_CODE: Final = 1005
"""stands for a close frame without a code, and is never sent (RFC 6455, 7.4.1)"""
DROPPED: Final = 1006
"""stands for a connection that ended without a close frame"""
MASK: Final = b"\x37\xfa\x21\x3d"
HEADER_BYTES: Final = 18
"""before the output in a binary message of `tailrace.v1`"""


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = MASK,
    length_bytes: int | None = None,
    announced: int | None = None,
) -> bytes:
    """Return a frame as a client sends it (RFC 6455, 5.2), or as it must not.

    Args:
        opcode: 0 to 15.
        payload: before it is masked.
        fin: whether the message ends here.
        reserved: the three bits, 0 to 7.
        mask: the key; None leaves the frame unmasked.
        length_bytes: 0, 2 or 8 bytes of extended length; the fewest, if left out.
        announced: the length that it claims to have.
    """
    size = len(payload) if announced is None else announced
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 1 << 16 else 8
    short = {0: size, 2: 126, 8: 127}[length_bytes]
    head = bytes([fin << 7 | reserved << 4 | opcode, (mask is not None) << 7 | short])
    head += {0: b"", 2: struct.pack("!H", size & 0xFFFF), 8: struct.pack("!Q", size)}[length_bytes]
    return head + payload if mask is None else head + mask + _masked(payload, mask)


def close(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def fragments(opcode: int, *parts: bytes) -> list[bytes]:
    """Return the frames of one message in parts."""
    last = len(parts) - 1
    return [frame(CONT if number else opcode, part, fin=number == last) for number, part in enumerate(parts)]


def _masked(data: bytes, mask: bytes) -> bytes:
    key = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big")


class Frame(NamedTuple):
    """A frame that came."""

    opcode: int
    payload: bytes


class RawSocket:
    """One connection, and what has come of it.

    Args:
        connection: to the server.
        path: what is opened; it must be accepted.
        early: sent before the handshake is over.
        is_apart: whether that is a segment of its own.
        is_polite: whether it answers a close frame by itself.
    """

    def __init__(
        self,
        connection: socket.socket,
        path: str,
        *,
        early: bytes = b"",
        is_apart: bool = False,
        is_polite: bool = True,
    ) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self._is_polite = is_polite
        self._reader = connection.makefile("rb")
        self.output = b""
        self.pongs: list[bytes] = []
        self.objects: list[dict[str, object]] = []
        self.closing: tuple[int, bytes] = (DROPPED, b"")
        self.send(*([handshake(path), early] if is_apart else [handshake(path) + early]))
        head = b"".join(iter(self._reader.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert f"sec-websocket-accept: {ACCEPT}\r\n".lower().encode() in head.lower()
        assert b"sec-websocket-extensions" not in head.lower()

    def send(self, *segments: bytes) -> None:
        """Send each in a segment of its own."""
        for segment in segments:
            self.connection.sendall(segment)

    def read(self) -> Frame | None:
        """Return the next frame, when it has been counted; None at the end of the connection."""
        try:
            found = self._frame()
        except ConnectionResetError:
            return None
        if found is not None:
            self._count(found)
        return found

    def read_all(self) -> None:
        """Read to the end of the connection."""
        while self.read() is not None:
            pass

    def end(self) -> None:
        """Close this side."""
        self._reader.close()
        self.connection.close()

    def _frame(self) -> Frame | None:
        head = self._reader.read(2)
        if len(head) < 2:
            assert not head, "half a frame"
            return None
        assert not head[0] & 0x70, "reserved bits"
        assert head[0] & 0x80, "our server does not fragment"
        assert not head[1] & 0x80, "a server does not mask"
        size = head[1]
        if size >= 126:
            size_bytes = 2 if size == 126 else 8
            size = int.from_bytes(self._reader.read(size_bytes), "big")
            assert size >= (126 if size_bytes == 2 else 1 << 16), "lengths are minimal"
        return Frame(head[0] & 0xF, self._reader.read(size))

    def _count(self, found: Frame) -> None:
        assert self.closing == (DROPPED, b"") or found.opcode == PONG, "only a pong may come behind a close frame"
        match found.opcode:
            case 0x1:
                self.objects.append(cast("dict[str, object]", json.loads(found.payload)))
            case 0x2:
                self.output += found.payload[HEADER_BYTES:]
            case 0x8:
                code = int.from_bytes(found.payload[:2], "big") if found.payload else NO_CODE
                self.closing = (code, found.payload[2:])
                if self._is_polite:
                    self._answer_close(found.payload)
            case 0x9:
                self.send(frame(PONG, found.payload))
            case 0xA:
                self.pongs.append(found.payload)
            case _:
                raise AssertionError(f"opcode {found.opcode}")

    def _answer_close(self, payload: bytes) -> None:
        with suppress(OSError):  # a server that has failed the connection does not wait for it
            self.send(frame(CLOSE, payload))


def handshake(
    path: str, *, line: str = "GET {path} HTTP/1.1", without: tuple[str, ...] = (), more: tuple[str, ...] = ()
) -> bytes:
    """Return the client's part of the handshake (RFC 6455, 4.1).

    Args:
        path: what is opened.
        line: the first line.
        without: names of headers to leave out.
        more: whole headers to add.
    """
    headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "tailrace.v1",
    }
    kept = [f"{name}: {value}" for name, value in headers.items() if name not in without]
    return "\r\n".join([line.format(path=path), *kept, *more, "", ""]).encode("latin-1")
