"""How much of a run's output came when, from its start to its end, or to now; and how far it says it is."""

import os
from typing import TypeAlias

import msgspec

from tailrace.core.activity import Activity, check_span
from tailrace.core.progress import LOOK_BYTES, Progress, progress_in
from tailrace.core.run import RunInfo
from tailrace.follow.arrivals import Arrivals
from tailrace.host.clock import Clock
from tailrace.host.rundir import Damaged, RunDir

Span: TypeAlias = tuple[int, float, float | None]
"""buckets, from, until; None: where the run ended, or now"""


def activity_of(run: RunDir, info: RunInfo, arrivals: Arrivals, span: Span) -> Activity:
    """Return the bytes by time.

    Raises:
        InvalidInput: time cannot be divided so.
    """
    buckets, begin_s, until_s = span
    check_span(buckets, begin_s, until_s)
    end_s = max(_elapsed_s(run, info), arrivals.last_s() or 0.0)
    if until_s is None:
        until_s = max(begin_s, end_s)
    found = arrivals.activity(buckets, begin_s, until_s, is_end=begin_s <= end_s <= until_s)
    return found if info.is_finished else msgspec.structs.replace(found, progress=_progress(run, info.size))


def _progress(run: RunDir, size: int) -> Progress | None:
    """Return what the end of the output tells; a look at it must not cost more than a page that is in memory."""
    try:
        output = run.open("output")
    except OSError:
        return None  # it is told of elsewhere
    try:
        return progress_in(os.pread(output, LOOK_BYTES, max(0, size - LOOK_BYTES)))
    finally:
        os.close(output)


def _elapsed_s(run: RunDir, info: RunInfo) -> float:
    """Return the seconds from the command's start to its end, or to now; 0 if they are not known."""
    if info.is_finished or info.started is None:
        return info.duration_s or 0.0
    try:
        clock = Clock(run.spec().anchor)
    except Damaged:
        return 0.0
    return (clock.wall() - info.started).total_seconds()
