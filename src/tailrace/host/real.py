"""The operating system's own threads, locks and poll, where gevent or eventlet has replaced them.

The watcher must be a real thread: a greenlet that waits for inotify would stop the whole hub, and a patched lock would
tie it to a hub of its own.
"""

import importlib
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, cast


class Lock(Protocol):
    """A lock of the operating system's threads."""

    def __enter__(self) -> bool:
        """Take it."""

    def __exit__(self, *exc: object) -> None:
        """Release it."""


def start_thread(body: Callable[[], None]) -> None:
    """Start a daemon thread of the operating system."""
    start = cast("Callable[[Callable[[], None], tuple[()]], int]", _original("_thread", "start_new_thread"))
    start(body, ())


def make_lock() -> Lock:
    """Return a lock between threads of the operating system."""
    return cast("Callable[[], Lock]", _original("_thread", "allocate_lock"))()


def make_poll() -> "select.poll":
    """Return a poll object of the operating system."""
    return cast("Callable[[], select.poll]", _original("select", "poll"))()


def make_epoll() -> "select.epoll":
    """Return an epoll object of the operating system, which must be Linux."""
    return cast("Callable[[], select.epoll]", _original("select", "epoll"))()


@contextmanager
def poll_in_place() -> Iterator[None]:
    """Have `select.poll` where everybody looks for it, also where eventlet has removed it."""
    if hasattr(select, "poll"):
        yield
        return
    setattr(select, "poll", _original("select", "poll"))  # noqa: B010 (mypy knows it only as a class)
    try:
        yield
    finally:
        del select.poll


def _original(module: str, name: str) -> object:
    if "eventlet.patcher" in sys.modules:
        return getattr(sys.modules["eventlet.patcher"].original(module), name)
    if "gevent.monkey" in sys.modules:
        return sys.modules["gevent.monkey"].get_original(module, name)
    return getattr(importlib.import_module(module), name)
