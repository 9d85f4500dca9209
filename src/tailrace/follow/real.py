"""The operating system's own threads, locks, clock and poll, where gevent or eventlet has replaced them.

The watcher must be a real thread: a greenlet that waits for inotify would stop the whole hub, and a patched lock would tie
it to a hub of its own.
"""

import importlib
import select
import sys
import time
from collections.abc import Callable
from typing import Protocol


class Lock(Protocol):
    """A lock of the operating system's threads."""

    def __enter__(self) -> bool:
        """Take it."""

    def __exit__(self, *exc: object) -> None:
        """Release it."""


def start_thread(body: Callable[[], None]) -> None:
    """Start a daemon thread of the operating system."""
    _original("_thread", "start_new_thread")(body, ())


def make_lock() -> Lock:
    """Return a lock between threads of the operating system."""
    lock: Lock = _original("_thread", "allocate_lock")()
    return lock


def make_poll() -> "select.poll":
    """Return a poll object of the operating system."""
    poll: select.poll = _original("select", "poll")()
    return poll


def monotonic() -> float:
    """Return the monotonic clock, in seconds."""
    return time.monotonic()


def _original(module: str, name: str) -> Callable[..., object]:
    if "eventlet.patcher" in sys.modules:
        from eventlet.patcher import original

        return getattr(original(module), name)
    if "gevent.monkey" in sys.modules:
        from gevent.monkey import get_original

        return get_original(module, name)
    return getattr(importlib.import_module(module), name)
