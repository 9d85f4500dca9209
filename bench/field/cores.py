"""Which processor does what: where processor time is compared, the server has one to itself, all others the rest."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

ALL = sorted(os.sched_getaffinity(0))
_server: set[int] = set()


@contextmanager
def divided() -> Iterator[None]:
    """Keep servers that are started meanwhile to one processor, this thread and all else that it starts to the rest.

    On a machine with one, nothing is kept anywhere.
    """
    if len(ALL) > 1:
        _server.add(ALL[0])
    try:
        with kept_to(set(ALL[1:])):
            yield
    finally:
        _server.clear()


@contextmanager
def kept_to(cores: set[int]) -> Iterator[None]:
    """Have this thread, and what it starts meanwhile, keep to these processors; to those it has, if none are given."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def spread(pids: Iterable[int]) -> None:
    """Keep these to where the server is not: commands that a server has started are where it is."""
    for pid in pids if _server else ():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(pid, set(ALL) - _server)


def server() -> set[int]:
    """Return where a server is to be kept: nowhere, if empty."""
    return set(_server)


def told() -> str:
    """Return in words who is kept where."""
    if len(ALL) == 1:
        return "one processor for all"
    return f"each server was kept to processor {ALL[0]}; sources, viewers, runner and keeper to the others"
