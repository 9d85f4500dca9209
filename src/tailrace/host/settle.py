"""Runs whose keeper is gone: whoever finds one ends what is left of it, and records the truth.

A free lock, a `live.json`, and no result mean that the keeper died. The finder takes the lock (so there is only one),
kills the tree by all its traces, and writes `lost`. A run that has its result and still an active entry was cut off in
its last steps, which are done for it. A run that nobody has taken yet is left to the runner.
"""

import os
import time

import msgspec

from tailrace.core.outcome import Cancelled, Lost
from tailrace.core.result import Result
from tailrace.core.run import Live
from tailrace.host import cgroup, ending, linux, lock, tree
from tailrace.host.clock import Clock, anchor
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.tree import Traces

KEEPER_DIED = "its keeper died"
HOST_RESTARTED = "the host restarted"
NO_RECORDS = "it ran, and the records of that are missing or damaged"
NEVER_BEGAN = "its keeper died each time, before the command was started"


def settle(run: RunDir) -> bool:
    """Give a dead run its result. True if the run is finished now, whoever did it; False if it lives or waits.

    Raises:
        OSError: the disk is full or failed; the run is as it was.
    """
    fd = run.open_lock()
    try:
        if not lock.try_lock(fd):
            return run.has("result.json")
        if run.has("result.json"):
            ending.complete(run)
            return True
        if not run.has("live.json") and run.state.is_active(run.id):
            return False
        _settle_locked(run)
        return True
    finally:
        os.close(fd)


def give_up(run: RunDir) -> None:
    """Record that a queued run was never executed, because its keepers died before they could.

    Raises:
        OSError: the disk is full or failed.
    """
    fd = run.open_lock()
    try:
        if lock.try_lock(fd) and not run.has("result.json") and not run.has("live.json"):
            ending.record(run, Result(outcome=Lost(NEVER_BEGAN), ended=_clock(run).wall()))
    finally:
        os.close(fd)


def cancel(run: RunDir, by: str | None) -> bool:
    """Take a queued run out of the queue. False if a keeper has it, or it is finished.

    Raises:
        OSError: the disk is full or failed.
    """
    fd = run.open_lock()
    try:
        if not lock.try_lock(fd) or run.has("result.json") or run.has("live.json") or not run.state.is_active(run.id):
            return False
        ending.record(run, Result(outcome=Cancelled(by), ended=_clock(run).wall()))
        return True
    finally:
        os.close(fd)


def _settle_locked(run: RunDir) -> None:
    live = _live(run)
    is_this_boot = live is None or live.keeper.boot == linux.boot_id()
    if is_this_boot:
        end_tree(run, live)
    why = (KEEPER_DIED if is_this_boot else HOST_RESTARTED) if live is not None else NO_RECORDS
    result = Result(outcome=Lost(why), ended=_clock(run).wall(), size=run.size())
    if live is not None:
        result = msgspec.structs.replace(
            result,
            started=live.started,
            dropped=live.dropped,
            ladder=live.ladder,
            hint=live.hint,
            rows=live.rows,
            columns=live.columns,
        )
    ending.record(run, result)


def end_orphans(run: RunDir, orphans: frozenset[int]) -> None:
    """Kill processes that came to the forker when the run's keeper was killed; unless the keeper ended in order.

    Only the runner knows them, whoever settles the run: they may carry no trace of it any more.
    """
    try:
        result = run.result()
    except Damaged:
        result = None
    if orphans and (result is None or isinstance(result.outcome, Lost)):
        tree.kill_all(Traces(run.id, members=orphans), by_marks=False)


def end_tree(run: RunDir, live: Live | None) -> None:
    """Kill everything that carries a trace of the run."""
    group = cgroup.existing(live.cgroup) if live else None
    traces = Traces(
        run.id,
        sessions=frozenset(live.sessions if live else ()),
        pipes=frozenset(live.pipes if live else ()),
        cgroup=group,
    )
    for _ in range(20):
        if not tree.kill_all(traces, by_marks=True):
            break
        time.sleep(0.02)
    if group is not None:
        remove_group(group)


def remove_group(group: cgroup.Cgroup) -> None:
    """Remove a group whose processes were just killed, as soon as the last is gone."""
    for _ in range(50):
        if not group.pids():
            break
        time.sleep(0.02)
    group.remove()


def _live(run: RunDir) -> Live | None:
    try:
        return run.live()
    except Damaged:
        return None


def _clock(run: RunDir) -> Clock:
    try:
        return Clock(run.spec().anchor)
    except Damaged:
        return Clock(anchor())
