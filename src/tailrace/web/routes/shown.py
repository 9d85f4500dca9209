"""One run, as whoever looks at it alone sees it: with what it was asked to be."""

from typing import Literal

import msgspec

from tailrace.core.access import Action
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec, Stdio


class Rung(msgspec.Struct, frozen=True):
    """One row of the stop ladder: a signal, and what it is given before the next."""

    signal: str
    seconds: float


class SpecShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was asked to be, besides what every list has. Times in seconds, sizes in bytes; null: no limit."""

    stdio: Stdio
    takes_input: bool
    timeout_s: float | None
    idle_timeout_s: float | None
    unwatched_timeout_s: float | None
    output_limit: int | None
    output_policy: Literal["stop", "truncate"]
    """what is done at the output limit"""
    grace_s: float
    """for children that hold its streams after it has ended"""
    ladder: tuple[Rung, ...]
    """what a stop does: each signal, and the seconds until the next; after the last comes KILL, until nobody is left"""
    leave_children: bool
    """whether a stop reaches the command alone"""
    unbuffer: bool
    no_new_privileges: bool
    rlimits: dict[str, int]
    parameters: dict[str, object] | None = None
    """what its command was given, standard values included, without secrets and files; null: it is of no command"""


class RunShown(RunInfo, frozen=True, kw_only=True):
    """A run, and what it was asked to be. `usage` is there while it goes, too."""

    spec: SpecShown | None = None
    """null: it cannot be read, or is on a server that does not give it away"""
    may: tuple[Action, ...] | msgspec.UnsetType = msgspec.UNSET
    """what whoever asks may do to it; over HTTP only"""


def shown(
    info: RunInfo, spec: Spec | None, may: tuple[Action, ...] | msgspec.UnsetType = msgspec.UNSET
) -> RunShown:  # fmt: skip
    """Return the run with what it was asked to be, and what may be done to it."""
    return RunShown(**msgspec.structs.asdict(info), spec=None if spec is None else _spec_shown(spec), may=may)


def _spec_shown(spec: Spec) -> SpecShown:
    return SpecShown(
        stdio=spec.stdio,
        takes_input=spec.stdin or spec.stdio is Stdio.PTY,
        timeout_s=spec.timeout_s,
        idle_timeout_s=spec.idle_timeout_s,
        unwatched_timeout_s=spec.unwatched_timeout_s,
        output_limit=spec.output_limit,
        output_policy=spec.output_policy,
        grace_s=spec.grace_s,
        ladder=tuple(Rung(row.signal, row.seconds) for row in spec.ladder),
        leave_children=spec.leave_children,
        unbuffer=spec.unbuffer,
        no_new_privileges=spec.no_new_privileges,
        rlimits=spec.rlimits,
        parameters=spec.parameters,
    )
