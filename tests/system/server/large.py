"""200 MiB of output, and what clients make of it on each wire."""

import hashlib
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Final, TypeAlias

import msgspec

PRINTER = """
import sys
line = lambda n: ("%d \\u20ac " % n + "x" * (n * 37 % 900)).encode() + b"\\n"
block = b"".join(map(line, range(2300)))
sys.stdin.readline()
size = 0
for number in range(200):
    text = b"block %d\\n" % number + block
    sys.stdout.buffer.write(text)
    size += len(text)
sys.stdout.flush()
assert size >= 200 << 20, size
sys.stdin.readline()
"""
"""waits for a line before it prints, and for another, or the end of its input, before it ends"""


class _Piece(msgspec.Struct):
    text: str = ""


_PIECES = msgspec.json.Decoder(_Piece)
_ROWS = msgspec.json.Decoder(list[str | float])
Unpacked: TypeAlias = Iterable[bytes]


def _text(body: IO[bytes]) -> Unpacked:
    while data := body.read(1 << 20):
        yield data


def _lines(body: IO[bytes]) -> Unpacked:
    is_message = True
    for row in body:
        if row.startswith(b"event: "):
            is_message = False
        elif row == b"\n":
            is_message = True
        elif row.startswith(b"data: ") and is_message:
            yield row[6:]


def _sse(body: IO[bytes]) -> Unpacked:
    for row in body:
        if row.startswith(b"data: "):
            yield _PIECES.decode(row[6:]).text.encode()


def _ndjson(body: IO[bytes]) -> Unpacked:
    for row in body:
        yield _PIECES.decode(row).text.encode()


def _cast(body: IO[bytes]) -> Unpacked:
    next(iter(body))
    for row in body:
        _time, kind, text = _ROWS.decode(row)
        if kind == "o":
            yield str(text).replace("\r\n", "\n").encode()


UNPACKERS: Final[dict[str, Callable[[IO[bytes]], Unpacked]]] = {
    "text": _text, "lines": _lines, "sse": _sse, "ndjson": _ndjson, "cast": _cast,
}  # fmt: skip
"""what takes the output out of an answer, by wire"""


class Fetch:
    """curl, in a process of its own; what it gets is unpacked as it comes."""

    def __init__(self, url: str, wire: str, *options: str) -> None:
        command = ["curl", "--silent", "--show-error", "--no-buffer", "--noproxy", "*", *options]
        self._wire = wire
        self._digest = hashlib.sha256()
        self._size = 0
        self.process = subprocess.Popen([*command, f"{url}?format={wire}"], stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def result(self) -> tuple[int, int, str]:
        """Return, when it has ended: how it exited, how many bytes of output it got, and their digest."""
        self._thread.join()
        return self.process.wait(60), self._size, self._digest.hexdigest()

    def _take(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as body:
            for data in UNPACKERS[self._wire](body):
                self._size += len(data)
                self._digest.update(data)


def wanted(file: Path, begin: int = 0, end: int | None = None) -> tuple[int, int, str]:
    """Return the result that is right, for the bytes of [begin, end)."""
    data = memoryview(file.read_bytes())[begin:end]
    return 0, len(data), hashlib.sha256(data).hexdigest()
