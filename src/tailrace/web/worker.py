"""The gunicorn worker that this process is, if it is one: the owner of its handler of SIGTERM."""

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
