"""Loading a file: everything that it says, or everything that is wrong with it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from tailrace.config import server
from tailrace.config.commands import DEFAULTS, commands_in
from tailrace.config.commands import SECTION as COMMANDS
from tailrace.config.document import Document, Keys
from tailrace.config.files import INCLUDE, Files
from tailrace.config.server import Layer, Server
from tailrace.config.tables import table_at
from tailrace.core.command import Command, Commands
from tailrace.core.errors import Fault, InvalidValues
from tailrace.core.near import near

NOTHING: Mapping[str, str] = MappingProxyType({})
SECTIONS = (INCLUDE, server.SECTION, DEFAULTS, COMMANDS)


class Config(msgspec.Struct, frozen=True):
    """What files, the environment and flags say together."""

    server: Server
    commands: Commands
    looked: tuple[str, ...] = ()
    """the paths of the files, and patterns of more: what a change could come from"""


def load(
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str] = NOTHING,
    flags: Mapping[str, object] = NOTHING,
    *,
    look: Callable[[str], object] = lambda _path: None,
) -> Config:
    """Return what the file says, with the environment's settings over its own, and the flags' over both.

    Args:
        path: the file; None: there is none.
        environ: the environment, of which `server.VARIABLES` are looked at.
        flags: settings by their names in `Server`; None says nothing.
        look: told each path and pattern that is looked at, also if something is wrong.

    Raises:
        InvalidInput: the file cannot be read.
        InvalidValues: something in it, or in the environment, or in the flags, is wrong; everything that is, is told.
    """
    faults: list[Fault] = []
    files = None if path is None else Files(path, faults, look)
    layers = (_settings(files), server.from_environment(environ), server.from_flags(flags))
    settings = server.merged(layers, lambda *fault: faults.append(Fault(*fault)))
    declared = [] if files is None else list(_commands(files, faults))
    if faults:
        raise InvalidValues.of(faults if files is None else sorted(faults, key=files.order_of), op="read")
    return Config(settings, Commands(declared), () if files is None else tuple(files.looked))


def _settings(files: Files | None) -> Layer:
    """Return what `[server]` of the first file says; its paths are from where that is."""
    if files is None:
        return Layer({}, lambda name: f"{server.SECTION}.{name}")
    document = files.documents[0]
    found = dict(table_at(document.table, server.SECTION, (), files.report_in(document)))
    for name in server.PATHS:
        if isinstance(path := found.get(name), str):
            found[name] = os.fspath(document.path.absolute().parent / path)
    return Layer(found, lambda name: document.place((server.SECTION, name)))


def _commands(files: Files, faults: list[Fault]) -> Iterator[Command]:
    """Yield what all files declare, each name once."""
    places: dict[str, str] = {}
    for part in files.parts:
        report = files.report_in(part.document)
        _check_sections(part.document, report, is_first=part is files.parts[0])
        for name in _names(part.document):
            place = part.document.place((COMMANDS, name))
            if (earlier := places.setdefault(name, place)) is not place:
                faults.append(Fault(place, f"is declared twice, first at {earlier}", "give one another name"))
        for name, command in commands_in(part.document.table, part.directory, part.defaults, report):
            if places[name].startswith(f"{part.document.path}:"):
                yield command


def _names(document: Document) -> Iterable[str]:
    section = document.table.get(COMMANDS)
    return section if isinstance(section, dict) else ()


def _check_sections(document: Document, report: Callable[[Keys, str, str], None], *, is_first: bool) -> None:
    for name in document.table:
        if name not in SECTIONS:
            report((name,), "means nothing here", near(name, SECTIONS))
        elif name == server.SECTION and not is_first:
            report((name,), "means nothing in a file that is included", "say it in the file that includes")


def load_commands(path: str | os.PathLike[str]) -> Commands:
    """Return the commands that a file declares.

    Raises:
        InvalidInput, InvalidValues: see `load`.
    """
    return load(path).commands


def commands_of(what: Commands | str | os.PathLike[str] | None) -> Commands:
    """Return the commands, or those that the file declares; none for None.

    Raises:
        InvalidInput: the file cannot be read, or something in it is wrong.
    """
    if isinstance(what, Commands):
        return what
    return Commands() if what is None else load_commands(what)
