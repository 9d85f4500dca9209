"""`tailrace check`: what a server's file says, or everything that is wrong with it."""

import os

import click
import msgspec

from tailrace.cli.explain import words_of
from tailrace.cli.missing import missing
from tailrace.cli.place import place_option, state_path
from tailrace.config.load import Config, load
from tailrace.config.schema import file_schema
from tailrace.config.server import Server
from tailrace.core.command import Command
from tailrace.core.terminal import escape_text
from tailrace.host.enforcement import ways

FILE = "tailrace.toml"
INDENT = "  "


@click.command("check", short_help="Check a server's file, and say what it declares.")
@click.argument("file", default=FILE, type=click.Path())
@click.option("--schema", is_flag=True, help="Print the JSON Schema of such files, for editors; look at none.")
@place_option
def check_command(file: str, *, schema: bool) -> int:
    """Check a server's file: every mistake in it, with its line and what to do; or what it declares.

    A mistake is also what it names and is not here: a user, a directory, a program, or whom nobody is.

    \b
    tailrace check
    tailrace check /etc/tailrace.toml
    tailrace check --schema > tailrace.schema.json

    FILE is tailrace.toml by default. Settings in the environment (TAILRACE_…) are checked with it, as the server would.
    Exit codes: 0 if it can be used, else 2.
    """
    if schema:
        click.echo(msgspec.json.format(msgspec.json.encode(file_schema())))
        return 0
    config = load(file, os.environ, {"state_dir": state_path()}, examine=missing)
    lines = (*_server_lines(config.server), *_record_lines(config), "", *_command_lines(config), *_limit_lines(config))
    for line in lines:
        click.echo(escape_text(line))
    return 0


def _server_lines(server: Server) -> list[str]:
    return [f"listens at {server.uds or server.url}", f"auth       {server.auth}", f"workers    {server.workers}"]


def _record_lines(config: Config) -> list[str]:
    """Return what is recorded of requests, and told of runs."""
    lines = [] if config.audit.file is None else [f"audit      {config.audit.file}"]
    return lines + [
        f"hook       {hook.name}: {hook.url or msgspec.json.encode(hook.argv).decode()}" for hook in config.hooks
    ]


def _command_lines(config: Config) -> list[str]:
    count = len(config.commands)
    lines = [f"{count} command{'' if count == 1 else 's'}"]
    for command in config.commands.values():
        lines += _lines_of(command)
    return lines


def _limit_lines(config: Config) -> list[str]:
    """Return how this host enforces the limits that the file asks for; nothing if it asks for none."""
    every = [config.limits.resources, *(command.resources for command in config.commands.values())]
    asked = {
        "max_cpu": any(each.cpu_s is not None for each in every),
        "max_memory": any(each.memory is not None for each in every),
        "max_processes": any(each.processes is not None for each in every),
        "max_open_files": any(each.open_files is not None for each in every),
    }
    lines = [f"{INDENT}{way.limit}: {way.means}" for way in ways() if asked[way.limit]] if any(asked.values()) else []
    return ["", "limits, as this host enforces them", *lines] if lines else []


def _lines_of(command: Command) -> list[str]:
    title = f"  {command.title}" if command.title else ""
    lines = [f"{INDENT}{command.name}{title}", f"{INDENT * 2}{msgspec.json.encode(command.argv).decode()}"]
    for name, parameter in command.parameters.items():
        need = "required" if parameter.is_required else f"default {words_of(parameter.standard)}"
        lines.append(f"{INDENT * 2}{name}: {parameter.__struct_config__.tag}, {need}")
    return lines
