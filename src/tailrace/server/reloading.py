"""Reading the files again while the server serves: nobody who watches notices."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tailrace.config.live import Live

log = logging.getLogger("tailrace")

LOOK_S: Final = 1.0
"""between two looks at the files"""


class Terminal:
    """The terminal that we were started at, if there is one: when it goes, we go too."""

    def __init__(self) -> None:
        self._was_there = _has_terminal()

    def is_gone(self) -> bool:
        """Tell whether it was there, and is no more: what SIGHUP means then."""
        return self._was_there and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


class Reloading:
    """Takes what the files say when they have changed, or a signal says so.

    Args:
        live: the files.
        take: called when something else counts now, or does not.
        note: called after that, in a thread, to have it on record.
    """

    def __init__(self, live: Live, take: Callable[[Live], None], note: Callable[[Live], None]) -> None:
        self._live = live
        self._take = take
        self._note = note
        self._terminal = Terminal()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: asyncio.Event = asyncio.Event()

    def is_abandoned(self) -> bool:
        """Tell whether a SIGHUP says that our terminal is gone."""
        return self._terminal.is_gone()

    def tell(self) -> None:
        """Have the files read again; what a signal's handler may call."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    async def attend(self) -> None:
        """Look after the files until this is cancelled, whatever goes wrong."""
        self._loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), LOOK_S)
            is_told = self._told.is_set()
            self._told.clear()
            try:
                await self._look(is_told=is_told)
            except Exception:
                log.exception("the files cannot be looked at now; what they said before counts")

    async def _look(self, *, is_told: bool) -> None:
        if await asyncio.to_thread(self._live.is_changed) or is_told:
            said = await asyncio.to_thread(self._live.reload)
            log.log(logging.ERROR if self._live.kept else logging.INFO, "%s", said)
            self._take(self._live)
            await asyncio.to_thread(self._note, self._live)
