"""Forms with files (RFC 7578): the fields as text, each file as a private temporary one until its run has a copy.

The parser is python-multipart's. A body is read whole, within the limit that the command's own parameters set, before
anything of it is looked at; what is not declared is refused like any other unknown field, and never written down. The
parser bounds the headers of a part; how many parts there are, it leaves to us.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from tailrace.core.command import Command
from tailrace.core.errors import EngineUnavailable, InvalidInput
from tailrace.core.parameters import Upload
from tailrace.core.parameters.file import Sent
from tailrace.engine.base import Engine
from tailrace.engine.disk import DiskEngine
from tailrace.host.uploads import place

MULTIPART: Final = "multipart/form-data"
MOST_PARTS: Final = 1000
NOWHERE: Final = Sent(0, "", "")
"""stands for a file that no parameter of the command takes"""
_SUFFIX = re.compile(rb"\.[A-Za-z0-9]{1,8}")


@contextmanager
def place_for(engine: Engine) -> Iterator[str]:
    """Have a private directory for the files of one request; it is gone afterwards.

    Raises:
        EngineUnavailable: it cannot be made.
    """
    if not isinstance(engine, DiskEngine):
        with TemporaryDirectory(prefix="tailrace-") as path:
            yield path
        return
    with ExitStack() as stack:
        try:
            path = stack.enter_context(place(engine.state))
        except OSError as error:
            raise _untaken(error) from None
        yield path


class Parts(NamedTuple):
    """What a form says."""

    texts: dict[str, list[str]]
    files: dict[str, Sent]


def room_of(command: Command) -> int:
    """Return how many bytes the files of a request for the command may have in all."""
    return sum(each.maximum_size for each in command.parameters.values() if isinstance(each, Upload))


def parts_of(command: Command, data: bytes, content_type: str, directory: str) -> Parts:
    """Return the parts of a form.

    Args:
        command: whose files are put down; of others only that they are there is kept, for which it refuses them.
        data: the body.
        content_type: with its boundary.
        directory: a private one, in which files are put.

    Raises:
        InvalidInput: it cannot be read, or has too many parts.
        EngineUnavailable: a file cannot be written.
    """
    try:
        from python_multipart.exceptions import FormParserError  # who declares no files need not have it
        from python_multipart.multipart import Field, File, create_form_parser
    except ImportError:
        raise _bad("forms with files cannot be read here", "install python-multipart beside Tailrace") from None

    parts, counted = Parts({}, {}), count(1)

    def on_field(field: Field) -> None:
        _bound(next(counted))
        parts.texts.setdefault(_text(field.field_name), []).append(_text(field.value))

    def on_file(file: File) -> None:
        _bound(next(counted))
        name = _text(file.field_name)
        file.file_object.seek(0)
        content = file.file_object.read()
        if not content and not file.file_name:
            return  # a browser's, where none was chosen (HTML, 4.10.22.4)
        if name in parts.files:
            raise _bad(f"{name[:40]!r} stands there twice", "give each once")
        is_wanted = isinstance(command.parameters.get(name), Upload)
        parts.files[name] = _put(content, file.file_name or b"", directory, len(parts.files)) if is_wanted else NOWHERE

    headers = {"Content-Type": content_type.encode("latin-1", "replace")}
    try:
        parser = create_form_parser(headers, on_field, on_file, {"MAX_MEMORY_FILE_SIZE": len(data) + 1})
        parser.write(data)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise _bad(f"the form cannot be read: {str(error).lower()}", "send it as browsers and `curl -F` do") from None
    return parts


def values_of(command: Command, parts: Parts) -> dict[str, object]:
    """Return the values that the parts mean.

    Raises:
        InvalidValues: a field stands there more often than its parameter takes.
        InvalidInput: a name is both a field and a file.
    """
    if both := sorted(set(parts.texts) & set(parts.files)):
        raise _bad(f"{both[0][:40]!r} stands there twice", "give each once")
    return {**command.values_from(parts.texts), **parts.files}


def _bound(parts: int) -> None:
    if parts > MOST_PARTS:
        raise _bad(f"the form has more than {MOST_PARTS} parts", "give each parameter once")


def _put(content: bytes, name: bytes, directory: str, index: int) -> Sent:
    """Write a file down; of its name only a plain suffix is kept, since programs look at that.

    Raises:
        EngineUnavailable: it cannot be written.
    """
    suffix = os.path.splitext(name)[1]  # noqa: PTH122  these are bytes
    plain = suffix.decode() if _SUFFIX.fullmatch(suffix) else ""
    path = f"{directory}/{index}{plain}"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:  # noqa: PTH123  it is a descriptor
            file.write(content)
    except OSError as error:
        raise _untaken(error) from None
    return Sent(len(content), f"tailrace-file-{secrets.token_hex(16)}", path)


def _text(raw: bytes | None) -> str:
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError:
        raise _bad("the form cannot be read: it is not UTF-8", "send fields in UTF-8") from None


def _untaken(error: OSError) -> EngineUnavailable:
    return EngineUnavailable(
        f"files cannot be taken: {(error.strerror or str(error)).lower()}", op="start", subject="uploads",
        hint="see who owns the state directory, and the space on its disk",
    )  # fmt: skip


def _bad(message: str, hint: str) -> InvalidInput:
    return InvalidInput(message, op="start", subject="parameters", hint=hint)
