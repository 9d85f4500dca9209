"""Threads for what may wait for the disk, a runner or a keeper.

They are not the loop's own (`asyncio.to_thread`), of which there are few: an application's `authorize` may need one of
those to answer, while all of them wait for its answer.
"""

import asyncio
import contextvars
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from tailrace.web.responses import Response
from tailrace.web.viewer import Viewer

THREADS: Final = 64
"""at most; one that takes input waits up to 10 s for the command to read it"""

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Return what the call does. If this is cancelled, the call goes on, and what it opened is closed."""
    inside = partial(contextvars.copy_context().run, call)
    work = asyncio.get_running_loop().run_in_executor(_threads, inside)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(_drop)
        raise


def _drop(work: "asyncio.Future[T]") -> None:
    """Close what nobody waits for any more."""
    if work.cancelled() or work.exception() is not None:
        return
    result = work.result()
    if isinstance(result, Response) and isinstance(result.body, Viewer):
        result.body.close()


def _make() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="tailrace")


def _renew() -> None:
    global _threads  # noqa: PLW0603
    _threads = _make()


_threads = _make()
os.register_at_fork(after_in_child=_renew)  # a child has none of the parent's threads
