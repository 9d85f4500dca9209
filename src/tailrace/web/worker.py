"""The server that this process is, as far as its handler of SIGTERM shows whose it is: gunicorn's worker, uvicorn."""

import signal
import sys
from typing import Protocol, cast


class Config(Protocol):
    """What is used of its configuration."""

    timeout: int
    """seconds after which a sync worker that is still busy is killed; 0: never"""


class Worker(Protocol):
    """What is used of a gunicorn worker."""

    alive: bool
    """whether it has not been told to stop"""
    cfg: Config


def gunicorn_worker() -> Worker | None:
    """Return the worker; None in any other process, and where an application has taken SIGTERM for itself."""
    base = getattr(sys.modules.get("gunicorn.workers.base"), "Worker", None)
    worker = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return cast("Worker", worker) if isinstance(base, type) and isinstance(worker, base) else None


def is_told_to_stop() -> bool:
    """Tell whether the server of this process has been told to stop, where it shows that: gunicorn and uvicorn do."""
    if (worker := gunicorn_worker()) is not None:
        return not worker.alive
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return getattr(server, "should_exit", False) is True
