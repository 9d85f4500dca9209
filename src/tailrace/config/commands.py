"""`[commands.NAME]`: what may be run."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from tailrace.config.document import Keys, Table
from tailrace.config.tables import Mistakes, Reader, Report, bytes_of, duration_s, table_at
from tailrace.core.command import Command
from tailrace.core.near import near
from tailrace.core.parameters import TYPES, Parameter, Text

SECTION = "commands"
DEFAULTS = "defaults"
OWN: Final = ("name", "argv", "title", "description", "parameters", "key")
"""what each command says for itself"""
JOINED: Final = ("env", "labels")
"""tables of which a command has those of the defaults too"""

READINGS: Final = {
    "timeout": duration_s,
    "idle_timeout": duration_s,
    "max_cpu": duration_s,
    "max_output": bytes_of,
    "max_memory": bytes_of,
}
COMMAND: Final = Reader(Command, readings=READINGS, others=("name", "parameters"))
SHARED: Final = Reader(Command, readings=READINGS, others=OWN)
PARAMETERS: Final = {
    name: Reader(kind, readings={"maximum_size": bytes_of} if name == "file" else None, others=("type",))
    for name, kind in TYPES.items()
}

Fields: TypeAlias = Mapping[str, object]
"""fields of a command, each of its type"""


def defaults_in(document: Table, directory: Path, report: Report) -> Fields:
    """Return the fields that all commands of the document have, unless they say otherwise; what is wrong is reported.

    Args:
        document: the whole file.
        directory: where the file is; `cwd` is from there.
        report: told of each mistake.
    """
    table = table_at(document, DEFAULTS, (), report)
    mistakes = Mistakes(report)
    for name in OWN:
        if name in table:
            mistakes((DEFAULTS, name), "means nothing here", "each command says it for itself")
    fields = SHARED.read(table, (DEFAULTS,), mistakes)
    _place_directory(fields, directory)
    command = Command(name=DEFAULTS, argv=("true",), **fields)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(command.faults(), (DEFAULTS,))
    wrong = {place[1].partition("[")[0] for place in mistakes.places}
    return {name: value for name, value in fields.items() if name not in wrong}


def joined(outer: Fields, inner: Fields) -> dict[str, object]:
    """Return the fields of both, of which the inner ones win; tables of names and values are put together."""
    both = {**outer, **inner}
    for name in JOINED:
        ours, theirs = outer.get(name), inner.get(name)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            both[name] = {**ours, **theirs}
    return both


def commands_in(document: Table, directory: Path, defaults: Fields, report: Report) -> Iterator[tuple[str, Command]]:
    """Yield the names of the commands that the document declares, and those that could be read; mistakes are reported.

    Args:
        document: the whole file.
        directory: where the file is; `cwd` and a path's `root` are from there.
        defaults: fields that a command has unless it says otherwise.
        report: told of each mistake.
    """
    section = table_at(document, SECTION, (), report)
    for name in section:
        table = table_at(section, name, (SECTION,), report)
        if isinstance(section[name], dict):
            yield from ((name, command) for command in _command(name, table, directory, defaults, report))


def _command(
    name: str, table: Mapping[str, object], directory: Path, defaults: Fields, report: Report
) -> Iterator[Command]:
    """Yield the command; what could not be read has something harmless in its place, for the rest to be looked at."""
    at = (SECTION, name)
    mistakes = Mistakes(report)
    parameters = dict(_parameters(table, directory, at, mistakes))
    own = COMMAND.read(table, at, mistakes)
    if "name" in table:
        mistakes((*at, "name"), "means nothing here", "the table's own name is the command's")
    if "argv" not in table:
        mistakes((*at, "argv"), "is missing", 'add for example argv = ["seq", "100"]')
    _place_directory(own, directory)
    fields = joined(defaults, own)
    used = (f"{{{parameter}}}" for parameter, each in parameters.items() if each.is_argument)
    fields.setdefault("argv", ("true", *used))
    command = Command(name=name, parameters=parameters, **fields)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(command.faults(), at)
    if not mistakes.places:
        yield command


def _place_directory(fields: dict[str, object], directory: Path) -> None:
    if isinstance(cwd := fields.get("cwd"), str):
        fields["cwd"] = os.fspath((directory / cwd).absolute())


def _parameters(
    table: Mapping[str, object], directory: Path, at: Keys, report: Report
) -> Iterator[tuple[str, Parameter]]:
    section = table_at(table, "parameters", at, report)
    for name in section:
        where = (*at, "parameters", name)
        declared = table_at(section, name, where[:-1], report)
        kind = declared.get("type")
        if not isinstance(section[name], dict):
            continue
        if not isinstance(kind, str) or kind not in TYPES:
            report((*where, "type"), *_no_type(kind))
            yield name, Text()
            continue
        fields = PARAMETERS[kind].read(declared, where, report)
        if isinstance(root := fields.get("root"), str) and root:
            fields["root"] = os.fspath((directory / root).absolute())
        yield name, TYPES[kind](**fields)  # type: ignore[arg-type]  # as above


def _no_type(kind: object) -> tuple[str, str]:
    if kind is None:
        return "is missing", f"one of: {', '.join(TYPES)}"
    return f"cannot be {str(kind)[:40]!r}", near(str(kind), TYPES)
