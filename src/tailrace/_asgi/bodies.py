"""A request's body, which may be slow to come: a route's thread waits for it only for a moment.

A route asks for its body when its caller is known to be allowed, and it has done nothing so far. If the body is not
there in time, the route is left (`Later`), its thread is free for others, and the loop waits; then the route is asked
again, from its beginning. So clients that send slowly hold no threads, however many they are. Theirs are bounded too:
what has come of a body is kept meanwhile.
"""

import asyncio
from collections import Counter
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import ClassVar, Final

from tailrace._asgi.asking import body_of
from tailrace.core.errors import TailraceError
from tailrace.web.loop.sinks import Receive
from tailrace.web.routes.call import Instead, Refused

PATIENCE_S: Final = 0.5
"""that a thread waits for a body"""
HASTE_S: Final = 0.05
"""the same, when many are waited for"""
MANY: Final = 32
LARGE: Final = 512 << 10
MOST_LARGE: Final = 8
"""bodies that may be longer, and are being read in a process"""
MOST_LARGE_EACH: Final = 2
"""of these, of one caller, who may send slowly"""
MOST: Final = 256
"""that are waited for in a process: 64 MiB at most"""


class Later(Instead):
    """The body is not there yet; the call is to be answered anew when it is."""

    is_answer = False


class Body:
    """One request's.

    Args:
        receive: gives it.
        loop: the event loop of the request.
    """

    waiting = 0
    """how many the loop waits for, in this process"""
    large: ClassVar[Counter[str]] = Counter()
    """those that may be large, by caller"""
    admitting = Lock()

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._receive = receive
        self._loop = loop
        self.caller = ""
        """who sends it: a user, or an address"""
        self._reading: Future[bytes] | None = None

    def read(self, limit_bytes: int) -> bytes:
        """Return it, or so many bytes of it. For a route's thread.

        Raises:
            Later: it is not there yet: `come`, then have the call answered anew.
            InvalidInput: the client left in the middle of it.
            Refused: too many are waited for.
        """
        if self._reading is None:
            if limit_bytes > LARGE:
                self._admit()
            self._reading = asyncio.run_coroutine_threadsafe(body_of(self._receive, limit_bytes), self._loop)
            if limit_bytes > LARGE:
                self._reading.add_done_callback(partial(_leave, self.caller))
        try:
            return self._reading.result(PATIENCE_S if Body.waiting < MANY else HASTE_S)
        except TimeoutError:
            if Body.waiting >= MOST:
                self._reading.cancel()
                raise Refused(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "too many requests are still sending their bodies",
                    "try again in a moment, and send the body at once",
                ) from None
            raise Later from None

    async def come(self) -> None:
        """Wait until it is there, or its client has left."""
        if self._reading is None:
            return
        Body.waiting += 1
        try:
            with suppress(TailraceError):  # it is raised again where the body is read
                await asyncio.wrap_future(self._reading)
        finally:
            Body.waiting -= 1

    def _admit(self) -> None:
        """Take room for one more large body.

        Raises:
            Refused: there is none, or its caller has as much as he may.
        """
        with Body.admitting:
            if Body.large[self.caller] >= MOST_LARGE_EACH:
                what = f"{MOST_LARGE_EACH} of your requests are sending files"
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, what, "try again when they are done")
            if Body.large.total() >= MOST_LARGE:
                what = "too many requests are sending files"
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, what, "try again in a moment")
            Body.large[self.caller] += 1


def _leave(caller: str, _reading: Future[bytes]) -> None:
    with Body.admitting:
        Body.large[caller] -= 1
        if not Body.large[caller]:
            del Body.large[caller]
