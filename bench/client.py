"""A viewer on a raw socket, as a process of its own; prints what it saw as JSON.

client.py first COUNT GAP_S NAME=PORT/PATH...      nanoseconds from the request to the first byte of the body
client.py drain BYTES PORT/PATH                    the whole body: seconds, size, SHA-256
client.py events PORT/PATH                         an event stream of lines: seconds, and how many
client.py crowd VIEWERS PORT/PATH                  so many viewers of one: how many lines all of them got;
                                                   says first when each has one
client.py times COUNT ACCEPT PORT/PATH             nanoseconds from each printed monotonic time to its arrival
"""

import hashlib
import json
import re
import selectors
import socket
import sys
import time

HEAD_END = b"\r\n\r\n"
ANY_LINE = re.compile(rb"(?<![^\n])data: ?[0-9][^\n]*\n")
PRINTED = re.compile(rb"(?:^|\n|data: )([0-9]{10,20})\n")


def request(place: str, accept: str = "*/*") -> socket.socket:
    """Connect and ask; the answer is to be read."""
    port, _, path = place.partition("/")
    peer = socket.create_connection(("127.0.0.1", int(port)), timeout=60)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(f"GET /{path} HTTP/1.1\r\nHost: bench\r\nAccept: {accept}\r\nConnection: close\r\n\r\n".encode())
    return peer


def first_byte_ns(place: str) -> int:
    """Return the time from before the connection to the first byte behind the head, then read to the end."""
    begun = time.monotonic_ns()
    arrived = 0
    with request(place) as peer:
        data = b""
        while part := peer.recv(65536):
            data += part
            if not arrived and data.partition(HEAD_END)[2]:
                arrived = time.monotonic_ns()
    assert dechunked(memoryview(data)) == b"hi\n", data
    return arrived - begun


def first(count: int, gap_s: float, places: dict[str, str]) -> dict[str, list[int]]:
    """Ask each place in turn, `count` times."""
    taken: dict[str, list[int]] = {name: [] for name in places}
    for number in range(count):
        for name in sorted(places, reverse=bool(number % 2)):
            taken[name].append(first_byte_ns(places[name]))
            time.sleep(gap_s)
    return taken


def drain(size: int, place: str) -> dict[str, float | int | str]:
    """Take the whole body as fast as it comes; undo the chunks and compute the digest only afterwards."""
    room = bytearray(size * 2 if size < 1 << 26 else size + (size >> 3))
    room[::4096] = bytes(len(room[::4096]))  # have the memory before the clock runs
    view, filled = memoryview(room), 0
    begun = time.monotonic_ns()
    with request(place) as peer:
        while got := peer.recv_into(view[filled : filled + (1 << 20)]):
            filled += got
    taken_s = (time.monotonic_ns() - begun) / 1e9
    body = dechunked(view[:filled])
    return {"seconds": taken_s, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def dechunked(raw: memoryview) -> bytes:
    """Return the body of a whole HTTP/1.1 response; refuse one without its proper end."""
    head = bytes(raw[:65536]).partition(HEAD_END)[0]
    assert b" 200 " in head.split(b"\r\n")[0], head
    at = len(head) + len(HEAD_END)
    if b"chunked" not in head.lower():
        length = re.search(rb"(?i)content-length: *([0-9]+)", head)
        assert length, head
        assert len(raw) - at == int(length[1]), "cut short"
        return bytes(raw[at:])
    parts = []
    while True:
        line_end = bytes(raw[at : at + 20]).index(b"\r\n")
        size = int(bytes(raw[at : at + line_end]), 16)
        at += line_end + 2
        if size == 0:
            return b"".join(parts)
        parts.append(raw[at : at + size])
        at += size + 2


def times(count: int, accept: str, place: str) -> list[int]:
    """Read a stream of monotonic times; return how old each was when it arrived."""
    ages: list[int] = []
    with request(place, accept) as peer:
        held = b""
        while part := peer.recv(65536):
            now = time.monotonic_ns()
            held += part
            found = list(PRINTED.finditer(held))
            ages += [now - int(match[1]) for match in found]
            if found:
                held = held[found[-1].end() - 1 :]
    assert len(ages) == count, f"{len(ages)} of {count} lines"
    return ages


def events(place: str) -> dict[str, float]:
    """Take a whole event stream as fast as it comes, and count afterwards."""
    parts = []
    begun = time.monotonic_ns()
    with request(place, "text/event-stream") as peer:
        while part := peer.recv(1 << 20):
            parts.append(part)
    taken_s = (time.monotonic_ns() - begun) / 1e9
    return {"seconds": taken_s, "lines": _lines_of(b"".join(parts))}


def crowd(viewers: int, place: str) -> dict[str, int]:
    """Watch with so many connections at once."""
    peers = [request(place, "text/event-stream") for _ in range(viewers)]
    seen = {peer: bytearray() for peer in peers}
    waiting = set(peers)
    with selectors.DefaultSelector() as selector:
        for peer in peers:
            selector.register(peer, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(60):
                peer = key.fileobj
                part = peer.recv(1 << 16)
                seen[peer] += part
                if peer in waiting and ANY_LINE.search(seen[peer]):
                    waiting.remove(peer)
                    if not waiting:
                        print("all have begun")
                if not part:
                    selector.unregister(peer)
                    peer.close()
    return {"lines": sum(_lines_of(bytes(data)) for data in seen.values())}


def _lines_of(raw: bytes) -> int:
    """Return how many events of a line that begins with a digit there are; peers write no space behind the colon."""
    body = dechunked(memoryview(raw))
    return len(re.findall(rb"(?<![^\n])data: ?[0-9][^\n]*\n\n", body))


def main(mode: str, *arguments: str) -> None:
    """Do what the command line says."""
    if mode == "first":
        count, gap_s, *places = arguments
        seen: object = first(int(count), float(gap_s), dict(place.split("=", 1) for place in places))
    elif mode == "events":
        seen = events(arguments[0])
    elif mode == "crowd":
        seen = crowd(int(arguments[0]), arguments[1])
    elif mode == "drain":
        seen = drain(int(arguments[0]), arguments[1])
    else:
        seen = times(int(arguments[0]), *arguments[1:])
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
