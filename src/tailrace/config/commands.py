"""`[commands.NAME]`: what may be run."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tailrace.config.document import Keys, Table
from tailrace.config.tables import Mistakes, Reader, Report, bytes_of, duration_s, table_at
from tailrace.core.command import Command
from tailrace.core.near import near
from tailrace.core.parameters import TYPES, Parameter, Text

SECTION = "commands"

READINGS: Final = {
    "timeout": duration_s,
    "idle_timeout": duration_s,
    "max_output": bytes_of,
    "max_cpu": duration_s,
    "max_memory": bytes_of,
}
COMMAND: Final = Reader(Command, readings=READINGS, others=("name", "parameters"))
PARAMETERS: Final = {name: Reader(kind, others=("type",)) for name, kind in TYPES.items()}


def commands_in(document: Table, directory: Path, report: Report) -> Iterator[Command]:
    """Yield the commands that the document declares; what is wrong is reported.

    Args:
        document: the whole file.
        directory: where the file is; `cwd` is from there.
        report: told of each mistake.
    """
    section = table_at(document, SECTION, (), report)
    for name in section:
        table = table_at(section, name, (SECTION,), report)
        if isinstance(section[name], dict):
            yield from _command(name, table, directory, report)


def _command(name: str, table: Mapping[str, object], directory: Path, report: Report) -> Iterator[Command]:
    """Yield the command; what could not be read has something harmless in its place, for the rest to be looked at."""
    at = (SECTION, name)
    mistakes = Mistakes(report)
    parameters = dict(_parameters(table, at, mistakes))
    fields = COMMAND.read(table, at, mistakes)
    if "name" in table:
        mistakes((*at, "name"), "means nothing here", "the table's own name is the command's")
    if "argv" not in table:
        mistakes((*at, "argv"), "is missing", 'add for example argv = ["seq", "100"]')
    if isinstance(cwd := fields.get("cwd"), str):
        fields["cwd"] = os.fspath((directory / cwd).absolute())
    fields.setdefault("argv", ("true", *(f"{{{parameter}}}" for parameter in parameters)))
    command = Command(name=name, parameters=parameters, **fields)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(command.faults(), at)
    if not mistakes.places:
        yield command


def _parameters(table: Mapping[str, object], at: Keys, report: Report) -> Iterator[tuple[str, Parameter]]:
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
        yield name, TYPES[kind](**fields)  # type: ignore[arg-type]  # as above


def _no_type(kind: object) -> tuple[str, str]:
    if kind is None:
        return "is missing", f"one of: {', '.join(TYPES)}"
    return f"cannot be {str(kind)[:40]!r}", near(str(kind), TYPES)
