"""Talking over a websocket, with a watch in hand: timed pieces come, and each is answered by a message of ours.

A client for this alone (RFC 6455): it offers no extension, and takes messages that are as short as those of a probe.
"""

import base64
import hashlib
import os
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from itertools import cycle
from typing import Final, NamedTuple

import msgspec

from tailrace.core.wires.websocket import SUBPROTOCOL
from tailrace.doctor.listening import HELD_BYTES, PIECE, READ_BYTES, End, Heard, Piece, query_of
from tailrace.doctor.target import PATIENCE_S, Answered, Target, headers_of
from tailrace.web.probe import Plan

WIRE: Final = "websocket"
COMPLETE: Final = 1000
"""RFC 6455, 7.4.1"""
_PATH: Final = "/api/probe/socket"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 1.3"""
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_CONTROL: Final = 8
"""this, and those above it"""


class _Reply(msgspec.Struct, frozen=True):
    """The part of an answer that says which message it answers."""

    type: str
    id: int | None = None


_REPLY: Final = msgspec.json.Decoder(_Reply)


@dataclass(kw_only=True)
class Talk:
    """What came of a websocket."""

    heard: Heard
    """the pieces; of a handshake that was refused, none"""
    answer: Answered
    """to the handshake"""
    is_agreed: bool = True
    """whether the answer was made for this very handshake"""
    asked_s: dict[int, float] = field(default_factory=dict)
    """when each message of ours was sent, by its number"""
    rounds_s: list[float] = field(default_factory=list)
    """how long each that was answered took, there and back"""

    @property
    def is_open(self) -> bool:
        """Whether the handshake succeeded."""
        return self.heard.status == HTTPStatus.SWITCHING_PROTOCOLS and self.is_agreed


def talk(target: Target, plan: Plan, headers: Mapping[str, str]) -> Talk:
    """Open a websocket, answer each piece but the last, and return what came of it.

    Args:
        target: whom to ask.
        plan: what is to come when.
        headers: sent with the handshake: an `Origin`.

    Raises:
        InvalidInput: no connection is to be had.
    """
    begun, key = time.monotonic(), base64.b64encode(os.urandom(16)).decode()
    connection, response = target.open(
        "GET", f"{_PATH}?{query_of(plan)}", {**_handshake(key), **headers}, patience_s=plan.total_s + PATIENCE_S
    )
    try:
        made = _begun(response, plan, time.monotonic() - begun)
        made.is_agreed = made.answer.headers.get("sec-websocket-accept", "") == _accept(key)
        if made.is_open:
            made.heard.end = _Talker(made, connection, begun).take(response)
        made.heard.end_s = time.monotonic() - begun
    finally:
        response.close()
        connection.close()
    return made


def _handshake(key: str) -> dict[str, str]:
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": SUBPROTOCOL,
    }


def _accept(key: str) -> str:
    """Return what answers the key (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def _begun(response: HTTPResponse, plan: Plan, headers_s: float) -> Talk:
    headers = headers_of(response)
    body = b""
    if response.status not in (HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.OK):
        try:
            body = response.read(HELD_BYTES)
        except (OSError, HTTPException):
            body = b""  # what is told of it is its status, then
    heard = Heard(wire=WIRE, plan=plan, status=response.status, headers=headers, headers_s=headers_s)
    return Talk(heard=heard, answer=Answered(response.status, headers, body))


class Frame(NamedTuple):
    """One frame (RFC 6455, 5.2)."""

    is_last: bool
    opcode: int
    data: bytes


class TooLong(Exception):
    """A frame is longer than any that a probe sends."""


class Frames:
    """Takes apart what a server sends."""

    def __init__(self) -> None:
        self._data = b""

    def take(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole now.

        Raises:
            TooLong: one is too long to be of a probe.
        """
        self._data += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Frame | None:
        if len(self._data) < 2:
            return None
        size, at = self._data[1] & 0x7F, 2
        if size > 125:
            at += 2 if size == 126 else 8
            size = int.from_bytes(self._data[2:at])
            if size > HELD_BYTES:
                raise TooLong
        if len(self._data) < at + size:
            return None
        frame = Frame(bool(self._data[0] & 0x80), self._data[0] & 0x0F, self._data[at : at + size])
        self._data = self._data[at + size :]
        return frame


def frame(opcode: int, data: bytes) -> bytes:
    """Return one frame of a client: masked, and at most 65535 bytes long."""
    mask = os.urandom(4)
    length = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack(">BH", 0x80 | 126, len(data))
    return bytes([0x80 | opcode]) + length + mask + bytes(a ^ b for a, b in zip(data, cycle(mask), strict=False))


class _Talker:
    def __init__(self, talk: Talk, connection: HTTPConnection, begun: float) -> None:
        self._talk = talk
        self._connection = connection
        self._begun = begun
        self._frames = Frames()
        self._message = b""
        self._is_text = False
        self._end: End | None = None

    def take(self, response: HTTPResponse) -> End:
        """Take everything, and return how it ended."""
        deadline = self._begun + self._talk.heard.plan.total_s + PATIENCE_S
        while self._end is None and time.monotonic() < deadline:
            try:
                data = response.fp.read1(READ_BYTES)
                self._note(data)
            except TimeoutError:
                return "silent"
            except (OSError, TooLong):
                return "cut"
            if not data:
                return "cut"
        return self._end or "silent"

    def _note(self, data: bytes) -> None:
        heard, now_s = self._talk.heard, time.monotonic() - self._begun
        if data:
            heard.last_s = now_s
            heard.body_bytes += len(data)
            if heard.first_s is None:
                heard.first_s = now_s
        for found in self._frames.take(data):
            if found.opcode >= _CONTROL:
                self._control(found)
            else:
                self._data(found, now_s)

    def _control(self, found: Frame) -> None:
        if found.opcode == _PING:
            self._send(_PONG, found.data)
        elif found.opcode == _CLOSE:
            self._end = "complete" if found.data[:2] == COMPLETE.to_bytes(2) else "closed"
            self._send(_CLOSE, found.data[:2])

    def _data(self, found: Frame, now_s: float) -> None:
        """Take a part of a message; look at it when it is whole."""
        if found.opcode:
            self._message, self._is_text = b"", found.opcode == _TEXT
        self._message = (self._message + found.data)[-HELD_BYTES:]
        if not found.is_last:
            return
        if self._is_text:
            self._reply(now_s)
        elif (match := PIECE.search(self._message)) is not None:
            self._piece(Piece(int(match[1]), float(match[2]), now_s))

    def _piece(self, piece: Piece) -> None:
        self._talk.heard.pieces.append(piece)
        if piece.number <= self._talk.heard.plan.pieces:
            self._talk.asked_s[piece.number] = time.monotonic() - self._begun
            asked = {"type": "input", "id": piece.number, "text": f"piece {piece.number} has come\n"}
            self._send(_TEXT, msgspec.json.encode(asked))

    def _reply(self, now_s: float) -> None:
        try:
            reply = _REPLY.decode(self._message)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        if reply.type == "reply" and reply.id in self._talk.asked_s:
            self._talk.rounds_s.append(now_s - self._talk.asked_s[reply.id])

    def _send(self, opcode: int, data: bytes) -> None:
        self._connection.sock.sendall(frame(opcode, data))
