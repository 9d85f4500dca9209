"""What processes of ours say to each other: length-prefixed messages over Unix sockets.

A message is four bytes of length, most significant first, then that many bytes of MessagePack. Requests are one of the
classes below, by their `op`; each is answered by one `Reply`. Unknown fields are tolerated, so that releases can
differ; an unknown `op` is answered by an error.
"""

import errno
import socket
import struct
from typing import TypeAlias

import msgspec

from tailrace.core.errors import EngineUnavailable

PROTOCOL = 1
"""raised when old and new cannot understand each other"""

LIMIT_BYTES = 1 << 20
"""of one message; a sender divides longer input"""

INPUT_BYTES = 64 << 10
"""of input in one message"""

SENDING = "somebody else is sending input"
"""the error of a keeper that still has input for the command"""

_LENGTH = struct.Struct(">I")


class Begin(msgspec.Struct, frozen=True, tag_field="op", tag="begin"):
    """To the runner: take this run, whose directory is complete."""

    run: str
    version: tuple[int, ...]
    protocol: int = PROTOCOL


class Status(msgspec.Struct, frozen=True, tag_field="op", tag="status"):
    """To the runner: who are you, and what is going?"""


class Drain(msgspec.Struct, frozen=True, tag_field="op", tag="drain"):
    """To the runner: take nothing more and go; keepers and queue stay."""


class Configure(msgspec.Struct, frozen=True, tag_field="op", tag="configure"):
    """To the runner: read the settings again."""


class Stop(msgspec.Struct, frozen=True, tag_field="op", tag="stop"):
    """To a keeper: begin the stop ladder; `now` goes to its next rung at once."""

    by: str | None = None
    now: bool = False


class Signal(msgspec.Struct, frozen=True, tag_field="op", tag="signal"):
    """To a keeper: send one signal to the command, and to it alone."""

    number: int


class Input(msgspec.Struct, frozen=True, tag_field="op", tag="input"):
    """To a keeper: write this to the command's standard input; answered when the command's pipe has taken it all."""

    data: bytes


class CloseInput(msgspec.Struct, frozen=True, tag_field="op", tag="close-input"):
    """To a keeper: there is no more input."""


class Resize(msgspec.Struct, frozen=True, tag_field="op", tag="resize"):
    """To a keeper: the terminal has this size now."""

    rows: int
    columns: int


RunnerRequest: TypeAlias = Begin | Status | Drain | Configure
KeeperRequest: TypeAlias = Stop | Signal | Input | CloseInput | Resize


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer: what went wrong (empty: nothing), what to do about it, and who answered."""

    error: str = ""
    hint: str = ""
    version: tuple[int, ...] = ()
    protocol: int = PROTOCOL
    pid: int = 0
    running: int = 0
    queued: tuple[str, ...] = ()
    max_running: int = 0


RUNNER_REQUESTS: msgspec.msgpack.Decoder[RunnerRequest] = msgspec.msgpack.Decoder(RunnerRequest)
KEEPER_REQUESTS: msgspec.msgpack.Decoder[KeeperRequest] = msgspec.msgpack.Decoder(KeeperRequest)
REPLIES = msgspec.msgpack.Decoder(Reply)


def encode(message: RunnerRequest | KeeperRequest | Reply) -> bytes:
    """Return the message as it goes over the socket."""
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


class Inbox:
    """Bytes that came, until they are whole messages. Holds at most one message; the sender waits in its socket."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def take(self) -> bytes | None:
        """Return the next whole message's body, or None while there is none.

        Raises:
            ValueError: the length is beyond the limit; the connection is of no use any more.
        """
        if len(self._data) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._data)
        if length > LIMIT_BYTES:
            raise ValueError(f"a message of {length} bytes; the limit is {LIMIT_BYTES}")
        if len(self._data) < _LENGTH.size + length:
            return None
        body = bytes(self._data[_LENGTH.size : _LENGTH.size + length])
        del self._data[: _LENGTH.size + length]
        return body


def ask(peer: socket.socket, request: RunnerRequest | KeeperRequest) -> Reply:
    """Send the request and wait for its answer; under gevent and eventlet, others run meanwhile.

    Raises:
        OSError: the connection broke, or the answer did not come within the socket's timeout.
        EngineUnavailable: the other end closed without an answer, or answered nonsense.
    """
    from tailrace.host.wait import readable  # keepers never ask, so they need not have it

    peer.sendall(encode(request))
    inbox = Inbox()
    while (body := inbox.take()) is None:
        if not readable([peer.fileno()], peer.gettimeout()):
            raise TimeoutError(errno.ETIMEDOUT, "no answer in time")
        data = peer.recv(4096)
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "closed without an answer")
        inbox.feed(data)
    try:
        return REPLIES.decode(body)
    except msgspec.MsgspecError as error:
        raise EngineUnavailable(
            f"an answer that makes no sense: {error}", op="ask", hint="see that all processes run the same Tailrace"
        ) from None
