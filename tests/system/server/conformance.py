"""The table of RFC 6455: what is sent on an open websocket, and what must come of it.

Where the RFC leaves a choice, a case says by one of these words what this server has chosen:

- LENIENT: a length in more bytes than it needs is taken; only its sender is told not to (5.2).
- LATE: text is looked at when its message is complete, not piece by piece (8.1).
- CUT SHORT: a close frame inside a fragmented message is answered by 1002 instead of its own code (5.5.1).
- AT ONCE: what is announced as too long is refused before it comes (7.4.1).
"""

import json
import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.system.server.rawsocket import BINARY, CLOSE, CONT, NO_CODE, PING, PONG, TEXT, close, fragments, frame

MIB = 1 << 20
OPEN = 0
"""in place of a code: the connection goes on, and the client closes it"""
PROTOCOL_ERROR, NOT_UTF8, TOO_LONG = 1002, 1007, 1009
"""RFC 6455, 7.4.1"""
TAKEN = (("type", "reply"), ("to", "input"))
"""what input is answered with"""
HI = frame(BINARY, b"hi")
PIECES = [b"one ", b"", b"two ", b"three"]


class Case(NamedTuple):
    """What is sent, each in a segment of its own, and what must come."""

    chapter: str
    name: str
    sends: tuple[bytes, ...]
    code: int = OPEN
    output: bytes = b""
    """what the command gets, and so gives back"""
    pongs: tuple[bytes, ...] = ()
    answer: tuple[tuple[str, object], ...] = ()
    """what an object must have that comes"""
    reason: bytes | None = None
    """of the close frame; None: any"""

    @property
    def id(self) -> str:
        """What it is called in a report."""
        return f"{self.chapter}: {self.name}"


def typed(text: bytes) -> bytes:
    """Return a text message that types this, which needs no escapes."""
    return b'{"type":"input","text":"%b"}' % text


def _framing() -> Iterator[Case]:
    noise = random.Random(6455).randbytes(65536)  # not text, and all of it different
    for size in (1, 124, 125, 126, 127, 128, 65534, 65535, 65536):
        data = noise[:size]
        yield Case("framing", f"binary of {size} bytes", (frame(BINARY, data),), output=data)
    for size in (0, 65537, MIB):
        wanted = TAKEN if not size else (("type", "error"), ("to", "input"), ("status", 413))
        yield Case("framing", f"binary of {size} bytes, answered", (frame(BINARY, bytes(size)),), answer=wanted)
    for size in (1, 98, 99, 100, 101, 40_000, 65536):
        data = b"x" * size
        yield Case("framing", f"text that types {size} bytes", (frame(TEXT, typed(data)),), output=data)
    for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\1\2\3"):
        yield Case("framing", f"mask {mask.hex()}", (frame(BINARY, noise[:1001], mask=mask),), output=noise[:1001])
    for size, length_bytes in ((2, 2), (125, 2), (2, 8), (126, 8), (65535, 8)):
        name = f"{size} bytes, of which the length takes {length_bytes} (LENIENT)"
        sends = (frame(BINARY, noise[:size], length_bytes=length_bytes),)
        yield Case("framing", name, sends, output=noise[:size])
    for opcode in (BINARY, TEXT, CONT, PING, PONG, CLOSE):
        yield Case("framing", f"not masked: {opcode:x}", (frame(opcode, b"", mask=None),), PROTOCOL_ERROR)
    yield Case("framing", "not masked, after one that was", (HI, frame(BINARY, b"x", mask=None)), PROTOCOL_ERROR, b"hi")
    sent = frame(TEXT, typed(b"byte by byte")) + frame(PING, b"p") + frame(BINARY, noise[:200])
    each = tuple(sent[at : at + 1] for at in range(len(sent)))
    yield Case("framing", "byte by byte", each, output=b"byte by byte" + noise[:200], pongs=(b"p",))
    wide = frame(BINARY, noise)
    yield Case("framing", "a long one cut in its head", (wide[:5], wide[5:9], wide[9:]), output=noise)
    many = b"".join(frame(BINARY, b"%d " % number) for number in range(500))
    yield Case("framing", "500 in one segment", (many,), output=b"".join(b"%d " % number for number in range(500)))


