"""A run as its files say, damaged or not; nothing is started, settled or changed by looking."""

import os
from datetime import UTC, datetime, timedelta

import msgspec

from tailrace.core import ids, timeline
from tailrace.core import run as run_values
from tailrace.core.errors import UnknownRun
from tailrace.core.outcome import Lost
from tailrace.core.result import Result
from tailrace.core.run import Live, RunInfo
from tailrace.core.spec import Anchor, Spec
from tailrace.core.timeline import RECORD_BYTES, Record
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.usage import usage_of

LAST_RECORDS = 16
"""of a timeline; at its end are some that were written for bytes which never came, a few at most"""


def glance(run: RunDir, known: Result | None = None) -> RunInfo:
    """Return the run; what cannot be read of it is named in `damage`. A result that is known need not be there."""
    damage: list[str] = []
    spec = _spec(run, damage)
    pinned = run.has("pinned")
    result = known or _result(run, spec, damage)
    if result is not None:
        info = run_values.with_late(run_values.finished(spec, result, pinned=pinned), run.late())
    elif (live := _live(run, damage)) is not None:
        info = run_values.going(spec, live, run.size(), pinned=pinned)
    else:
        info = run_values.queued(spec, place=_queue_place(run), pinned=pinned)
    return run_values.with_damage(run_values.with_last_output(info, _last_output(run, info)), damage)


def with_usage(info: RunInfo, run: RunDir) -> RunInfo:
    """Return the run with what it uses now, if it is going and that can be known."""
    live = None if info.is_finished else _live(run, [])
    used = None if live is None else usage_of(live.keeper)
    return info if used is None else msgspec.structs.replace(info, usage=used)


def _last_output(run: RunDir, info: RunInfo) -> datetime | None:
    """Return when the last bytes came: as the timeline says, else as the file does."""
    if not info.size or info.started is None:
        return None
    for record in reversed(_last_records(run)):
        if record is not None and record.offset < info.size:
            return info.started + timedelta(microseconds=record.time_us)
    try:
        return datetime.fromtimestamp(os.stat("output", dir_fd=run.fd, follow_symlinks=False).st_mtime, UTC)
    except OSError:
        return None


def _last_records(run: RunDir) -> list[Record | None]:
    """Return the timeline's last records; those before have bytes behind them, and so are not the last."""
    try:
        fd = run.open("timeline")
    except OSError:
        return []
    try:
        begin = max(0, os.fstat(fd).st_size // RECORD_BYTES - LAST_RECORDS) * RECORD_BYTES
        return timeline.decode(os.pread(fd, LAST_RECORDS * RECORD_BYTES, begin))
    finally:
        os.close(fd)


def _spec(run: RunDir, damage: list[str]) -> Spec:
    """Return the run's spec, or what can be said without one."""
    try:
        return run.spec()
    except Damaged as error:
        damage.append(str(error))
        created_us = ids.created_us(run.id)
        at = Anchor(created_us, 0, "unknown")
        return Spec(id=run.id, argv=(), cwd="", created=datetime.fromtimestamp(created_us / 1e6, UTC), anchor=at)


def _result(run: RunDir, spec: Spec, damage: list[str]) -> Result | None:
    try:
        return run.result()
    except Damaged as error:
        damage.append(str(error))
        return Result(outcome=Lost(str(error)), ended=spec.created, size=run.size())


def _live(run: RunDir, damage: list[str]) -> Live | None:
    try:
        return run.live()
    except Damaged as error:
        damage.append(str(error))
        return None


def _queue_place(run: RunDir) -> int:
    """Return how many runs will be launched before this one, plus 1."""
    place = 1
    for run_id in run.state.active():
        if run_id >= run.id:
            break
        try:
            with RunDir(run.state, run_id) as other:
                place += not other.has("live.json") and not other.has("result.json")
        except UnknownRun:
            continue
    return place
