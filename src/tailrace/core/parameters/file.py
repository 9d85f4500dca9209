"""Parameters that are files: one that is there already, below a directory, and one that is sent along."""

import os
from collections.abc import Iterator
from typing import Literal

import msgspec

from tailrace.core.errors import Fault
from tailrace.core.parameters.base import (
    LONGEST,
    Base,
    described,
    kind_of,
    need_faults,
    standing_faults,
    text_of,
    unfit,
)

PATH_LENGTH = 4096
"""bytes of a path (PATH_MAX)"""
MOST_BYTES = 64 << 20
"""of a file that is sent along"""


class PathBelow(Base, frozen=True, kw_only=True, tag="path"):
    """A path below a directory. The command gets it whole, with all links followed."""

    root: str = ""
    """the directory, from the file's; nothing outside it can be named, by `..` or by a link"""
    default: str | None = None
    """the value when none is given"""
    example: str | None = None
    """a value that shows what is meant"""
    must_exist: bool = True
    """refuse what is not there when the run is started"""
    kind: Literal["file", "directory"] | None = None
    """what it must be, if it is there"""

    @property
    def is_path(self) -> bool:
        """See `Base.is_path`."""
        return True

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        if not self.root or "\0" in self.root:
            yield Fault("root", "is missing", "the directory below which paths may be: root = 'reports'")
        yield from standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`: as it reads; where it leads, only the file system knows (`tailrace.host.beneath`)."""
        text = text_of(value)
        if not 0 < len(os.fsencode(text)) < PATH_LENGTH:
            raise unfit("is empty, or too long for a path", f"it takes 1 to {PATH_LENGTH - 1} bytes")
        if text.startswith("/"):
            raise unfit("begins with '/'", "give it as it is below its directory")
        if ".." in text.split("/"):
            raise unfit("has '..' in it", "nothing outside its directory can be named")
        return os.path.normpath(f"{self.root}/{text}")

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a field that was left empty gives nothing."""
        return text or None

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        return {"type": "string", "format": "path", "minLength": 1, "maxLength": PATH_LENGTH - 1, **described(self)}


class Sent(msgspec.Struct, frozen=True):
    """A file that came with a request: the value of an `Upload`."""

    size: int
    token: str
    """what stands for its path until the run is there"""
    path: str
    """where it lies until then"""


class Upload(Base, frozen=True, kw_only=True, tag="file"):
    """A file that is sent along. The command gets the path of a private copy, which goes when the run has ended."""

    maximum_size: int = 1 << 20
    """the most bytes that it may have"""
    accept: tuple[str, ...] = ()
    """what a browser offers to choose: `.csv`, `text/plain`. It is not checked"""

    @property
    def need(self) -> str:
        """See `Base.need`."""
        return "choose a file; a program sends it as a part of multipart/form-data: curl -F NAME=@FILE"

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        if not 0 < self.maximum_size <= MOST_BYTES:
            yield Fault("maximum_size", f"cannot be {self.maximum_size}", f"1 to {MOST_BYTES} bytes")
        if any(len(word) > LONGEST or "," in word for word in self.accept):
            yield Fault("accept", "has what is no type", 'such as [".csv", "text/plain"]')
        yield from need_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        if not isinstance(value, Sent):
            raise unfit(f"must be a file, not {kind_of(value)}", "send it as a part of multipart/form-data")
        if value.size > self.maximum_size:
            raise unfit(f"has {value.size} bytes", f"it takes up to {self.maximum_size}")
        return value.token

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: text is no file; an empty field gives nothing."""
        return text or None

    def schema(self) -> dict[str, object]:
        """See `Base.schema`: `format: binary` is OpenAPI's word for it; `accept` is for forms."""
        accept = {"accept": list(self.accept)} if self.accept else {}
        return {"type": "string", "format": "binary", "maxLength": self.maximum_size, **described(self), **accept}
