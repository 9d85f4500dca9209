"""Loading a file: everything that it says, or everything that is wrong with it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from tailrace.config import access, server
from tailrace.config.access import Oidc
from tailrace.config.commands import SECTION as COMMANDS
from tailrace.config.commands import commands_in
from tailrace.config.document import Document, Keys, Table
from tailrace.config.server import Layer, Server
from tailrace.config.tables import table_at
from tailrace.core.access import Access
from tailrace.core.command import Command, Commands
from tailrace.core.errors import Fault, InvalidValues
from tailrace.core.near import near

NOTHING: Mapping[str, str] = MappingProxyType({})
SECTIONS = (server.SECTION, COMMANDS, access.SECTION, access.OIDC)


class Config(msgspec.Struct, frozen=True):
    """What a file, the environment and flags say together."""

    server: Server
    commands: Commands
    access: Access = Access()
    oidc: Oidc | None = None
    only_run: str | None = None
    """serve this run alone, to whoever has a link to it; no file says so"""


def load(
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str] = NOTHING,
    flags: Mapping[str, object] = NOTHING,
) -> Config:
    """Return what the file says, with the environment's settings over its own, and the flags' over both.

    Args:
        path: the file; None: there is none.
        environ: the environment, of which `server.VARIABLES` are looked at.
        flags: settings by their names in `Server`; None says nothing.

    Raises:
        InvalidInput: the file cannot be read.
        InvalidValues: something in it, or in the environment, or in the flags, is wrong; everything that is, is told.
    """
    faults: list[Fault] = []
    file = _File(None if path is None else Document(path), faults)
    layers = (file.settings(), server.from_environment(environ), server.from_flags(flags))
    settings = server.merged(layers, lambda *fault: faults.append(Fault(*fault)))
    declared = list(file.commands())
    rules, provider = file.access(), file.oidc()
    if settings.auth == "oidc" and provider is None:
        faults.append(Fault("oidc", "is missing, while auth is oidc", "add [oidc] with issuer and client_id"))
    if faults:
        raise InvalidValues.of(file.in_order(faults), op="read")
    return Config(settings, Commands(declared), rules, provider)


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


class _File:
    """The sections of a file, whose mistakes are put into `faults`; there may be none."""

    def __init__(self, document: Document | None, faults: list[Fault]) -> None:
        self._document = document
        self._faults = faults
        self._table: Table = {} if document is None else document.table
        self._directory = Path() if document is None else document.path.absolute().parent
        for name in self._table:
            if name not in SECTIONS:
                self._report((name,), "means nothing here", near(name, SECTIONS))

    def settings(self) -> Layer:
        """Return what `[server]` says; its paths are from where the file is."""
        found = dict(table_at(self._table, server.SECTION, (), self._report))
        for name in server.PATHS:
            if isinstance(path := found.get(name), str):
                found[name] = os.fspath(self._directory / path)
        return Layer(found, lambda name: self._place((server.SECTION, name)))

    def commands(self) -> Iterator[Command]:
        """Yield what `[commands]` declares."""
        return commands_in(self._table, self._directory, self._report)

    def access(self) -> Access:
        """Return what `[access]` says."""
        return access.access_in(self._table, self._report)

    def oidc(self) -> Oidc | None:
        """Return what `[oidc]` says; None: it is not there."""
        return access.oidc_in(self._table, self._directory, self._report)

    def in_order(self, faults: Iterable[Fault]) -> list[Fault]:
        """Return faults in the order of the lines; behind them what is not the file's."""
        document = self._document
        return list(faults) if document is None else sorted(faults, key=lambda fault: document.line_in(fault.subject))

    def _report(self, keys: Keys, message: str, hint: str) -> None:
        self._faults.append(Fault(self._place(keys), message, hint))

    def _place(self, keys: Keys) -> str:
        return ".".join(keys) if self._document is None else self._document.place(keys)
