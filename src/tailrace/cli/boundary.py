"""The one place where errors become two lines on stderr and an exit code; no traceback gets past it.

| what happened | exit code |
|---|---|
| the caller's fault: an option, a value, a run that does not exist | 2 |
| the engine's fault, or a bug | 125 in `run` and `follow`, whose other codes are the command's; else 1 |
| there are as many runs as there may be: try again later (EX_TEMPFAIL of sysexits(3)) | 75 |
| ^C | 130 |
| the reader of our output went away | 141 |
"""

import os
import sys
from collections.abc import Callable

import click

from tailrace.cli import talk
from tailrace.core.errors import CallerError, InvalidValues, LimitReached, TailraceError

CALLER = 2
ENGINE = 1
WATCHING = 125
LATER = 75
INTERRUPTED = 130
CLOSED = 141
DEBUG = "TAILRACE_DEBUG"
_failure = ENGINE


def fail_as_watcher() -> None:
    """Say that this command's exit codes are the run's, so that our own failures need one that no command uses."""
    global _failure  # noqa: PLW0603  one process is one command
    _failure = WATCHING


def guarded(command: Callable[[], int]) -> int:
    """Return the command's exit code, or say what went wrong and return the code for that."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed()
    except click.exceptions.Exit as done:
        return _flushed(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except Exception as error:  # noqa: BLE001  the boundary: whatever it is, it ends here, as two lines
        return _told(error)
    return code


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed()
    return code


def _closed() -> int:
    """Give standard output something that takes the rest, so that Python's own exit has nothing to complain about."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    return CLOSED


def _usage(error: click.ClickException) -> int:
    context = error.ctx if isinstance(error, click.UsageError) else None
    talk.complain(
        error.format_message().rstrip("."),
        f"`{context.command_path} --help` shows what it takes" if context else "`tailrace --help` shows the commands",
    )
    return CALLER


def _told(error: Exception) -> int:
    if os.environ.get(DEBUG) == "1":
        import traceback

        traceback.print_exc()
    if isinstance(error, TailraceError):
        faults = error.faults if isinstance(error, InvalidValues) else ()
        for message, hint in [(str(fault), fault.hint) for fault in faults] or [(error.message, error.hint)]:
            talk.complain(message, hint)
        if isinstance(error, LimitReached):
            return LATER
        return CALLER if isinstance(error, CallerError) else _failure
    if isinstance(error, OSError):
        place = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        talk.complain(f"{place}{(error.strerror or str(error)).lower()}", f"{DEBUG}=1 shows where it happened")
        return _failure
    talk.complain(
        f"{type(error).__name__}: {error}", f"this is a bug in Tailrace; please report it with what {DEBUG}=1 shows"
    )
    return _failure
