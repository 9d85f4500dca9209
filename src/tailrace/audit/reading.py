"""Reading: all lines that are kept, oldest first, also while others write and rotate."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, Final

import msgspec

from tailrace.audit.journal import numbered
from tailrace.core.audit import MOST_FILES, Entry
from tailrace.core.errors import InvalidInput

LINE_BYTES: Final = 1 << 20
"""of one line; what is longer is none of ours"""
_ENTRY = msgspec.json.Decoder(Entry)


def entries(path: str | os.PathLike[str]) -> Iterator[Entry]:
    """Yield what was recorded and is kept, oldest first; a line that cannot be read is passed over.

    Raises:
        InvalidInput: there is no audit, or it may not be read.
    """
    with ExitStack() as stack:
        for file in [stack.enter_context(file) for file in _opened(os.path.abspath(path))]:
            while line := file.readline(LINE_BYTES):
                try:
                    yield _ENTRY.decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    continue


def requests(found: Iterable[Entry]) -> Iterator[Entry]:
    """Yield one entry for each request: its answer; at the end, what was asked and has none."""
    asked: dict[str, Entry] = {}
    for entry in found:
        if entry.phase == "asked":
            asked[entry.request] = entry
        else:
            asked.pop(entry.request, None)
            yield entry
    yield from asked.values()


def _opened(path: str) -> list[BinaryIO]:
    """Open all files at one instant, in which nobody renames them.

    Raises:
        InvalidInput: there is none, or it may not be read.
    """
    try:
        lock = os.open(f"{path}.lock", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            names = [name for number in range(MOST_FILES, -1, -1) if os.path.exists(name := numbered(path, number))]
            return [open(name, "rb") for name in names]
        finally:
            os.close(lock)
    except OSError as error:
        raise InvalidInput(
            f"the audit {path} cannot be read: {(error.strerror or str(error)).lower()}",
            op="read",
            subject=path,
            hint="the file is named in [audit] of the server's file, and its owner may read it",
        ) from None
