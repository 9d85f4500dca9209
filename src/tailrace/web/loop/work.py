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
VIEWING_THREADS = 16
"""for errands of those who view already, and are not to wait for what others ask; each is short"""

P = ParamSpec("P")
T = TypeVar("T")

_made: Final[dict[str, ThreadPoolExecutor]] = {}


async def beside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do the work in a thread, and return what it returns. If this is cancelled, it goes on.

    A response that nobody waits for any more is closed then.

    Raises:
        Exception: what the work raised.
    """
    return await _done(_threads("tailrace", THREADS), partial(work, *args, **kwargs))


async def beside_viewers(work: Callable[[], None]) -> None:
    """Do a viewer's errand in a thread of the viewers' own. If this is cancelled, it goes on.

    Raises:
        Exception: what the work raised.
    """
    await _done(_threads("tailrace-view", VIEWING_THREADS), work)


def _threads(name: str, count: int) -> ThreadPoolExecutor:
    if name not in _made:
        _made[name] = ThreadPoolExecutor(count, name)
    return _made[name]


async def _done(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    doing = asyncio.get_running_loop().run_in_executor(threads, partial(context.run, work))
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