def _pings() -> Iterator[Case]:
    for payload in (b"", b"hello", b"\0\xff\xfe\xfd", b"x" * 125):
        yield Case("pings", f"of {len(payload)} bytes", (frame(PING, payload),), pongs=(payload,))
    for opcode in (PING, PONG):
        yield Case("pings", f"{opcode:x} of 126 bytes", (frame(opcode, b"x" * 126),), PROTOCOL_ERROR)
    yield Case("pings", "a pong that nobody asked for", (frame(PONG), frame(PONG, b"x"), HI), output=b"hi")
    yield Case("pings", "the pong of no ping, then a ping", (frame(PONG, b"a"), frame(PING, b"b")), pongs=(b"b",))
    numbers = tuple(b"%d" % number for number in range(10))
    pings = tuple(frame(PING, number) for number in numbers)
    yield Case("pings", "ten", pings, pongs=numbers)
    yield Case("pings", "ten in one segment", (b"".join(pings),), pongs=numbers)
    yield Case("pings", "before a message, in one segment", (frame(PING, b"p") + HI,), output=b"hi", pongs=(b"p",))


def _reserved() -> Iterator[Case]:
    for bits in range(1, 8):
        yield Case("reserved bits", f"{bits:03b}, binary", (frame(BINARY, b"x", reserved=bits),), PROTOCOL_ERROR)
        yield Case("reserved bits", f"{bits:03b}, ping", (frame(PING, b"x", reserved=bits),), PROTOCOL_ERROR)
    yield Case("reserved bits", "text", (frame(TEXT, typed(b"x"), reserved=4),), PROTOCOL_ERROR)
    yield Case("reserved bits", "close", (frame(CLOSE, reserved=4),), PROTOCOL_ERROR)
    yield Case("reserved bits", "after a message", (HI, frame(BINARY, b"x", reserved=1)), PROTOCOL_ERROR, b"hi")
    for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF):
        yield Case("reserved opcodes", f"{opcode:x}", (frame(opcode, b"x"),), PROTOCOL_ERROR)
        yield Case("reserved opcodes", f"{opcode:x}, empty", (frame(opcode),), PROTOCOL_ERROR)
    yield Case("reserved opcodes", "after a message", (HI, frame(3, b"x")), PROTOCOL_ERROR, b"hi")


def _fragments() -> Iterator[Case]:
    whole = b"".join(PIECES)
    cut = fragments(BINARY, *PIECES)
    text = fragments(TEXT, b'{"type":', b"", b'"input",', b'"text":"abc"}')
    first, last = fragments(BINARY, b"one ", b"two")
    yield Case("fragments", "binary", tuple(cut), output=whole)
    yield Case("fragments", "binary, in one segment", (b"".join(cut),), output=whole)
    yield Case("fragments", "text", tuple(text), output=b"abc")
    yield Case("fragments", "empty ones only", tuple(fragments(BINARY, b"", b"", b"")), answer=TAKEN)
    single = tuple(fragments(BINARY, *(b"%d" % (number % 10) for number in range(2000))))
    yield Case("fragments", "2000 of one byte", (b"".join(single),), output=b"0123456789" * 200)
    pinged = [part for each, piece in enumerate(cut) for part in (piece, frame(PING, b"%d" % each))][:-1]
    yield Case("fragments", "pings between", tuple(pinged), output=whole, pongs=(b"0", b"1", b"2"))
    yield Case("fragments", "a pong between", (first, frame(PONG, b"x"), last), output=b"one two")
    apart = (*fragments(BINARY, b"1", b"2"), HI, *fragments(BINARY, b"3", b"4"))
    yield Case("fragments", "two messages and one between", apart, output=b"12hi34")
    for fin in (True, False):
        behind = frame(CONT, b"x", fin=fin)
        yield Case("fragments", f"the continuation of nothing, fin {fin:d}", (behind,), PROTOCOL_ERROR)
        yield Case("fragments", f"one after a whole message, fin {fin:d}", (HI, behind), PROTOCOL_ERROR, b"hi")
        yield Case("fragments", f"one after the last, fin {fin:d}", (first, last, behind), PROTOCOL_ERROR, b"one two")
        for opcode in (BINARY, TEXT):
            name = f"a new message inside one: {opcode:x}, fin {fin:d}"
            yield Case("fragments", name, (first, frame(opcode, typed(b"x"), fin=fin)), PROTOCOL_ERROR)
    for opcode in (PING, PONG, CLOSE):
        yield Case("fragments", f"a control frame in parts: {opcode:x}", (frame(opcode, fin=False),), PROTOCOL_ERROR)
    yield Case("fragments", "a ping in parts inside a message", (first, frame(PING, fin=False)), PROTOCOL_ERROR)
    yield Case("fragments", "a close inside a message (CUT SHORT)", (first, close(1000)), PROTOCOL_ERROR)


