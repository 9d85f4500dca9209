"""A TOML file as it was read: its values, and on which line each key stands.

`tomllib` says what a file means, not where. So its text is looked through once more for headers and keys; what is not
found by that (in a table on one line, say) is where the table is that holds it.
"""

import datetime as dt
import math
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from tailrace.core.errors import Fault, InvalidInput, InvalidValues

Keys: TypeAlias = tuple[str, ...]
"""the way to a value: `("commands", "count", "argv")`"""
Table: TypeAlias = dict[str, object]

MOST_BYTES: Final = 4 << 20
"""of a file; a longer one is not what was meant"""

_NAME = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*(?P<key>{_KEY})[ \t]*\]")
_PAIR = re.compile(rf"[ \t]*(?P<key>{_KEY})[ \t]*=")
_QUOTES = re.compile(r'"""|' + "'''")
_AT = re.compile(r" \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)$")


class Document:
    """One file.

    Args:
        path: where it is.

    Raises:
        InvalidInput: it cannot be read.
        InvalidValues: it is not TOML.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        text = _read(self.path)
        try:
            self.table: Table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidValues.of([_syntax_fault(self.path, str(error))], op="read") from None
        except (RecursionError, ValueError) as error:
            fault = Fault(f"{self.path}:", f"cannot be read as TOML: {error}", "write it simpler")
            raise InvalidValues.of([fault], op="read") from None
        self._lines = dict(_lines(text))

    def place(self, keys: Keys) -> str:
        """Return where the keys lead, as a compiler says it, and what they are: `tailrace.toml:3: commands.count`."""
        plain = tuple(key.partition("[")[0] for key in keys)  # `argv[2]` is where `argv` is
        known = next((plain[:end] for end in range(len(plain), 0, -1) if plain[:end] in self._lines), None)
        line = "" if known is None else f":{self._lines[known]}"
        return f"{self.path}{line}: {'.'.join(keys)}"

    def has(self, keys: Keys) -> bool:
        """Tell whether the keys stand in it."""
        return tuple(key.partition("[")[0] for key in keys) in self._lines

    def line_in(self, place: str) -> int:
        """Return the line that a place names; 0 if it names none, and beyond all if it is not in this file."""
        found = re.match(r":(?:(?P<line>[0-9]+):)? ", place.removeprefix(str(self.path)))
        if found is None or not place.startswith(str(self.path)):
            return sys.maxsize
        return int(found["line"] or 0)


def is_plain(value: object) -> bool:
    """Tell whether the value is one of those that JSON has too: no date, no NaN, no number of more than 64 bits."""
    match value:
        case dt.date() | dt.time():
            return False
        case float():
            return math.isfinite(value)
        case int():
            return -(1 << 63) <= value < 1 << 63
        case list():
            return all(map(is_plain, value))
        case Mapping():
            return all(map(is_plain, value.values()))
        case _:
            return True


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise InvalidInput(
            f"{path} cannot be read: {why}", op="read", subject=str(path), hint="name the file that declares commands"
        ) from None
    if len(data) > MOST_BYTES:
        raise InvalidInput(
            f"{path} has more than {MOST_BYTES} bytes", op="read", subject=str(path), hint="is it the right file?"
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = Fault(f"{path}:{line}:", "is not UTF-8, as TOML must be", "save it as UTF-8")
        raise InvalidValues.of([fault], op="read") from None


def _syntax_fault(path: Path, message: str) -> Fault:
    at = _AT.search(message)
    line = f"{at['line']}:" if at is not None and at["line"] else ""
    what = message[: at.start()] if at is not None else message
    return Fault(f"{path}:{line}", f"{what[:1].lower()}{what[1:]}", "see https://toml.io for how it is written")


def _lines(text: str) -> Iterator[tuple[Keys, int]]:
    """Yield the keys that stand at the beginning of a line, and the line's number; the first is where they begin."""
    header: Keys = ()
    is_inside = False
    seen: set[Keys] = set()
    for number, line in enumerate(text.split("\n"), 1):
        was_inside = is_inside
        is_inside ^= len(_QUOTES.findall(line)) % 2 == 1
        if was_inside:
            continue
        if found := _HEADER.match(line):
            header = keys = _names(found["key"])
        elif found := _PAIR.match(line):
            keys = (*header, *_names(found["key"]))
        else:
            continue
        for end in range(1, len(keys) + 1):
            if keys[:end] not in seen:
                seen.add(keys[:end])
                yield keys[:end], number


def _names(key: str) -> Keys:
    return tuple(name[1:-1] if name[0] in "'\"" else name for name in re.findall(_NAME, key))
