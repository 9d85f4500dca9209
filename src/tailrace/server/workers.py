"""Several processes that serve from one socket, and the one that looks after them.

Each worker is a fork of it, made before anything else was: no loop, no thread, no engine. They share nothing but the
socket; all that they know of runs, the engine tells each of them. One that dies is replaced; when they are told to
stop, all are, and whoever does not within some seconds is killed.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Final, NoReturn

from tailrace.host.linux import die_with_parent

log = logging.getLogger("tailrace")

STOPS: Final = (signal.SIGTERM, signal.SIGINT)
RELOAD: Final = signal.SIGHUP
RENEW: Final = signal.SIGUSR2
HEARD: Final = (*STOPS, signal.SIGCHLD, RELOAD, RENEW)
KILL_S = 8.0
"""after being told to stop"""
AGAIN_S = 0.5
"""between two starts of a worker that dies at once"""


class Workers:
    """The processes.

    Args:
        count: how many.
        serve: what each does, until it is told to stop by SIGTERM.
        is_abandoned: whether a SIGHUP says that our terminal is gone, not that files are to be read again.
    """

    def __init__(self, count: int, serve: Callable[[], None], is_abandoned: Callable[[], bool] = lambda: False) -> None:
        self._is_abandoned = is_abandoned
        self._count = count
        self._serve = serve
        self._is_stopping = False
        self._begun: dict[int, float] = {}
        """by pid"""

    def run(self) -> None:
        """Keep them going until SIGTERM or SIGINT; SIGHUP goes on to each, SIGUSR2 replaces each."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        try:
            self._look_after(before)
        finally:
            self._stop()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _look_after(self, mask: set[int]) -> None:
        for _ in range(self._count):
            self._start(mask)
        while True:
            number = signal.sigwait(HEARD)
            if number in STOPS or (number == RELOAD and self._is_abandoned()):
                return
            if number in (RELOAD, RENEW):
                self._tell(RELOAD if number == RELOAD else signal.SIGTERM)
            for begun in self._reaped():
                time.sleep(max(0.0, AGAIN_S - (time.monotonic() - begun)))
                self._start(mask)

    def _start(self, mask: set[int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be(parent, mask)
        self._begun[pid] = time.monotonic()

    def _be(self, parent: int, mask: set[int]) -> NoReturn:
        """Be a worker; never return into the parent's code."""
        code = 1
        try:
            die_with_parent(signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(code)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._serve()
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            log.exception("a worker failed")
        finally:
            logging.shutdown()
            os._exit(code)

    def _reaped(self) -> list[float]:
        """Return when those have begun that are dead now."""
        dead: list[float] = []
        for pid in list(self._begun):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                dead.append(self._begun.pop(pid))
                if status and not self._is_stopping:
                    log.error("worker %d ended with %d and is replaced", pid, os.waitstatus_to_exitcode(status))
        return dead

    def _tell(self, number: int) -> None:
        for pid in self._begun:
            os.kill(pid, number)

    def _stop(self) -> None:
        self._is_stopping = True
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + KILL_S
        while self._begun and (left_s := deadline - time.monotonic()) > 0:
            signal.sigtimedwait(HEARD, left_s)
            self._reaped()
        self._tell(signal.SIGKILL)
        for pid in list(self._begun):
            os.waitpid(pid, 0)
            del self._begun[pid]
