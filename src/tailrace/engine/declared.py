"""From a declared command and values to what an engine starts."""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from tailrace.core.command import Command, Commands
from tailrace.core.errors import EngineError
from tailrace.core.limits import least
from tailrace.core.masking import LONGEST, SHORTEST
from tailrace.core.parameters import Secret, Upload
from tailrace.core.parameters.file import Sent
from tailrace.core.secrets import secret_file
from tailrace.engine.base import StartOptions
from tailrace.host.beneath import locate

EXACT_BELOW: Final = 1 << 53
"""integers that every reader of JSON knows exactly (RFC 8259, 6)"""


class Ready(NamedTuple):
    """What can be started: `engine.start(ready.argv, **ready.options)`."""

    argv: tuple[str, ...]
    options: StartOptions


def ready(command: Command, values: Mapping[str, object], commands: Commands) -> Ready:
    """Return what a run of the command with these values is.

    Paths are looked at here: where their links lead, and whether they are there. What is secret to other commands, in
    our own environment, this one does not get: it would be in the clear in its output.

    Args:
        command: what is to be run.
        values: by the names of its parameters, as JSON gives them.
        commands: those among which it is declared, with what holds for all.

    Raises:
        InvalidValues: they do not fit; all that is wrong is told.
    """
    argv = command.argv_for(values, locate)
    return Ready(argv, _options(command, values, commands))


def _options(command: Command, values: Mapping[str, object], commands: Commands) -> StartOptions:
    limits = commands.limits
    resources = least(command.resources, limits.resources)
    env: dict[str, str | None] = {**dict.fromkeys(commands.private.difference(command.secret_env)), **command.env}
    options = StartOptions(
        command=command.name,
        cwd=command.cwd,
        env=env,
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
        max_cpu=resources.cpu_s,
        max_memory=resources.memory,
        max_processes=resources.processes,
        max_open_files=resources.open_files,
        parameters=_plain(command, values),
        quotas=(*(() if command.quota.is_empty else (command.quota,)), *limits.quotas),
    )
    if command.user is not None:
        options["user"] = command.user
    _add_secrets(options, env, command, values)
    if files := {value.token: value.path for value in values.values() if isinstance(value, Sent)}:
        options["files"] = files
    return options


def _plain(command: Command, values: Mapping[str, object]) -> dict[str, object]:
    """Return what a run is given, standard values included, so that it can be started so again.

    Secrets and files are left out: they are kept nowhere.
    """
    open_ones = {name: each for name, each in command.parameters.items() if not each.is_secret}
    given = {name: values.get(name, each.standard) for name, each in open_ones.items() if not isinstance(each, Upload)}
    return {name: _exact(value) for name, value in given.items() if value is not None}


def _exact(value: object) -> object:
    """Return the value as everybody reads it: of an integer beyond what JavaScript knows exactly, its digits."""
    is_large = isinstance(value, int) and not isinstance(value, bool) and abs(value) >= EXACT_BELOW
    return str(value) if is_large else value


def _add_secrets(
    options: StartOptions, env: dict[str, str | None], command: Command, values: Mapping[str, object]
) -> None:
    """Say which secrets the run has, and how it gets them."""
    secrets = {name: command.env[name] if name in command.env else _own_variable(name) for name in command.secret_env}
    for name in secrets:
        env.pop(name, None)
    files: dict[str, str] = {}
    lines: list[str] = []
    for name, value in command.secrets_for(values).items():
        match command.parameters[name]:
            case Secret(deliver="env", variable=str(variable)):
                secrets[variable] = value
            case Secret(deliver="stdin"):
                lines.append(value)
            case Secret(variable=variable):
                files[name] = value
                if variable is not None:
                    env[variable] = secret_file(name)
            case _:
                continue  # no other is secret
    if secrets or files or lines:
        options["secrets"], options["secret_files"], options["secret_input"] = secrets, files, lines


def _own_variable(name: str) -> str:
    """Return the value of a variable of our own.

    Raises:
        EngineError: there is none, or it cannot be masked.
    """
    value = os.environ.get(name, "")
    if SHORTEST <= len(os.fsencode(value)) <= LONGEST:
        return value
    what = "is too short or too long to be masked" if value else "is not set"
    raise EngineError(
        f"{name}, which the command needs, {what} where it is started from",
        op="start",
        subject=name,
        hint=f"set it there, with {SHORTEST} to {LONGEST} bytes, or take it out of secret_env",
    )
