"""What is sent in every contest: numbered, stamped lines of one size; how they are found, and where they come from.

`@`, the number, the monotonic time in nanoseconds, dots up to the size, and a newline. Nothing else that a server sends
holds an `@`, so that counting messages is looking for one byte.

As a process, a source, which waits until its gate, a locked file, is opened, and stays until a second one is, so that
what it cost can be read; alone in its file, since a hundred of these are started that need not find our package:

message.py print GATE COUNT EVERY_S SIZE          a command: prints them
message.py post GATE COUNT EVERY_S SIZE PORT      a publisher: posts each to /publish, and waits for the answer
"""

import fcntl
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator

MARK = b"@"
STAMPED = re.compile(rb"@([0-9]{8}) ([0-9]{20}) ")
WHOLE = re.compile(rb"@([0-9]{8}) [0-9]{20} (\.*)")
HEAD_BYTES = 31
EXIT = ".exit"
"""what the name of the second gate has more"""


def make(number: int, size: int) -> bytes:
    """Return message `number`, stamped now, `size` bytes with its newline."""
    return b"@%08d %020d %s\n" % (number, time.monotonic_ns(), b"." * (size - HEAD_BYTES - 1))


def paced(count: int, every_s: float) -> Iterator[int]:
    """Give the numbers of the messages, each when it is due."""
    due = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, due - time.monotonic()))
        yield number
        due += every_s


def check(body: bytes, count: int, size: int) -> None:
    """Assert that all messages are there, in order, once, and whole."""
    found = WHOLE.findall(body)
    numbers = [int(number) for number, _ in found]
    assert numbers == list(range(count)), f"{len(numbers)} of {count} messages: {numbers[:5]} … {numbers[-5:]}"
    assert {len(dots) for _, dots in found} == {size - HEAD_BYTES - 1}, "a message is not whole"


def main(mode: str, gate: str, count: str, every_s: str, size: str, *port: str) -> None:
    """Wait, then send."""
    send = _printer() if mode == "print" else _poster(int(port[0]))
    _wait_at(gate)
    for number in paced(int(count), float(every_s)):
        send(make(number, int(size)))
    _wait_at(gate + EXIT)


def _wait_at(gate: str) -> None:
    with open(gate, "rb") as file:  # noqa: PTH123  pathlib would cost each source memory
        fcntl.flock(file, fcntl.LOCK_SH)


def _printer() -> Callable[[bytes], object]:
    os.write(1, b"ready\n")  # some servers send no head before there is something to say
    return lambda message: os.write(1, message)


def _poster(port: int) -> Callable[[bytes], object]:
    """Return a call that posts over one connection."""
    peer = socket.create_connection(("127.0.0.1", port), timeout=20)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(message: bytes) -> None:
        body = message.rstrip(b"\n")
        peer.sendall(b"POST /publish HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = peer.recv(65536)
            assert part, "the server closed the publisher's connection"
            answer += part
        assert answer.split()[1] in {b"201", b"202"}, answer

    return post


if __name__ == "__main__":
    main(*sys.argv[1:])
