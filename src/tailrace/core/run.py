"""A run as everybody sees it: the object of the API, the list, and the `state` and `end` events."""

from datetime import datetime

import msgspec

from tailrace.core.outcome import BY_LIMIT, WORDS, Outcome, limit_of
from tailrace.core.result import Child, LadderStep, Result, Usage
from tailrace.core.spec import Spec, Stdio
from tailrace.core.states import State


class ProcessId(msgspec.Struct, frozen=True):
    """A process, named so that a later one with the same pid is never taken for it."""

    boot: str
    start: int
    """clock ticks after boot, field 22 of /proc/PID/stat"""
    pid: int


class Live(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """live.json: what a keeper says of a run that is going."""

    state: State
    keeper: ProcessId
    command: ProcessId | None = None
    started: datetime | None = None
    held: str | None = None
    hint: str | None = None
    stopped_by: str | None = None
    ladder: tuple[LadderStep, ...] = ()
    sessions: tuple[tuple[int, int], ...] = ()
    """(session, start of its leader, or 0 if that was dead) in which processes of the run were seen"""
    pipes: tuple[int, ...] = ()
    """inodes of the output pipes: who holds one belongs to the run"""
    cgroup: str | None = None
    dropped: int = 0
    rows: int | None = None
    """the terminal's height now, and its `columns`; None: nobody has changed it"""
    columns: int | None = None


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as it is at this moment. Times are UTC; sizes bytes; durations seconds."""

    id: str
    command: str | None
    argv: tuple[str, ...]
    state: State
    outcome: Outcome | None
    created: datetime | None
    started: datetime | None = None
    ended: datetime | None = None
    duration_s: float | None = None
    last_output: datetime | None = None
    """when the last bytes came that are kept"""
    size: int = 0
    dropped: int = 0
    cwd: str = ""
    labels: dict[str, str] = {}
    key: str | None = None
    by: str | None = None
    pinned: bool = False
    rows: int | None = None
    """the terminal's height now, or at the run's end; None: the run has no terminal"""
    columns: int | None = None
    """the terminal's width, likewise"""
    queue_place: int | None = None
    held: str | None = None
    hint: str | None = None
    damage: str | None = None
    """which of the run's files cannot be read; the output still can"""
    wait_status: int | None = None
    usage: Usage | None = None
    stopped_by: str | None = None
    """who asked for the end that has begun; once it has come, the outcome says so"""
    ladder: tuple[LadderStep, ...] = ()
    lingering: tuple[Child, ...] = ()
    masked: bool = False
    """whether it has secrets, for which `***` stands in the output"""
    limit: str | None = None
    """which limit ended it, or is ending it: `wall`, `idle`, `output`, `cpu`, `memory`, `processes`"""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come."""
        return self.state is State.FINISHED


def queued(spec: Spec, *, place: int | None, pinned: bool = False) -> RunInfo:
    """Return the run that nobody has taken yet."""
    return RunInfo(
        id=spec.id,
        command=spec.command,
        argv=spec.argv,
        state=State.QUEUED,
        outcome=None,
        created=spec.created,
        cwd=spec.cwd,
        labels=spec.labels,
        key=spec.key,
        by=spec.by,
        pinned=pinned,
        rows=spec.rows if spec.stdio is Stdio.PTY else None,
        columns=spec.columns if spec.stdio is Stdio.PTY else None,
        queue_place=place,
        masked=spec.masked,
    )


def going(spec: Spec, live: Live, size: int, *, pinned: bool = False) -> RunInfo:
    """Return the run that a keeper has."""
    return msgspec.structs.replace(
        _sized(queued(spec, place=None, pinned=pinned), live.rows, live.columns),
        state=live.state,
        started=live.started,
        size=size,
        dropped=live.dropped,
        held=live.held,
        hint=live.hint,
        stopped_by=live.stopped_by,
        ladder=live.ladder,
        limit=_limit_in(live.stopped_by),
    )


def finished(spec: Spec, result: Result, *, pinned: bool = False) -> RunInfo:
    """Return the run that was asked for by `spec` and ended with `result`."""
    return msgspec.structs.replace(
        _sized(queued(spec, place=None, pinned=pinned), result.rows, result.columns),
        state=State.FINISHED,
        outcome=result.outcome,
        started=result.started,
        ended=result.ended,
        duration_s=result.duration_s,
        size=result.size,
        dropped=result.dropped,
        hint=result.hint,
        wait_status=result.wait_status,
        usage=result.usage,
        ladder=result.ladder,
        lingering=result.lingering,
        limit=limit_of(result.outcome),
    )


def _sized(info: RunInfo, rows: int | None, columns: int | None) -> RunInfo:
    """Return the run with the size that its terminal was given since, if it was."""
    if rows is None or columns is None:
        return info
    return msgspec.structs.replace(info, rows=rows, columns=columns)


def _limit_in(stopped_by: str | None) -> str | None:
    """Return the limit that asks for the end, where one does; a user of such a name is taken for none."""
    name = (stopped_by or "").removeprefix(BY_LIMIT)
    return name if name != stopped_by and name in WORDS else None


def with_late(info: RunInfo, late: int) -> RunInfo:
    """Return the run with the bytes that its left children wrote after its end."""
    return msgspec.structs.replace(info, dropped=info.dropped + late) if late else info


def with_last_output(info: RunInfo, at: datetime | None) -> RunInfo:
    """Return the run with when its last bytes came."""
    return msgspec.structs.replace(info, last_output=at) if at else info


def with_damage(info: RunInfo, damage: list[str]) -> RunInfo:
    """Return the run with what is wrong with its files."""
    return msgspec.structs.replace(info, damage="; ".join(damage)) if damage else info
