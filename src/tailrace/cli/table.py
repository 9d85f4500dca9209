"""The table of runs, fitted to the terminal: the command gets what the other columns leave."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tailrace.cli import talk, terminal, words
from tailrace.cli.naming import SHORT
from tailrace.core.outcome import Cancelled, Exited, Stopped
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.terminal import escape_text

STDOUT = 1
UNLIMITED = 10_000
"""columns, where nobody looks: nothing is shortened for a file"""
COMMAND_WIDTH = 24
"""below which columns are left out, the least wanted first"""
_LEFT_OUT = ("by", "size", "took", "when")


class Column(NamedTuple):
    """A column's name, and its cells."""

    name: str
    cells: list[str]

    @property
    def width(self) -> int:
        """The width of its widest cell."""
        return max(map(width, (self.name, *self.cells)))


def lines(runs: Sequence[RunInfo]) -> Iterator[str]:
    """Yield the table's lines, its head first."""
    columns = [
        Column("id", [info.id[:SHORT] for info in runs]),
        Column("state", [words.state(info) for info in runs]),
        Column("when", [_when(info) for info in runs]),
        Column("took", [_took(info) for info in runs]),
        Column("size", [words.short_size(info.size + info.dropped) for info in runs]),
        Column("by", [cut(escape_text(info.by or ""), 16) for info in runs]),
        Column("command", [_command(info) for info in runs]),
    ]
    columns = _fitting(columns, _terminal_width())
    yield talk.painted(_row([column.name.upper() for column in columns], columns), talk.BOLD, STDOUT)
    for index, info in enumerate(runs):
        yield _row([column.cells[index] for column in columns], columns, colour=_colour(info))


def _when(info: RunInfo) -> str:
    at = info.started or info.created
    return words.ago(at, words.now()) if at else ""


def _took(info: RunInfo) -> str:
    took = words.took(info)
    return "" if took is None else words.duration(took)


def _command(info: RunInfo) -> str:
    line = words.command_line(info)
    return f"{escape_text(info.command)}: {line}" if info.command else line


def _terminal_width() -> int:
    size = terminal.size(STDOUT)
    return size[1] if size else UNLIMITED


def _fitting(columns: list[Column], limit: int) -> list[Column]:
    """Leave out columns until the last one has room, and shorten its cells to what is left."""
    for name in (None, *_LEFT_OUT):
        columns = [column for column in columns if column.name != name]
        left = limit - sum(column.width + 2 for column in columns[:-1])
        if left >= min(COMMAND_WIDTH, columns[-1].width):
            break
    last = columns[-1]
    return [*columns[:-1], last._replace(cells=[cut(cell, max(left, len(last.name))) for cell in last.cells])]


def _row(cells: list[str], columns: list[Column], *, colour: str = "") -> str:
    padded = [cell + " " * (column.width - width(cell)) for cell, column in zip(cells, columns, strict=True)]
    if colour:
        padded[1] = talk.painted(padded[1], colour, STDOUT)
    padded[-1] = cells[-1]
    return "  ".join(padded).rstrip()


def _colour(info: RunInfo) -> str:
    match info.outcome:
        case None:
            return "" if info.state is State.QUEUED else talk.YELLOW
        case Exited(0):
            return talk.GREEN
        case Stopped() | Cancelled():
            return talk.DIM
        case _:
            return talk.RED


def width(text: str) -> int:
    """Return how many columns the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def cut(text: str, limit: int) -> str:
    """Return the text, with an ellipsis in place of what does not fit."""
    if width(text) <= limit:
        return text
    room, kept = limit - 1, []
    for char in text:
        room -= _char_width(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + "…"


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
