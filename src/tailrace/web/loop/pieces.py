"""The body of a response as an asynchronous iterator, for frameworks that stream what they iterate over."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from tailrace.core.errors import TailraceError
from tailrace.web.loop.delivery import Delivery
from tailrace.web.loop.hall import hall_of
from tailrace.web.steps import Leaving, Stream


class _Queue:
    """A sink that holds one piece until it is asked for the next; the delivery waits while it is full."""

    lent = None

    def __init__(self) -> None:
        self._full = asyncio.Event()
        self._wanted = asyncio.Event()
        self._data: bytes | None = None

    async def put(self, data: bytes) -> None:
        """See `Sink.put`."""
        await self._wanted.wait()
        self._wanted.clear()
        self._data = data
        self._full.set()

    async def settle(self) -> bool:
        """See `Sink.settle`: each `put` waits for itself."""
        return False

    def check(self) -> None:
        """See `Sink.check`: who leaves closes the iterator."""

    def untaken_bytes(self) -> int:
        """See `Sink.untaken_bytes`: how long a framework takes is its own affair."""
        return 0

    def evict(self) -> None:
        """See `Sink.evict`."""

    def close(self, *, is_cut: bool) -> None:
        """See `Sink.close`."""

    async def next(self, delivering: "asyncio.Task[None]") -> bytes | None:
        """Return the next piece; None at the end."""
        self._wanted.set()
        full = asyncio.ensure_future(self._full.wait())
        try:
            await asyncio.wait([full, delivering], return_when=asyncio.FIRST_COMPLETED)
        finally:
            full.cancel()
        self._full.clear()
        data, self._data = self._data, None
        return data


async def pieces(body: bytes | Stream | None, report: Callable[[Exception], None]) -> AsyncGenerator[bytes, None]:
    """Yield a body's bytes as they come.

    Raises:
        ConnectionResetError: the stream stops before the recorded end, on a wire that must not look complete then.
    """
    if not isinstance(body, Stream):
        if body:
            yield body
        return
    aborts = body.aborts
    delivery = Delivery(hall_of(asyncio.get_running_loop()), body)
    delivery.sink = queue = _Queue()
    delivering = asyncio.create_task(delivery.run())
    try:
        while (data := await queue.next(delivering)) is not None:
            yield data
        await delivering
    except (TailraceError, OSError) as error:
        if not isinstance(error, Leaving):
            report(error)
        if aborts:
            raise ConnectionResetError(f"stopped before the recorded end: {error}") from error
    finally:
        delivering.cancel()
        body.close()
