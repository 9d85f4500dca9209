"""From a declared command and values to what an engine starts."""

from collections.abc import Mapping
from typing import NamedTuple

from tailrace.core.command import Command
from tailrace.core.parameters.file import Sent
from tailrace.engine.base import StartOptions
from tailrace.host.beneath import locate


class Ready(NamedTuple):
    """What can be started: `engine.start(ready.argv, **ready.options)`."""

    argv: tuple[str, ...]
    options: StartOptions


def ready(command: Command, values: Mapping[str, object]) -> Ready:
    """Return what a run of the command with these values is.

    Paths are looked at here: where their links lead, and whether they are there.

    Args:
        command: what is to be run.
        values: by the names of its parameters, as JSON gives them.

    Raises:
        InvalidValues: they do not fit; all that is wrong is told.
    """
    argv = command.argv_for(values, locate)
    return Ready(argv, _options(command, values))


def _options(command: Command, values: Mapping[str, object]) -> StartOptions:
    options = StartOptions(
        command=command.name,
        cwd=command.cwd,
        env=command.env,
        pty=command.pty,
        merge=command.merge,
        stdin=command.stdin,
        unbuffer=command.unbuffer,
        timeout=command.timeout,
        idle_timeout=command.idle_timeout,
        max_output=command.max_output,
        on_max_output=command.on_max_output,
        key=command.key_for(values),
        when_busy=command.when_busy,
        labels=command.labels,
    )
    if command.user is not None:
        options["user"] = command.user
    if files := {value.token: value.path for value in values.values() if isinstance(value, Sent)}:
        options["files"] = files
    return options
