"""Forms with files, as a client sends them (RFC 7578): one piece after another, and no file whole in memory."""

import os
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, TypeAlias

from tailrace.core.errors import InvalidInput

FileSource: TypeAlias = str | os.PathLike[str] | bytes
"""what is sent along: the path of a file, or its content"""

PIECE_BYTES: Final = 64 << 10
_END: Final = b"\r\n"
_ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""as browsers write names (HTML, 4.10.22.7)"""


class Form:
    """A form with its files, which are open until it is left.

    Args:
        fields: (name, text); a name may stand there several times.
        files: by the names of their fields.

    Raises:
        InvalidInput: a file cannot be read.
    """

    def __init__(self, fields: Sequence[tuple[str, str]], files: Mapping[str, FileSource]) -> None:
        self._boundary = secrets.token_hex(16).encode()
        self._stack = ExitStack()
        self._parts: list[tuple[bytes, bytes | BinaryIO, int]] = []
        """of each: its head, what it has, and how many bytes that is"""
        for name, text in fields:
            data = text.encode()
            self._parts.append((self._head(name), data, len(data)))
        with self._stack:
            for name, source in files.items():
                self._add(name, source)
            self._stack = self._stack.pop_all()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close its files."""
        self._stack.close()

    @property
    def content_type(self) -> str:
        """The type of the body."""
        return f"multipart/form-data; boundary={self._boundary.decode()}"

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return sum(len(head) + size + len(_END) for head, _what, size in self._parts) + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body, once.

        Raises:
            InvalidInput: a file has become shorter since it was opened.
        """
        for head, what, size in self._parts:
            yield head
            yield from (what,) if isinstance(what, bytes) else _pieces(what, size)
            yield _END
        yield self._tail

    @property
    def _tail(self) -> bytes:
        return b"--" + self._boundary + b"--\r\n"

    def _head(self, name: str, *more: str) -> bytes:
        words = [f'Content-Disposition: form-data; name="{name.translate(_ESCAPES)}"', *more]
        return b"--" + self._boundary + _END + "; ".join(words).encode() + _END + _END

    def _add(self, name: str, source: FileSource) -> None:
        if isinstance(source, bytes):
            self._parts.append((self._head(name, 'filename="data"'), source, len(source)))
            return
        path = Path(source)
        file, size = opened(name, path)
        self._stack.callback(file.close)
        plain = path.name.encode("utf-8", "replace").decode().translate(_ESCAPES)
        self._parts.append((self._head(name, f'filename="{plain}"'), file, size))


def opened(name: str, path: Path) -> tuple[BinaryIO, int]:
    """Return a file that is to be sent along, and its size in bytes.

    Args:
        name: of its parameter.
        path: where it is.

    Raises:
        InvalidInput: it cannot be read, or is no file.
    """
    try:
        file = open(path, "rb", opener=_opener)  # noqa: SIM115  it is open until the form is left
    except (OSError, ValueError) as error:
        why = ((error.strerror if isinstance(error, OSError) else "") or str(error)).lower()
        raise _unread(name, f"{path} cannot be read: {why}", "give the path of a file") from None
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise _unread(name, f"{path} is no regular file", "its size must be known: put what it has into a file first")
    return file, status.st_size


def _opener(path: str, flags: int) -> int:
    """Open it without waiting for somebody at the other end of a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        piece = file.read(min(size, PIECE_BYTES))
        if not piece:
            raise _unread(file.name, "a file became shorter while it was sent", "nothing was started; try again")
        size -= len(piece)
        yield piece


def _unread(subject: str, message: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{subject}: {message}", op="start", subject=subject, hint=hint)
