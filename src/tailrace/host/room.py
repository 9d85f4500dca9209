"""Which of the runs that wait may go now, as far as their own quotas are concerned (see `tailrace.core.limits`)."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tailrace.core.errors import UnknownRun
from tailrace.core.limits import Member, Quota, Scope
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.statedir import StateDir

SPARE = 1000
"""runs whose rows are remembered besides those that wait or go"""


class Rows(NamedTuple):
    """What a run is counted by, and what must have room for it."""

    member: Member
    quotas: tuple[Quota, ...]


NOTHING = Rows(Member(None, None), ())


class Room:
    """What the runs of a state directory say, read once from each; all of it can be read again.

    A look is one pass through the queue: `begin` it, ask for each run, and tell which have been launched.
    """

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._rows: dict[str, Rows] = {}
        self._going: frozenset[str] = frozenset()
        self._counts: Counter[tuple[Scope, str | None]] | None = None

    def begin(self, going: Iterable[str], waiting: int) -> None:
        """Begin a look, while these runs go and so many wait."""
        self._going = frozenset(going)
        self._counts = None
        if len(self._rows) > len(self._going) + waiting + SPARE:
            self._rows = {run_id: self._rows[run_id] for run_id in self._going if run_id in self._rows}

    def has(self, run_id: str) -> bool:
        """Tell whether the run may go now; while this process has too many files open, none that has a quota may."""
        try:
            member, quotas = self._of(run_id)
            if not quotas:
                return True
            counts = self._counted()
        except OSError:
            return False
        places = dict(_places(member))
        return all(
            quota.running is None or counts[quota.scope, places[quota.scope]] < quota.running for quota in quotas
        )

    def take(self, run_id: str) -> None:
        """Count the run among those that go."""
        self._going |= {run_id}
        if self._counts is not None:
            self._counts.update(_places(self._of(run_id).member))

    def _counted(self) -> Counter[tuple[Scope, str | None]]:
        if self._counts is None:
            places = [place for each in self._going for place in _places(self._of(each).member)]
            self._counts = Counter(places)
        return self._counts

    def _of(self, run_id: str) -> Rows:
        """Return what the run says; of one that is not there, nothing, and that is not remembered.

        Raises:
            OSError: this process has too many files open.
        """
        if (known := self._rows.get(run_id)) is not None:
            return known
        try:
            rows = self._rows[run_id] = _read(self._state, run_id)
        except UnknownRun:
            return NOTHING
        return rows


def _places(member: Member) -> list[tuple[Scope, str | None]]:
    """Return in which scopes the run is counted, and as what."""
    return [(Scope.COMMAND, member.command), (Scope.USER, member.by), (Scope.ALL, None)]


def _read(state: StateDir, run_id: str) -> Rows:
    """Return what the run's spec says; nothing where that is damaged, so that it is launched, and told so.

    Raises:
        UnknownRun: it is not there.
        OSError: this process has too many files open.
    """
    with RunDir(state, run_id) as run:
        try:
            spec = run.spec()
        except Damaged:
            return NOTHING
    return Rows(Member(spec.command, spec.by), tuple(each for each in spec.quotas if each.running is not None))
