"""`flask tailrace`: the command line, on the runs of the application."""

import importlib
import os
from collections.abc import Callable

import click

from tailrace._flask.settings import Home
from tailrace.core.errors import InvalidInput
from tailrace.engine.disk import DiskEngine

NAME = "tailrace"
PROGRAM = "tailrace.cli.program"
"""by its name, since the command line is an outer ring: it is loaded where it was asked for, and nowhere else"""


class Program(click.Command):
    """Passes everything behind its name on to the command line."""

    def __init__(self, home: Home) -> None:
        super().__init__(NAME, short_help="Run commands; watch and stop the application's runs.", add_help_option=False)
        self._home = home

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave the arguments as they are, `--` included."""
        ctx.args = list(args)
        return ctx.args

    def invoke(self, ctx: click.Context) -> None:
        """Do what the arguments say, and exit as `tailrace` does."""
        os.environ.pop("FLASK_RUN_FROM_CLI", None)  # Flask's own mark; a run inherits the environment
        call: Callable[[str, Callable[[], list[str]]], int] = importlib.import_module(PROGRAM).call
        ctx.exit(call(ctx.command_path, lambda: [*self._place(), *ctx.args]))

    def _place(self) -> list[str]:
        """Return the option that says where the application's runs live; none if nothing is set."""
        engine = self._home.settings.engine
        if engine is None:
            path = self._home.settings.state_dir
            return [] if path is None else ["--state-dir", os.fspath(path)]
        found = self._home.engine
        if not isinstance(found, DiskEngine):
            raise InvalidInput(
                f"the application's runs are at {found!r}, and the command line looks at directories",
                op="open",
                subject=NAME,
                hint="look at them over HTTP",
            )
        return ["--state-dir", found.state.path]
