"""What the commands print: files of lines, made once, and printed by `cat`."""

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 8 << 20
LINE_BYTES = 100


@dataclass(frozen=True)
class Content:
    """A file, its size and digest."""

    path: Path
    size: int
    sha256: str


def numbered_lines(path: Path, size: int) -> Content:
    """Write lines of 100 bytes, each with its number."""
    filler = b"." * (LINE_BYTES - 12) + b"\n"
    return _written(path, (b"%010d " % number + filler for number in range(size // LINE_BYTES)))


def irregular_lines(path: Path, size: int) -> Content:
    """Write lines of irregular length, no two blocks of them alike."""
    source = random.Random(4)  # noqa: S311  it is to look alike in every run, not to be secret
    table = bytes(32 + byte % 95 if byte > 2 else 10 for byte in range(256))
    block = source.randbytes(BLOCK_BYTES).translate(table)
    cuts = [source.randrange(BLOCK_BYTES) for _ in range(size // BLOCK_BYTES)]
    return _written(path, (block[cut:] + block[:cut] for cut in cuts))


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(path: Path, pieces: Iterable[bytes]) -> Content:
    with path.open("wb", buffering=1 << 20) as file:
        file.writelines(pieces)
    return Content(path, path.stat().st_size, digest(path))
