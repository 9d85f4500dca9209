"""Where runs live, as the command line says it: `--state-dir`, before or after the command's name."""

import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tailrace.engine.base import Engine

_KEY = "tailrace.state_dir"


def _note(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_KEY] = value


place_option = click.option(
    "--state-dir",
    metavar="DIR",
    type=click.Path(),
    expose_value=False,
    callback=_note,
    help="Where runs live.  [default: $TAILRACE_STATE, else ~/.local/state/tailrace]",
)
"""adds `--state-dir` to a command; the value is kept for `engine` and `state_path`"""


def state_path() -> str | None:
    """Return what `--state-dir` said, or None."""
    path = click.get_current_context().meta.get(_KEY)
    return path if isinstance(path, str) else None


def again() -> str:
    """Return ` --state-dir DIR`, as it is to be typed in the next command; empty if it was not said."""
    path = state_path()
    return f" --state-dir {shlex.quote(path)}" if path else ""


def engine() -> "Engine":
    """Return the engine that the command is to use.

    Raises:
        EngineError: its directory cannot be used.
    """
    from tailrace.api import connect

    path = state_path()
    return connect(f"disk:{path}" if path else None)
