"""The written-once record of how a run ended, and what happened on the way."""

from datetime import datetime

import msgspec

from tailrace.core.outcome import Outcome


class LadderStep(msgspec.Struct, frozen=True):
    """One rung of the stop ladder as it happened: which signal, when, and how many processes got it."""

    signal: str
    time: datetime
    processes: int


class Child(msgspec.Struct, frozen=True):
    """A process of the run that was still there when its command had ended."""

    pid: int
    argv: str


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the command used, its waited-for children included; of a run that is going, what it has used so far.

    `max_rss_bytes` is the largest of any one process, and never less than what the keeper had when it forked (some
    12 MiB): Linux carries that mark across exec.
    """

    cpu_user_s: float
    cpu_system_s: float
    max_rss_bytes: int
    rss_bytes: int | None = None
    """of a run that is going: what all its processes have now, shared pages counted for each"""
    processes: int | None = None
    """of a run that is going: how many it has"""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. `size` bytes are kept; `dropped` more were written by the command and are not."""

    outcome: Outcome
    ended: datetime
    started: datetime | None = None
    duration_s: float | None = None
    wait_status: int | None = None
    """the raw status of wait(2), if we have it"""
    size: int = 0
    dropped: int = 0
    records: int | None = None
    """of the timeline; a reader that finds fewer does not make labels up"""
    usage: Usage | None = None
    ladder: tuple[LadderStep, ...] = ()
    lingering: tuple[Child, ...] = ()
    hint: str | None = None
    rows: int | None = None
    """the terminal's height at the end, and its `columns`; None: nobody changed it"""
    columns: int | None = None

    @property
    def total(self) -> int:
        """All bytes that the command wrote, kept or not."""
        return self.size + self.dropped
