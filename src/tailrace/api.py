"""The library's front door: `connect` and what it gives."""

import os

from tailrace.core.errors import InvalidInput
from tailrace.engine.base import Engine
from tailrace.engine.disk import DiskEngine


def connect(where: str | os.PathLike[str] | None = None) -> Engine:
    """Return the engine at `where`.

    Args:
        where: `disk:PATH` or a path: a state directory, made if it is not there. None: TAILRACE_STATE, else
            `$XDG_STATE_HOME/tailrace`.

    Raises:
        InvalidInput: an address of a kind that does not exist.
        EngineError: the state directory cannot be used.
    """
    if where is None or isinstance(where, os.PathLike):
        return DiskEngine(where)
    scheme, colon, path = where.partition(":")
    if scheme == "disk" and colon:
        return DiskEngine(path or None)
    if "://" in where:
        raise InvalidInput(
            f"there is no engine for {scheme}://", op="connect", subject=where, hint="use disk:PATH, or a path"
        )
    return DiskEngine(where)
