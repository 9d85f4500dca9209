"""Run commands, and stream their output over HTTP to anyone: live, late or reconnecting, with nothing lost.

    engine = tailrace.connect()
    run = engine.start(["make", "-j4"], timeout=600)
    for chunk in run.follow():
        sys.stdout.buffer.write(chunk.data)
    print(run.wait().outcome)
"""

from typing import TYPE_CHECKING

from tailrace._version import __version__

if TYPE_CHECKING:
    from tailrace.api import connect as connect
    from tailrace.core.errors import TailraceError as TailraceError
    from tailrace.core.piece import Chunk as Chunk
    from tailrace.core.run import RunInfo as RunInfo
    from tailrace.engine.base import Engine as Engine
    from tailrace.engine.base import Query as Query
    from tailrace.engine.base import Retention as Retention
    from tailrace.engine.run import Run as Run

_HOMES = {
    "connect": "tailrace.api",
    "TailraceError": "tailrace.core.errors",
    "Chunk": "tailrace.core.piece",
    "RunInfo": "tailrace.core.run",
    "Engine": "tailrace.engine.base",
    "Query": "tailrace.engine.base",
    "Retention": "tailrace.engine.base",
    "Run": "tailrace.engine.run",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    """Import on first use: the runner, of which every keeper is a fork, imports this package and needs none of these."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'tailrace' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
