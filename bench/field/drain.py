"""One viewer that takes all there is, as a process: `drain.py ROOM_BYTES KIND`, KIND being how the text is found again.

Says `ready`, reads as JSON whom to ask for what, takes everything as fast as it comes, and prints what it was: when it
ended by the monotonic clock, how many messages, the text's size and SHA-256. Nothing is undone before the clock has
stopped.
"""

import hashlib
import json
import re
import socket
import sys
import time
from collections.abc import Callable

from bench.field.viewers import Ask, head_of, unframed, unmasked

DATA = re.compile(rb"(?<![^\n])(event: ?[^\n]*\n)?data: ?([^\n]*)\n")
"""with the event's name in front, if it has one; the servers here write it there"""
READ_BYTES = 1 << 20


def main(room_bytes: int, kind: str) -> None:
    """Do what the command line says."""
    room = bytearray(room_bytes)
    room[::4096] = bytes(len(room[::4096]))  # have the memory before the clock runs
    print("ready", flush=True)
    ask = Ask(**json.loads(sys.stdin.readline()))
    begun_ns = time.monotonic_ns()
    filled = _take(ask, memoryview(room))
    ended_ns = time.monotonic_ns()
    text, messages = KINDS[kind](bytes(room[:filled]))
    told = {"begun_ns": begun_ns, "ended_ns": ended_ns, "messages": messages, "wire_bytes": filled}
    print(json.dumps({**told, "bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}))


def _take(ask: Ask, room: memoryview) -> int:
    with socket.create_connection(("127.0.0.1", ask.port), timeout=60) as peer:
        peer.sendall(ask.request())
        first = head_of(peer)
        room[: len(first)] = first
        filled = len(first)
        try:
            while got := peer.recv_into(room[filled : filled + READ_BYTES]):
                filled += got
        except ConnectionResetError:
            pass  # websocketd's way to end; whether all came, the digest tells
        assert filled < len(room), "there was no room for all"
        return filled


def _bytes(raw: bytes) -> tuple[bytes, int]:
    return unframed(raw, is_websocket=False), 0


def _lines(raw: bytes) -> tuple[bytes, int]:
    found = [line for name, line in DATA.findall(unframed(raw, is_websocket=False)) if not name]
    return b"".join(b"%s\n" % line for line in found), len(found)


def _objects(raw: bytes) -> tuple[bytes, int]:
    """Events whose data is an object with a text."""
    found = DATA.findall(unframed(raw, is_websocket=False))
    texts = [json.loads(data)["text"].encode() for name, data in found if name.endswith(b"output\n")]
    return b"".join(texts), len(texts)


def _frames(raw: bytes) -> tuple[bytes, int]:
    parts = unmasked(raw.partition(b"\r\n\r\n")[2])
    return b"".join(parts), len(parts)


def _frames_of_lines(raw: bytes) -> tuple[bytes, int]:
    parts = unmasked(raw.partition(b"\r\n\r\n")[2])
    return b"".join(b"%s\n" % part for part in parts), len(parts)


KINDS: dict[str, Callable[[bytes], tuple[bytes, int]]] = {
    "bytes": _bytes,
    "lines": _lines,
    "objects": _objects,
    "frames": _frames,
    "line-frames": _frames_of_lines,
}

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
