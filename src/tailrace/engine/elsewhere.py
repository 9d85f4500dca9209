"""A cursor that threads open and read, for somebody who does not wait for them to let go of it.

Who follows in an event loop may be cancelled while a thread opens the cursor, or reads by it. A cursor is not for many
threads at once, so it must not be closed under that one; nor can the loop wait until it is done, since a server may be
slow. So whoever is the last closes it.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tailrace.core.piece import Chunk, Gap
from tailrace.engine.base import Cursor, End, Ring


class Elsewhere:
    """See `Cursor`; nothing is opened before the first look. All calls but `look`'s own are for the loop's thread.

    Args:
        open_cursor: opens it; raises what `Engine.cursor` does.
    """

    def __init__(self, open_cursor: Callable[[], Cursor]) -> None:
        self._open = open_cursor
        self._cursor: Cursor | None = None
        self._lock = threading.Lock()
        self._is_busy = self._is_given_up = False

    async def look(self) -> list[Chunk] | Gap | End | None:
        """See `Cursor.look`. After cancellation, only `close` is left to be called.

        Raises:
            UnknownRun, OffsetBeyondEnd: at the first look.
            EngineError: the output cannot be read.
        """
        return await asyncio.to_thread(self._look)

    def on_change(self, ring: Ring) -> None:
        """See `Cursor.on_change`. Only between two looks, of which the last gave None.

        Raises:
            StreamBroken: the run has been removed.
        """
        assert self._cursor is not None  # noqa: S101  # nosec B101 # for mypy
        self._cursor.on_change(ring)

    def close(self) -> None:
        """Let go of everything: now, or when the thread is done that has it."""
        with self._lock:
            self._is_given_up = True
            if self._is_busy:
                return
        self._let_go()

    def _look(self) -> list[Chunk] | Gap | End | None:
        with self._using() as is_wanted:
            if not is_wanted:
                return None
            if self._cursor is None:
                self._cursor = self._open()
            return self._cursor.look()

    @contextmanager
    def _using(self) -> Iterator[bool]:
        """Have the cursor; give whether anybody still wants something of it."""
        with self._lock:
            is_wanted = self._is_busy = not self._is_given_up
        try:
            yield is_wanted
        finally:
            with self._lock:
                self._is_busy = False
                is_last = is_wanted and self._is_given_up
            if is_last:
                self._let_go()

    def _let_go(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
