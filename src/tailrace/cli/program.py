"""`tailrace` itself: its commands, each imported when it is used, and `main`."""

import difflib
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from tailrace._version import __version__
from tailrace.cli import boundary
from tailrace.cli.place import place_option
from tailrace.core.errors import InvalidInput

PROGRAM = "tailrace"
COMPLETE = "_TAILRACE_COMPLETE"
"""asks for a shell's completion script, as click documents it: `_TAILRACE_COMPLETE=bash_source tailrace`"""

COMMANDS = {
    "run": "tailrace.cli.run",
    "serve": "tailrace.cli.serve",
    "demo": "tailrace.cli.demo",
    "follow": "tailrace.cli.follow",
    "list": "tailrace.cli.list",
    "show": "tailrace.cli.show",
    "stop": "tailrace.cli.stop",
    "send": "tailrace.cli.send",
    "pin": "tailrace.cli.pin",
    "unpin": "tailrace.cli.pin",
    "prune": "tailrace.cli.prune",
    "share": "tailrace.cli.share",
    "login": "tailrace.cli.enter",
    "token": "tailrace.cli.token",
    "user": "tailrace.cli.user",
    "check": "tailrace.cli.check",
    "audit": "tailrace.cli.audit",
    "doctor": "tailrace.cli.doctor",
    "runner": "tailrace.cli.runner",
}
"""the module of each command, in the order in which `--help` shows them"""


MEANT = {
    "attach": "follow", "exec": "run", "help": "--help", "kill": "stop", "log": "follow", "logs": "follow",
    "ls": "list", "ps": "list", "rm": "prune", "start": "run", "tail": "follow", "version": "--version",
}  # fmt: skip
"""what other programs call it"""


class Program(click.Group):
    """The group of all commands; a command's module is imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names, most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Return the command, or None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), f"{cmd_name}_command")
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with.

        Raises:
            InvalidInput: there is none of this name; the hint is the one that may have been meant.
        """
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            meant = MEANT.get(name) or next(iter(difflib.get_close_matches(name, COMMANDS, 1)), "")
            hint = f"did you mean `{meant}`?" if meant else "`tailrace --help` shows the commands"
            raise InvalidInput(f"there is no command {name[:40]!r}", op="read", subject=name[:40], hint=hint)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Program,
    name=PROGRAM,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@place_option
@click.pass_context
def program(context: click.Context) -> None:
    """Run commands; watch their output live, late or again, from anywhere.

    \b
    tailrace run -- make test      run a command and show its output; the exit code is its own
    tailrace follow last           watch the newest run, from its beginning
    tailrace list                  what runs, and what ran
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> NoReturn:
    """Do what the command line says, and exit."""
    _prepare()
    if instruction := os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(program, {}, PROGRAM, COMPLETE, instruction))
    sys.exit(boundary.guarded(lambda: _invoke(PROGRAM, sys.argv[1:])))


def call(name: str, find_args: Callable[[], list[str]]) -> int:
    """Do what the arguments say, for another program that has this one in it, and return the exit code.

    Args:
        name: what was typed before the arguments.
        find_args: returns the arguments; an error of its is told like any other.
    """
    _prepare()
    return boundary.guarded(lambda: _invoke(name, find_args()))


def _invoke(name: str, args: list[str]) -> int:
    with program.make_context(name, args) as context:
        code = program.invoke(context)
        return code if isinstance(code, int) else 0


def _prepare() -> None:
    """See that 0, 1 and 2 are open, that ^C ends us without a traceback, and that any text can be printed."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115  it lives as long as we do
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115  as above
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
