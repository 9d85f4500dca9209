"""Whether one more run may be: counted on disk, so that all processes that start runs count together.

What is unfinished is told by `active/`; of which command and user a run is, by its spec, which never changes and is
remembered. What was started in the last minute is a small ledger, `STATE/starts.json`, that also has those which have
ended or were pruned since. Both are looked at, and the run is put on disk, under one lock: two starts never take the
same last place. The ledger is written first: a start that then fails is counted for a minute, and none that the ledger
did not take is a run which goes unasked. Runs whose keepers were killed take no places: before somebody is refused
because of them, they are settled. Who limits nothing takes no lock and writes nothing.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from tailrace.core import ids
from tailrace.core.errors import LimitReached, UnknownRun
from tailrace.core.limits import MINUTE_US, Count, Member, Quota, Scope, check_admission, is_within
from tailrace.core.spec import Spec
from tailrace.host import real, settings, settle
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.settings import Settings
from tailrace.host.statedir import StateDir, read_file, write_file

LOCK: Final = "starts.lock"
LEDGER: Final = "starts.json"
MOST_REMEMBERED: Final = 10_000
"""unfinished runs whose command and user are remembered; what is forgotten is read again"""


NOBODY: Final = Member(None, None)


class Start(msgspec.Struct, frozen=True, array_like=True):
    """One row of the ledger."""

    at_us: int
    command: str | None
    by: str | None


STARTS = msgspec.json.Decoder(list[Start])


class Admission:
    """One process's look at the runs of a state directory."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._members: OrderedDict[str, Member] = OrderedDict()
        self._guard = real.make_lock()

    @contextmanager
    def one_more(self, spec: Spec) -> Iterator[None]:
        """Hold a place for the run, until it is on disk: its own quotas must have room for it, and the directory's.

        Args:
            spec: the run's.

        Raises:
            LimitReached: one of them has none.
            OSError: the start cannot be noted.
        """
        quotas = [quota for quota in (*spec.quotas, _of_all(settings.load(self._state))) if not quota.is_empty]
        if not quotas:
            yield
            return
        with self._state.exclusively(LOCK):
            now_us = ids.created_us(spec.id)
            member = Member(spec.command, spec.by)
            starts = [start for start in self._starts() if now_us - MINUTE_US < start.at_us <= now_us + MINUTE_US]
            try:
                self._check(quotas, member, starts, now_us)
            except LimitReached:
                if not self._settle_dead():
                    raise
                self._check(quotas, member, starts, now_us)
            if any(quota.starts_per_minute is not None for quota in quotas):
                self._note([*starts, Start(now_us, spec.command, spec.by)])
            yield

    def _check(self, quotas: Sequence[Quota], member: Member, starts: Sequence[Start], now_us: int) -> None:
        found = (self._member(run_id) for run_id in self._state.active())
        members = [each for each in found if each is not None]
        for quota in quotas:
            check_admission(quota, _count(quota, member, members, starts), member, now_us)

    def _settle_dead(self) -> bool:
        """Settle the runs whose keepers are gone, as after a restart of the host; tell whether there were any."""
        return sum(_is_settled(self._state, run_id) for run_id in self._state.active()) > 0

    def _starts(self) -> list[Start]:
        """Return the ledger; an empty one if it is not there, or makes no sense."""
        try:
            return STARTS.decode(read_file(LEDGER, dir_fd=self._state.fd))
        except (OSError, msgspec.MsgspecError, RecursionError):
            return []

    def _note(self, starts: list[Start]) -> None:
        """Replace the ledger.

        Raises:
            OSError: it cannot be written.
        """
        temporary = f".{LEDGER}"
        write_file(temporary, msgspec.json.encode(starts), dir_fd=self._state.fd, flags=os.O_TRUNC)
        os.rename(temporary, LEDGER, src_dir_fd=self._state.fd, dst_dir_fd=self._state.fd)

    def _member(self, run_id: str) -> Member | None:
        """Return what the run is counted by; None: it is just being made, or its maker was killed before it was."""
        with self._guard:
            if (known := self._members.get(run_id)) is not None:
                return known
        try:
            member = _member_of(self._state, run_id)
        except UnknownRun:
            return None
        with self._guard:
            self._members[run_id] = member
            if len(self._members) > MOST_REMEMBERED:
                self._members.popitem(last=False)
        return member


def _of_all(now: Settings) -> Quota:
    """Return the directory's own quota; those beyond its `max_running` wait, however many, unless it says otherwise."""
    running = None if now.max_queued is None else now.max_running
    return Quota(Scope.ALL, running, now.max_queued, now.max_starts_per_minute)


def _member_of(state: StateDir, run_id: str) -> Member:
    """Return what the run is counted by; of a damaged one, nothing is known.

    Raises:
        UnknownRun: it is not there.
    """
    with RunDir(state, run_id) as run:
        try:
            spec = run.spec()
        except Damaged:
            return NOBODY
    return Member(spec.command, spec.by)


def _is_settled(state: StateDir, run_id: str) -> bool:
    """Settle the run if its keeper is gone; tell whether it is finished."""
    try:
        with RunDir(state, run_id) as run:
            return settle.settle(run)
    except (UnknownRun, OSError):
        return False  # it is being made, or cannot be settled now


def _count(quota: Quota, member: Member, members: Sequence[Member], starts: Sequence[Start]) -> Count:
    return Count(
        unfinished=sum(is_within(quota.scope, each, member) for each in members),
        starts_us=[start.at_us for start in starts if is_within(quota.scope, Member(start.command, start.by), member)],
    )
