"""The files of a configuration: the one that is named, and those that it includes, each with its own lines."""

import glob
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from tailrace.config.commands import Fields, defaults_in, joined
from tailrace.config.document import Document, Keys
from tailrace.core.errors import Fault, InvalidInput, InvalidValues

INCLUDE: Final = "include"
MOST_FILES: Final = 1000
NO_FIELDS: Fields = MappingProxyType({})


class Part(NamedTuple):
    """One file, and what its commands have unless they say otherwise."""

    document: Document
    defaults: Fields

    @property
    def directory(self) -> Path:
        """Where it is."""
        return self.document.path.absolute().parent


class Files:
    """All files, read in the order in which they name each other.

    Args:
        path: the first.
        faults: where mistakes go.
        look: told each path and pattern that is looked at, before it is.

    Raises:
        InvalidInput: the first cannot be read.
        InvalidValues: it is not TOML.
    """

    def __init__(self, path: str | os.PathLike[str], faults: list[Fault], look: Callable[[str], object]) -> None:
        self._faults = faults
        self._look = look
        self._includers: dict[str, str] = {}
        """the place that named each file, by where it really is"""
        self.looked: dict[str, None] = {}
        """the paths that were read or asked for, and the patterns: whatever a change could come from"""
        self.documents: list[Document] = []
        self._see(os.path.abspath(path))  # noqa: PTH100  the rest are texts too
        self.parts = list(self._read(Document(path), NO_FIELDS))

    def report_in(self, document: Document) -> Callable[[Keys, str, str], None]:
        """Return what notes a mistake in a file."""
        return lambda keys, message, hint: self._faults.append(Fault(document.place(keys), message, hint))

    def place(self, keys: Keys) -> str:
        """Return where the keys lead, in the first file in which they do."""
        found = next((each for each in self.documents if each.has(keys[:2])), self.documents[0])
        return found.place(keys)

    def order_of(self, fault: Fault) -> tuple[int, int]:
        """Return what to sort mistakes by: the file, then the line; what is in no file comes behind."""
        for index, document in enumerate(self.documents):
            if (line := document.line_in(fault.subject)) < sys.maxsize:
                return index, line
        return sys.maxsize, 0

    def _read(self, document: Document, outer: Fields) -> Iterator[Part]:
        self.documents.append(document)
        self._includers.setdefault(os.path.realpath(document.path), str(document.path))
        report = self.report_in(document)
        directory = document.path.absolute().parent
        defaults = joined(outer, defaults_in(document.table, directory, report))
        yield Part(document, defaults)
        for index, pattern in enumerate(_patterns(document.table, report)):
            place = document.place((f"{INCLUDE}[{index}]",))
            for path in self._found(directory, pattern, place):
                if (inner := self._open(path, place)) is not None:
                    yield from self._read(inner, defaults)

    def _see(self, path: str) -> None:
        self.looked[path] = None
        self._look(path)

    def _found(self, directory: Path, pattern: str, place: str) -> list[str]:
        """Return the files that a pattern means, in the order of their names; one without wildcards is itself."""
        begin = glob.escape(str(directory)) if glob.has_magic(pattern) else directory
        whole = os.path.join(begin, pattern)  # noqa: PTH118  it may be a pattern
        self._see(whole)
        if not glob.has_magic(pattern):
            return [whole]
        found = sorted(glob.glob(whole))  # noqa: PTH207  as above
        if len(found) > MOST_FILES:
            self._faults.append(Fault(place, f"means {len(found)} files", f"at most {MOST_FILES}"))
            return []
        return found

    def _open(self, path: str, place: str) -> Document | None:
        """Return the file, if it can be read and has not been; else the mistake is noted."""
        real = os.path.realpath(path)
        if (earlier := self._includers.get(real)) is not None:
            message = f"names {path}, which is read already, for {earlier}"
            self._faults.append(Fault(place, message, "name each file once, and none that names this one"))
            return None
        self._includers[real] = place
        self._see(path)
        try:
            return Document(path)
        except InvalidValues as error:
            self._faults.extend(error.faults)
        except InvalidInput as error:
            hint = "name a file that is there; a relative name is from this file's directory"
            self._faults.append(Fault(place, f"cannot be: {error.message}", hint))
        return None


def _patterns(table: Mapping[str, object], report: Callable[[Keys, str, str], None]) -> list[str]:
    value = table.get(INCLUDE, [])
    if isinstance(value, list) and all(isinstance(each, str) and each and "\0" not in each for each in value):
        return value
    report((INCLUDE,), "must be a list of names of files", 'for example include = ["more.toml", "commands.d/*.toml"]')
    return []
