"""`tailrace run --file FILE NAME`: a command that a file declares, run here."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tailrace.cli.explain import help_of
from tailrace.cli.given import Wanted, given, no_input
from tailrace.config.load import load_commands
from tailrace.core.command import Command, Commands
from tailrace.core.parameters import Secret, Upload
from tailrace.core.parameters.file import Sent
from tailrace.engine.declared import Ready, ready


class Declared(NamedTuple):
    """A command that a file declares, among all that it declares."""

    command: Command
    commands: Commands


def find(file: str, name: str) -> Declared:
    """Return the command that the file declares.

    Raises:
        InvalidInput: the file cannot be used.
        UnknownCommand: it declares no such command.
    """
    commands = load_commands(file)
    return Declared(commands.find(name), commands)


def explain(command: Command, file: str) -> str:
    """Return what there is to know before the command is run."""
    about = ": ".join(filter(None, (command.title, command.description)))
    return help_of(command.name, about, command.schema(), f"tailrace run --file {file}")


def prepared(declared: Declared, words: Sequence[str], *, has_input: bool) -> Ready:
    """Return what a run of it is.

    Args:
        declared: what is to be run.
        words: `NAME=VALUE` each, as they were typed.
        has_input: whether standard input is for the command.

    Raises:
        InvalidValues: the values do not fit.
        InvalidInput: it takes no input; or a secret or a file is not there, or not said as it must be.
    """
    command = declared.command
    if has_input and not (command.stdin or command.pty):
        raise no_input(command.name)
    found = given(words, _wanted(command), has_input=has_input)
    gathered: dict[str, list[str]] = {}
    for name, text in found.texts:
        gathered.setdefault(name, []).append(text)
    sent = {name: _sent(path) for name, path in found.files.items()}
    return ready(command, {**command.values_from(gathered), **sent}, declared.commands)


def _wanted(command: Command) -> Wanted:
    each = command.parameters.items()
    return Wanted(
        {name: parameter.is_required for name, parameter in each if isinstance(parameter, Secret)},
        {name: parameter.maximum_size for name, parameter in each if isinstance(parameter, Upload)},
    )


def _sent(path: str) -> Sent:
    return Sent(Path(path).stat().st_size, f"tailrace-file-{secrets.token_hex(16)}", path)
