"""`tailrace run --file FILE NAME`: a command that a file declares, run here."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tailrace.cli.explain import help_of
from tailrace.config.load import load_commands
from tailrace.core.command import Command, Commands
from tailrace.core.errors import InvalidInput
from tailrace.core.parameters import Upload
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


def prepared(declared: Declared, texts: Sequence[tuple[str, str]]) -> Ready:
    """Return what a run of it is.

    Args:
        declared: what is to be run.
        texts: (parameter, value) as they were typed; of a file that is sent along, its path.

    Raises:
        InvalidValues: the values do not fit.
        InvalidInput: a file is not there.
    """
    command = declared.command
    gathered: dict[str, list[str]] = {}
    for name, text in texts:
        gathered.setdefault(name, []).append(text)
    values = command.values_from(gathered)
    for name, parameter in command.parameters.items():
        if isinstance(parameter, Upload) and isinstance(path := values.get(name), str):
            values[name] = _sent(name, path)
    return ready(command, values, declared.commands)


def _sent(name: str, path: str) -> Sent:
    try:
        size = Path(path).stat().st_size
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise InvalidInput(
            f"{name}: {path} cannot be read: {why}", op="run", subject=name, hint="give the path of a file"
        ) from None
    return Sent(size, f"tailrace-file-{secrets.token_hex(16)}", path)
