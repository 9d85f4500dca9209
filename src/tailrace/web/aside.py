"""Work that blocks, done beside the caller.

A request to a run waits for its keeper in a socket, and input even waits for the command. In a server that runs many
greenlets in one thread nobody else would be served meanwhile. So the work gets a thread (where threads are patched, a
greenlet: sockets are patched then, too), and the caller waits for a descriptor, as viewers do.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tailrace.follow.bell import Bell
from tailrace.host.wait import readable

LOOK_S = 0.25
"""between two looks whether it is over"""
BEGUN_S = 1.0
"""after which work that waits for somebody else has certainly been begun"""
T = TypeVar("T")


def aside(
    work: Callable[[], None], *, patience_s: float | None = None, is_over: Callable[[], bool] = lambda: False
) -> bool:
    """Do the work, and return whether it is done; it goes on if it is not done within `patience_s` (None: for ever).

    Args:
        work: what is to be done.
        patience_s: for how long it is waited for.
        is_over: asked a few times a second, after the first, where there is a limit: whether it is not to be waited
            for any more.

    Raises:
        Exception: what the work raised, if it did so in time.
    """
    errand = _Errand(work)
    threading.Thread(target=errand.go, name="tailrace aside", daemon=True).start()
    return errand.wait(patience_s, is_over)


def found_aside(find: Callable[[], T]) -> T:
    """Return what is found by work that blocks, however long that takes.

    Raises:
        Exception: what the work raised.
    """
    found: list[T] = []
    aside(lambda: found.append(find()))
    return found[0]


class _Errand:
    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._bell = Bell()
        self._lock = threading.Lock()
        """held to ring and to close: the number of a closed descriptor may soon be another's"""
        self._is_done = False
        self._failure: Exception | None = None

    def go(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  raised again where it is waited for
            self._failure = error
        finally:
            with self._lock:
                self._is_done = True
                self._bell.ring()

    def wait(self, patience_s: float | None, is_over: Callable[[], bool]) -> bool:
        try:
            self._listen(patience_s, is_over)
        finally:
            with self._lock:
                self._bell.close()
                is_done = self._is_done
        if is_done and self._failure is not None:
            raise self._failure
        return is_done

    def _listen(self, patience_s: float | None, is_over: Callable[[], bool]) -> None:
        if patience_s is None:
            readable([self._bell.fd], None)
            return
        begun = time.monotonic()
        while (left_s := begun + patience_s - time.monotonic()) > 0:
            if readable([self._bell.fd], min(left_s, LOOK_S)):
                return
            if time.monotonic() >= begun + BEGUN_S and is_over():
                return
