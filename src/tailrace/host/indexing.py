"""A line index for a large output whose run has just ended: made by a child of its keeper, at the lowest priority.

The keeper has recorded the result before, so the run is finished, and whoever waited for that goes on. A child counts,
since a keeper that stays keeps its place among those that may run at once. The child lets go of all that a keeper has,
the run's lock above all. It may be killed at any time: what it has noted by then is true, and whoever asks for lines
next counts on from there.
"""

import os
import signal
from typing import Final

from tailrace.core.lineindex import STRIDE_BYTES
from tailrace.host import fault
from tailrace.host.rundir import RunDir

WORTH_BYTES: Final = 64 << 20
"""of output; what is less is counted by the request that wants to know, in less time than anybody notices"""
_LOWEST: Final = 19
"""nice(2)"""
_STDERR: Final = 2


def index(run: RunDir, size: int) -> None:
    """Have the lines of a finished run counted, if that is worth it, by a process of its own; return at once.

    Args:
        run: the run; its result is there.
        size: of its output.
    """
    if size < WORTH_BYTES:
        return
    try:
        if os.fork():
            return
    except OSError:  # the system gives no process; whoever asks for lines will count
        return
    try:
        _count(run, size)
    finally:
        os._exit(0)


def _count(run: RunDir, size: int) -> None:
    from tailrace.host.lineindex import LineIndex  # no other keeper needs it

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _close_all_but(run.fd)
    _step_back()
    fault.point("indexing:begun")
    output = run.open("output")
    lines = LineIndex(run, output, _Patience(run).wait)
    lines.ends_before(size // STRIDE_BYTES * STRIDE_BYTES)


class _Gone(Exception):
    """The run has been removed."""


class _Patience:
    """Sees now and then whether the run is still there: an index of one that is not is no use."""

    def __init__(self, run: RunDir) -> None:
        self._run = run

    def wait(self) -> None:
        """Go on, unless the run has been removed.

        Raises:
            _Gone: it has.
        """
        fault.point("indexing:counting")
        if self._run.is_removed():
            raise _Gone


def _step_back() -> None:
    """Have only what nobody else wants."""
    try:
        os.nice(_LOWEST)
        if hasattr(os, "SCHED_IDLE"):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError:
        return  # a sandbox that forbids it


def _close_all_but(fd: int) -> None:
    """Close what was inherited: the run's lock, and the ends of pipes that others wait for."""
    for number in map(int, os.listdir("/dev/fd")):
        if number > _STDERR and number != fd:
            try:
                os.close(number)
            except OSError:  # the one by which the list was read
                continue
