"""Loading a file: everything that it says, or everything that is wrong with it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from tailrace.config import access, audit, hooks, limits, server
from tailrace.config.access import Oidc
from tailrace.config.commands import DEFAULTS, commands_in
from tailrace.config.commands import SECTION as COMMANDS
from tailrace.config.document import Document, Keys, Table
from tailrace.config.files import INCLUDE, Files
from tailrace.config.server import Layer, Server
from tailrace.config.tables import Report, table_at
from tailrace.core.access import Access
from tailrace.core.audit import Audit
from tailrace.core.command import Command, Commands
from tailrace.core.errors import Fault, InvalidValues
from tailrace.core.hook import Hook
from tailrace.core.limits import Limits, Resources
from tailrace.core.near import near
from tailrace.host.enforcement import unenforceable

NOTHING: Mapping[str, str] = MappingProxyType({})
OF_THE_FIRST = (server.SECTION, access.SECTION, access.OIDC, limits.SECTION, audit.SECTION, hooks.SECTION)
"""what holds for all, and stands in no file that is included"""
SECTIONS = (INCLUDE, *OF_THE_FIRST, DEFAULTS, COMMANDS)


Mistake: TypeAlias = tuple[Keys, str, str]
"""the keys to what is wrong, what is wrong with it, and the cure"""


class Config(msgspec.Struct, frozen=True):
    """What files, the environment and flags say together."""

    server: Server
    commands: Commands
    access: Access = Access()
    oidc: Oidc | None = None
    limits: Limits = Limits()
    """what holds for every run that is started, besides what its command says"""
    audit: Audit = Audit()
    hooks: tuple[Hook, ...] = ()
    looked: tuple[str, ...] = ()
    """the paths of the files, and patterns of more: what a change could come from"""
    only_run: str | None = None
    """serve this run alone, to whoever has a link to it; no file says so"""


def load(
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str] = NOTHING,
    flags: Mapping[str, object] = NOTHING,
    *,
    look: Callable[[str], object] = lambda _path: None,
    examine: Callable[[Config], Iterable[Mistake]] = lambda _config: (),
) -> Config:
    """Return what the file says, with the environment's settings over its own, and the flags' over both.

    Args:
        path: the file; None: there is none.
        environ: the environment, of which `server.VARIABLES` are looked at.
        flags: settings by their names in `Server`; None says nothing.
        look: told each path and pattern that is looked at, also if something is wrong.
        examine: yields what else is wrong, of what could be read.

    Raises:
        InvalidInput: the file cannot be read.
        InvalidValues: something in it, or in the environment, or in the flags, is wrong; everything that is, is told.
    """
    faults: list[Fault] = []
    files = None if path is None else Files(path, faults, look)
    first = _First(files, faults)
    settings = first.server(environ, flags)
    bounds = first.limits()
    declared = [] if files is None else list(_commands(files, faults))
    config = Config(
        server=settings,
        commands=Commands(limits=bounds),
        access=first.access(),
        oidc=first.oidc(settings),
        limits=bounds,
        audit=first.audit(),
        hooks=tuple(first.hooks()),
        looked=() if files is None else tuple(files.looked),
    )
    private = [hook.secret_env for hook in config.hooks if hook.secret_env is not None]
    config = msgspec.structs.replace(config, commands=Commands(declared, bounds, private))
    for keys, message, hint in (*_lost_rules(files, config), *examine(config)):
        faults.append(Fault(".".join(keys) if files is None else files.place(keys), message, hint))
    if faults:
        raise InvalidValues.of(faults if files is None else sorted(faults, key=files.order_of), op="read")
    return config


def load_server(
    path: str | os.PathLike[str] | None, environ: Mapping[str, str] = NOTHING, flags: Mapping[str, object] = NOTHING
) -> Server:
    """Return the server's settings alone: who looks after users must be able to, whatever is wrong with a command.

    Args:
        path: the file; None: there is none.
        environ: see `load`.
        flags: see `load`.

    Raises:
        InvalidInput: the file cannot be read.
        InvalidValues: something in `[server]`, or in the environment, or in the flags, is wrong.
    """
    faults: list[Fault] = []
    files = None if path is None else Files(path, [], lambda _path: None)
    settings = _First(files, faults).server(environ, flags)
    if faults:
        raise InvalidValues.of(faults if files is None else sorted(faults, key=files.order_of), op="read")
    return settings


def load_audit(path: str | os.PathLike[str]) -> Audit:
    """Return what `[audit]` says, whatever is wrong with the rest of the file.

    Args:
        path: the file.

    Raises:
        InvalidInput: the file cannot be read.
        InvalidValues: something in `[audit]` is wrong.
    """
    faults: list[Fault] = []
    files = Files(path, [], lambda _path: None)
    found = _First(files, faults).audit()
    if faults:
        raise InvalidValues.of(sorted(faults, key=files.order_of), op="read")
    return found


def _lost_rules(files: Files | None, config: Config) -> Iterator[Mistake]:
    """Yield the rules about commands that nobody declares: what they were to protect, they do not."""
    declared = [name for part in (() if files is None else files.parts) for name in _names(part.document)]
    for index, rule in enumerate(config.access.rules):
        for name in rule.commands:
            if name not in declared:
                at = (access.SECTION, f"{access.RULES}[{index}]", "commands")
                yield (
                    at,
                    f"names {name[:40]!r}, which is declared nowhere",
                    near(name, declared, otherwise="declare it"),
                )


class _First:
    """What stands in the file that is named itself, if there is one, and holds for all. Its paths are from there."""

    def __init__(self, files: Files | None, faults: list[Fault]) -> None:
        self._faults = faults
        self._document = None if files is None else files.documents[0]
        self._table: Table = {} if self._document is None else self._document.table
        self._directory = Path() if self._document is None else self._document.path.absolute().parent

    def server(self, environ: Mapping[str, str], flags: Mapping[str, object]) -> Server:
        """Return the server's settings: what `[server]` says, the environment over that, the flags over both."""
        layers = (self._settings(), server.from_environment(environ), server.from_flags(flags))
        return server.merged(layers, lambda *fault: self._faults.append(Fault(*fault)))

    def _settings(self) -> Layer:
        """Return what `[server]` says."""
        found = dict(table_at(self._table, server.SECTION, (), self._report))
        for name in server.PATHS:
            if isinstance(path := found.get(name), str):
                found[name] = os.fspath(self._directory / path)
        return Layer(found, lambda name: self._place((server.SECTION, name)))

    def access(self) -> Access:
        """Return what `[access]` says."""
        return access.access_in(self._table, self._report)

    def oidc(self, settings: Server) -> Oidc | None:
        """Return what `[oidc]` says; None: it is not there."""
        found = access.oidc_in(self._table, self._directory, self._report)
        if found is None and settings.auth == "oidc" and access.OIDC not in self._table:
            self._report((access.OIDC,), "is missing, while auth is oidc", "add [oidc] with issuer and client_id")
        return found

    def limits(self) -> Limits:
        """Return what `[limits]` says, which this host can enforce."""
        found = limits.limits_in(self._table, self._report)
        _look_for_wishes(found.resources, (limits.SECTION,), self._report)
        return found

    def audit(self) -> Audit:
        """Return what `[audit]` says."""
        return audit.audit_in(self._table, self._directory, self._report)

    def hooks(self) -> Iterator[Hook]:
        """Yield what `[[hooks]]` declares."""
        return hooks.hooks_in(self._table, self._directory, self._report)

    def _report(self, keys: Keys, message: str, hint: str) -> None:
        self._faults.append(Fault(self._place(keys), message, hint))

    def _place(self, keys: Keys) -> str:
        return ".".join(keys) if self._document is None else self._document.place(keys)


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
            _look_for_wishes(command.resources, (COMMANDS, name), report)
            if places[name].startswith(f"{part.document.path}:"):
                yield command


def _names(document: Document) -> Iterable[str]:
    section = document.table.get(COMMANDS)
    return section if isinstance(section, dict) else ()


def _check_sections(document: Document, report: Report, *, is_first: bool) -> None:
    for name in document.table:
        if name not in SECTIONS:
            report((name,), "means nothing here", near(name, SECTIONS))
        elif name in OF_THE_FIRST and not is_first:
            report((name,), "means nothing in a file that is included", "say it in the file that includes")


def _look_for_wishes(resources: Resources, at: Keys, report: Report) -> None:
    """Report the limits that this host cannot enforce."""
    for fault in unenforceable(resources):
        report((*at, fault.subject), fault.message, fault.hint)


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