VALID_UTF8 = (
    "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufdd0", "\ufeff", "\ufffd", "\ufffe", "\uffff",
    "\U00010000", "\U0001fffe", "\U0010ffff", "κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "e\u0301", "日本語", "🌊🏭",
)  # fmt: skip
"""the borders of each length, non-characters, and words"""
INVALID_UTF8 = (
    b"\x80", b"\xbf", b"\x80\xbf\x80",  # continuations of nothing
    b"\xc3", b"\xe0\xa0", b"\xf0\x90\x80", b"\xc3(", b"\xe2\x82(", b"\xf0\x90\x80(",  # one is missing
    b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf",  # too long
    b"\xc0\x80", b"\xe0\x80\x80",  # so is NUL
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80",  # surrogates
    b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80",  # beyond U+10FFFF
    b"\xfe", b"\xff", b"\xfe\xfe\xff\xff",  # no such bytes
)  # fmt: skip
"""RFC 3629, 3"""


def _text() -> Iterator[Case]:
    for text in VALID_UTF8:
        data = text.encode()
        yield Case("text", f"valid {data.hex()}", (frame(TEXT, typed(data)),), output=data)
    for data in INVALID_UTF8:
        yield Case("text", f"invalid {data.hex()}", (frame(TEXT, typed(data)),), NOT_UTF8)
    word = typed("κ日🌊".encode())
    for at in range(len(word) - 11, len(word)):
        parts = fragments(TEXT, word[:at], word[at:])
        yield Case("text", f"valid, in parts cut at {at}", tuple(parts), output="κ日🌊".encode())
    letters = fragments(TEXT, *(word[at : at + 1] for at in range(len(word))))
    yield Case("text", "valid, a part for each byte", tuple(letters), output="κ日🌊".encode())
    for at, name in ((25, "in the second part"), (24, "over two parts")):
        bad = typed(b"\xf4\x90\x80\x80")
        yield Case("text", f"invalid {name} (LATE)", tuple(fragments(TEXT, bad[:at], bad[at:])), NOT_UTF8)
    pinged = (frame(TEXT, b"\xff", fin=False), frame(PING, b"p"), frame(CONT, b""))
    yield Case("text", "invalid in the first part (LATE)", pinged, NOT_UTF8, pongs=(b"p",))
    yield Case("text", "ends within a character", (frame(TEXT, typed(b"x") + b"\xe2\x82"),), NOT_UTF8)
    long = typed(b"x" * 50_000 + b"\xff" + b"x" * 10_000)
    yield Case("text", "invalid in the middle of a long one", (frame(TEXT, long),), NOT_UTF8)
    yield Case("text", "invalid after a valid one", (frame(TEXT, typed(b"a")), frame(TEXT, b"\xff")), NOT_UTF8, b"a")
    yield Case("text", "none at all, which is no object", (frame(TEXT),), NOT_UTF8)
    yield Case("text", "the same bytes as binary are input", (frame(BINARY, b"\xff\xc0\x80"),), output=b"\xff\xc0\x80")


