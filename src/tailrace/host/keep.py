"""What a keeper's process does, from its fork to its end: wait for an order, own that run, record how it ended."""

import errno
import os
import select
import socket
import sys
import time

from tailrace.core.result import Result
from tailrace.host import ending, fault, linux
from tailrace.host.forker import receive_order
from tailrace.host.indexing import index
from tailrace.host.keeper import FULL_NS, Keeper
from tailrace.host.rundir import RunDir
from tailrace.host.stage import Stage, forget_signals, is_told_to_go, set_stage
from tailrace.host.statedir import StateDir


def wait_and_keep(state: StateDir, link: socket.socket) -> None:
    """Be a keeper, in a fresh fork: make ready, wait for an order, and own that run until it is over.

    Args:
        state: the state directory.
        link: the socket by which the order comes.
    """
    forget_signals()
    os.setsid()
    linux.become_subreaper()
    stage = set_stage(state)
    ordered = receive_order(link) if _is_ordered(stage, link) else None
    if ordered is not None:
        with RunDir(state, ordered.run_id) as run:
            fault.ARMED = ordered.fault
            fault.point("starting:kept")
            _keep(run, Keeper(run, ordered, stage))
    elif stage.blank is not None:
        stage.blank.abandon()


def _is_ordered(stage: Stage, link: socket.socket) -> bool:
    """Wait for the order, or the end of the runner; False if a signal told us to go, so that no run is hit by it."""
    stage.poll.register(link, select.POLLIN)
    while not is_told_to_go():
        ready = [fd for fd, _events in stage.poll.poll()]
        if link.fileno() in ready:
            stage.poll.unregister(link)
            return True
        os.read(stage.wakeup, 4096)
    return False


def _keep(run: RunDir, keeper: Keeper) -> None:
    """Own the run until it is over."""
    try:
        result = keeper.run()
    except Exception as error:
        _log_failure()
        keeper.end_tree()
        result = keeper.lost(f"the keeper failed: {error}")
    _record(run, result)
    index(run, result.size)
    keeper.outlive()


def _record(run: RunDir, result: Result) -> None:
    """Write the result, waiting for room on a full disk."""
    while True:
        try:
            ending.record(run, result)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            time.sleep(FULL_NS / 1e9)
        else:
            return


def _log_failure() -> None:
    """Write the traceback to the runner's log; the log may be on the disk that is full."""
    import traceback

    try:
        traceback.print_exc(file=sys.stderr)
    except OSError:
        pass
