"""Where runs live, as the command line says it: `--state-dir`, before or after the command's name."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.core.errors import InvalidInput

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


def is_unsaid() -> bool:
    """Tell whether the directory is the default one: neither an option nor a variable names another."""
    return not state_path() and not os.environ.get("TAILRACE_STATE")


def missing() -> str | None:
    """Return the path of the state directory if there is nothing at it; None if there is, whatever it is."""
    from tailrace.host.statedir import default_path

    path = Path(state_path() or default_path()).absolute()
    try:
        path.stat()
    except FileNotFoundError:
        return str(path)
    except OSError:
        return None  # what is the matter with it is told by whoever opens it
    return None


def must_be_there() -> None:
    """See that looking for runs does not make a directory for them.

    Raises:
        InvalidInput: there is none.
    """
    if path := missing():
        raise InvalidInput(
            f"{path} is not there yet",
            op="open",
            subject=path,
            hint="the first run makes it; see --state-dir and TAILRACE_STATE",
        )


def existing_engine() -> "Engine":
    """Return the engine, for a command that has nothing to do where no run has ever been.

    Raises:
        InvalidInput: its directory is not there.
        EngineError: it cannot be used.
    """
    must_be_there()
    return engine()


def engine() -> "Engine":
    """Return the engine that the command is to use.

    Raises:
        EngineError: its directory cannot be used.
    """
    from tailrace.api import connect

    path = state_path()
    return connect(f"disk:{path}" if path else None)
