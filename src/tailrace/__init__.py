"""Run commands, and stream their output over HTTP to anyone: live, late or reconnecting, with nothing lost.

`tailrace.connect()` gives an engine; `engine.start(["make", "-j4"])` a run; `run.follow()` its output, from any offset,
for as long as it lasts; `run.wait().outcome` how it ended.
"""

from typing import TYPE_CHECKING

from tailrace._version import __version__

if TYPE_CHECKING:
    from tailrace.api import connect as connect
    from tailrace.core.errors import TailraceError as TailraceError
    from tailrace.core.piece import Chunk as Chunk
    from tailrace.core.run import RunInfo as RunInfo
    from tailrace.core.secrets import secret_file as secret_file
    from tailrace.engine.base import Engine as Engine
    from tailrace.engine.base import Query as Query
    from tailrace.engine.base import Retention as Retention
    from tailrace.engine.http import HttpEngine as HttpEngine
    from tailrace.engine.run import Run as Run
    from tailrace.group import Group as Group

_HOMES = {
    "connect": "tailrace.api",
    "TailraceError": "tailrace.core.errors",
    "Chunk": "tailrace.core.piece",
    "RunInfo": "tailrace.core.run",
    "secret_file": "tailrace.core.secrets",
    "Engine": "tailrace.engine.base",
    "Query": "tailrace.engine.base",
    "Retention": "tailrace.engine.base",
    "HttpEngine": "tailrace.engine.http",
    "Run": "tailrace.engine.run",
    "Group": "tailrace.group",
}
__all__ = [
    "Chunk",
    "Engine",
    "Group",
    "HttpEngine",
    "Query",
    "Retention",
    "Run",
    "RunInfo",
    "TailraceError",
    "__version__",
    "connect",
    "secret_file",
]


def __getattr__(name: str) -> object:
    """Import on first use: the runner imports this package too, and needs none of these."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'tailrace' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
