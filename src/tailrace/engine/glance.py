"""A run as its files say, damaged or not; nothing is started, settled or changed by looking."""

from datetime import UTC, datetime

from tailrace.core import ids
from tailrace.core import run as run_values
from tailrace.core.errors import UnknownRun
from tailrace.core.outcome import Lost
from tailrace.core.result import Result
from tailrace.core.run import Live, RunInfo
from tailrace.core.spec import Anchor, Spec
from tailrace.host.rundir import Damaged, RunDir


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
    return run_values.with_damage(info, damage)


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
