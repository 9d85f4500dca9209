"""Work that blocks, done in threads of our own beside an event loop.

The loop's own threads are few (some six on two processors), and anybody's. Ours wait for disks, keepers and whatever an
application's `authorize` asks. Made on first use in each process.
"""

import asyncio
import contextvars
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from tailrace.web.responses import Response
from tailrace.web.steps import Stream

THREADS = 64
"""who comes when all are busy waits for one, in the loop, and holds up nobody there"""

P = ParamSpec("P")
T = TypeVar("T")

_made: Final[list[ThreadPoolExecutor]] = []


async def beside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do the work in a thread, and return what it returns. If this is cancelled, it goes on.

    A response that nobody waits for any more is closed then.

    Raises:
        Exception: what the work raised.
    """
    if not _made:
        _made.append(ThreadPoolExecutor(THREADS, "tailrace"))
    context = contextvars.copy_context()
    call = partial(context.run, partial(work, *args, **kwargs))
    doing = asyncio.get_running_loop().run_in_executor(_made[0], call)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        doing.add_done_callback(_drop)
        raise


def _drop(done: "asyncio.Future[T]") -> None:
    """Close what nobody waits for any more."""
    if done.cancelled() or done.exception() is not None:
        return
    result = done.result()
    if isinstance(result, Response) and isinstance(result.body, Stream):
        result.body.close()


os.register_at_fork(after_in_child=_made.clear)  # the parent's threads are not here