def _closing() -> Iterator[Case]:
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        yield Case("closing", f"{code}", (close(code),), code, reason=b"")
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Case("closing", f"{code}, which is none", (close(code),), PROTOCOL_ERROR)
    for reason in (b"bye", "κόσμε".encode(), b"x" * 123):
        yield Case("closing", f"a reason of {len(reason)} bytes", (close(1000, reason),), 1000, reason=reason)
    yield Case("closing", "a reason of 124 bytes", (close(1000, b"x" * 124),), PROTOCOL_ERROR)
    for reason in (b"\xff", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80", b"\xe2\x82"):
        yield Case("closing", f"a reason that is not UTF-8: {reason.hex()}", (close(1000, reason),), NOT_UTF8)
    yield Case("closing", "without a code", (frame(CLOSE),), NO_CODE)
    yield Case("closing", "of one byte", (frame(CLOSE, b"\x03"),), PROTOCOL_ERROR)
    one_segment = {
        "input behind it": (close(1000) + HI, b""),
        "a ping behind it": (close(1000) + frame(PING, b"x"), b""),
        "another behind it": (close(1000) + close(1001), b""),
        "nonsense behind it": (close(1000) + b"\xff" * 100, b""),
        "input before it": (HI + close(1000), b"hi"),
    }
    for name, (sent, output) in one_segment.items():
        yield Case("closing", name, (sent,), 1000, output, reason=b"")
    yield Case("closing", "after a ping", (frame(PING, b"p"), close(1000)), 1000, pongs=(b"p",))


def _limits() -> Iterator[Case]:
    for opcode in (BINARY, TEXT):
        name = f"{opcode:x} of 1 MiB + 1 (AT ONCE)"
        yield Case("limits", name, (frame(opcode, announced=MIB + 1),), TOO_LONG)
        name = f"{opcode:x} of 1 MiB, and a byte in another part"
        half = (frame(opcode, b" " * MIB, fin=False), frame(CONT, announced=1))
        yield Case("limits", name, half, TOO_LONG)
    for size in (1 << 32, (1 << 63) - 1):
        yield Case("limits", f"2^{size.bit_length() - 1} bytes (AT ONCE)", (frame(BINARY, announced=size),), TOO_LONG)
    top = (frame(BINARY, announced=1 << 63),)
    yield Case("limits", "a length with its first bit set (AT ONCE)", top, TOO_LONG)
    most = fragments(TEXT, json.dumps({"type": "input", "text": "x"}).encode(), b" " * (MIB - 32))
    yield Case("limits", "text of 1 MiB in two parts", tuple(most), output=b"x")


def table() -> Iterable[Case]:
    """Return all cases."""
    return (
        *(*_framing(), *_pings(), *_reserved(), *_fragments()),
        *(*_text(), *_closing(), *_limits()),
    )


ENDS = {
    "nothing": b"",
    "half a head": frame(BINARY, b"x" * 200)[:1],
    "a head without its length": frame(BINARY, b"x" * 200)[:2],
    "a head without its mask": frame(BINARY, b"x" * 200)[:4],
    "half a payload": frame(BINARY, b"x" * 200)[:100],
    "half a message": frame(BINARY, b"x", fin=False),
    "half a close frame": close(1000)[:-1],
    "half a ping": frame(PING, b"x" * 100)[:-1],
}
"""what a client has sent when its connection ends"""


class Opening(NamedTuple):
    """A handshake that is refused."""

    name: str
    status: int
    line: str = "GET {path} HTTP/1.1"
    without: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """that the answer must have"""


def _instead(name: str, *values: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (name,), tuple(f"{name}: {value}" for value in values)


KEY = "Sec-WebSocket-Key"
VERSION = "Sec-WebSocket-Version"
OURS = (f"{VERSION}: 13",)
OPENINGS = (
    Opening("no key", 400, without=(KEY,)),
    *(
        Opening(f"key {key!r}", 400, "GET {path} HTTP/1.1", *_instead(KEY, key))
        for key in ("", "x", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZTE=", "%%%%")
    ),
    Opening("two keys", 400, "GET {path} HTTP/1.1", (), (f"{KEY}: dGhlIHNhbXBsZSBub25jZQ==",)),
    Opening("no version", 426, without=(VERSION,), headers=OURS),
    *(
        Opening(f"version {version!r}", 426, "GET {path} HTTP/1.1", *_instead(VERSION, version), OURS)
        for version in ("0", "8", "12", "14", "013", "13, 8", "x", "")
    ),
    Opening("two versions", 426, "GET {path} HTTP/1.1", (), (f"{VERSION}: 8",), OURS),
    Opening("POST", 405, "POST {path} HTTP/1.1", headers=("Allow: GET",)),
    Opening("PUT with a body", 400, "PUT {path} HTTP/1.1", (), ("Content-Length: 2",)),
    Opening("HEAD", 405, "HEAD {path} HTTP/1.1", headers=("Allow: GET",)),
    Opening("HTTP/1.0", 501, "GET {path} HTTP/1.0"),
    Opening("GET with a body", 400, "GET {path} HTTP/1.1", (), ("Content-Length: 2",)),
    Opening("no Connection", 501, without=("Connection",)),
    Opening("no Upgrade", 501, without=("Upgrade",)),
    Opening("Connection that says nothing of it", 501, "GET {path} HTTP/1.1", *_instead("Connection", "close")),
    Opening("Upgrade to something else", 501, "GET {path} HTTP/1.1", *_instead("Upgrade", "h2c")),
    Opening("no Host", 400, without=("Host",)),
    Opening("a header of 10 kB", 431, "GET {path} HTTP/1.1", (), (f"X-Long: {'x' * 10_000}",)),
    Opening("200 headers", 431, "GET {path} HTTP/1.1", (), tuple(f"X-{number}: x" for number in range(200))),
    Opening("a path of 10 kB", 414, "GET {path}?" + "x" * 10_000 + " HTTP/1.1"),
    Opening("another subprotocol", 400, "GET {path} HTTP/1.1", *_instead("Sec-WebSocket-Protocol", "chat")),
)
