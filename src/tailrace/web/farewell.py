"""Ending event streams when the server is told to stop, so that it need not wait for them.

gunicorn's workers, told to stop or replaced by a reload, wait for their responses up to `--graceful-timeout`, and then
cut them. An event stream may end at any time, since its client resumes, at the next worker; so it does at once. The
other wires have no such client, and have until the timeout.

A thread of the operating system looks at the worker four times a second. It begins with the first viewer of a gunicorn
worker, and there is none elsewhere.
"""

import os
from typing import Final

from tailrace.follow.bell import Bell
from tailrace.host import real
from tailrace.web.worker import Worker, gunicorn_worker

LOOK_S = 0.25


class Farewell:
    """The viewers of one worker."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._guard = real.make_lock()
        self._bells: dict[int, Bell] = {}

    def add(self, viewer: object, bell: Bell) -> None:
        """Ring when the worker is told to stop."""
        with self._guard:
            self._bells[id(viewer)] = bell

    def remove(self, viewer: object) -> None:
        """Ring no more; after this call the bell is certainly not used for this viewer."""
        with self._guard:
            self._bells.pop(id(viewer), None)

    def serve(self) -> None:
        """Look until the worker is told to stop; then ring whoever is there, and who still comes sees it himself."""
        while self.worker.alive:
            _sleep(LOOK_S)
        with self._guard:
            for bell in self._bells.values():
                bell.ring()


_farewells: Final[dict[int, Farewell]] = {}
"""by pid: a worker's is not its children's"""


def is_due() -> bool:
    """Tell whether this process has been told to stop, as far as its viewers have had it watched."""
    farewell = _farewells.get(os.getpid())
    return farewell is not None and not farewell.worker.alive


def add(viewer: object, bell: Bell) -> None:
    """Ring this bell, and none before it, for the viewer when this process is told to stop, if it is gunicorn's."""
    farewell = _farewells.get(os.getpid())
    if farewell is None:
        if (worker := gunicorn_worker()) is None:
            return
        fresh = Farewell(worker)
        farewell = _farewells.setdefault(os.getpid(), fresh)
        if farewell is fresh:
            try:
                real.start_thread(fresh.serve)
            except RuntimeError:  # no thread is to be had: the next viewer tries again
                del _farewells[os.getpid()]
                return
    farewell.add(viewer, bell)


def remove(viewer: object) -> None:
    """Ring for the viewer no more."""
    if (farewell := _farewells.get(os.getpid())) is not None:
        farewell.remove(viewer)


def _sleep(seconds: float) -> None:
    """Sleep in this thread of the operating system, which has no hub, whatever `time.sleep` has become."""
    real.make_poll().poll(seconds * 1000)
