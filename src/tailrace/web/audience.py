"""Who watches, and how many may: of a run, a command, a user, from an address, and in all.

Runs and addresses are counted by each process for itself. What a file limits by `max_viewers` (in all, of a user, of a
command) is counted by all processes of a state directory together (`tailrace.host.headcount`): each first takes the
place, and gives it back if that was one too many. So there are never more than may be; of two who come in the same
instant for the last place, both may be told to come again.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from tailrace.core.command import Commands
from tailrace.core.limits import viewers_reached
from tailrace.engine.base import Engine
from tailrace.engine.disk import DiskEngine
from tailrace.host import real
from tailrace.host.headcount import Headcount
from tailrace.web.problems import response_to
from tailrace.web.responses import Response, Visitor

PER_RUN: Final = "max_viewers_per_run"


class Bounds(NamedTuple):
    """How many viewers a process lets in by its own count; 0: any number."""

    per_run: int = 0
    per_address: int = 0


class _Row(NamedTuple):
    """A name under which a visitor counts, and how many may."""

    name: str
    limit: str
    """as the file calls it"""
    most: int | None
    whose: str
    hint: str
    is_shared: bool = True
    """whether other processes count with us"""

    def refusal(self) -> Response:
        """Return the answer to one viewer too many."""
        return response_to(viewers_reached(self.limit, self.most or 0, self.whose, self.hint))


class Audience:
    """One process's. From any thread.

    Args:
        engine: returns where the runs are; processes that share its state directory count together.
        bounds: what this process counts by itself.
    """

    def __init__(self, engine: Callable[[], Engine], bounds: Bounds | None = None) -> None:
        self._engine = engine
        self._bounds = bounds or Bounds()
        self._guard = real.make_lock()
        self._numbers: Counter[str] = Counter()
        self._told: set[str] = set()
        """the names of which other processes know our number"""
        self._headcount: Headcount | None = None

    def refusal(self, visitor: Visitor, commands: Commands) -> Response | None:
        """Return the answer to one more viewer, to be asked before a run is started for him; None: there is room."""
        with self._guard:
            for row in self._rows(visitor, commands):
                if row.most is not None and self._numbers[row.name] + self._others(row) >= row.most:
                    return row.refusal()
        return None

    def enter(self, visitor: Visitor, commands: Commands, *, has_begun: bool) -> Callable[[], None] | Response:
        """Let a viewer in: return what is to be called once when he leaves; or the refusal.

        Args:
            visitor: who he is, and what he is to see.
            commands: what is declared, with its limits.
            has_begun: there was room when he asked, and a run has been started for him since: then only the run's own
                limit can refuse him now, since he would try again, and start another.
        """
        taken: list[str] = []
        with self._guard:
            for row in self._rows(visitor, commands):
                taken.append(sys.intern(row.name))  # a viewer may stay for days: what all have in common is kept once
                if self._takes(row) and not (has_begun and row.limit != PER_RUN):
                    self._give_back(taken)
                    return row.refusal()
        return partial(self._leave, tuple(taken))

    def _takes(self, row: _Row) -> bool:
        """Count one more; tell whether that is one too many."""
        self._numbers[row.name] += 1
        if row.most is None:
            return False
        return self._tell(row) + self._others(row) > row.most

    def _tell(self, row: _Row) -> int:
        """Return our own number, and have other processes know it."""
        number = self._numbers[row.name]
        if row.is_shared and (headcount := self._shared()) is not None:
            headcount.put(row.name, number)
            self._told.add(row.name)
        return number

    def _others(self, row: _Row) -> int:
        headcount = self._shared() if row.is_shared else None
        return 0 if headcount is None else headcount.others(row.name)

    def _shared(self) -> Headcount | None:
        """Return what processes count together by; None: these runs are on another machine."""
        if self._headcount is None and isinstance(engine := self._engine(), DiskEngine):
            self._headcount = Headcount(engine.state)
        return self._headcount

    def _leave(self, names: Sequence[str]) -> None:
        with self._guard:
            self._give_back(names)

    def _give_back(self, names: Sequence[str]) -> None:
        for name in names:
            self._numbers[name] -= 1
            if self._headcount is not None and name in self._told:
                self._headcount.put(name, self._numbers[name])
            if self._numbers[name] <= 0:
                del self._numbers[name]
                self._told.discard(name)

    def _rows(self, visitor: Visitor, commands: Commands) -> Iterator[_Row]:
        """Yield by what the visitor is counted.

        Where no address is known, as behind a Unix socket whose proxy does not say it, nobody is counted by it: all
        would be taken for one.
        """
        per_run, per_address = self._bounds
        limits = commands.limits
        if visitor.address:
            most, hint = per_address or None, "close some of them"
            name = f"address {visitor.address}"
            yield _Row(name, "max_viewers_per_address", most, "from this address", hint, is_shared=False)
        mine = f"of {visitor.user}" if visitor.user else "of those who have no name"
        yield _Row(f"user {visitor.user or ''}", "max_viewers", limits.user.max_viewers, mine, "close some of them")
        for command in visitor.commands:
            most = commands[command].max_viewers if command in commands else None
            yield _Row(f"command {command}", "max_viewers", most, f"of {command}", "wait until some have left")
        yield _Row("all", "max_viewers", limits.max_viewers, "of all here", "wait until some have left")
        for run_id in visitor.run_ids:
            whose, hint = f"of run {run_id}", "wait until some have left"
            yield _Row(f"run {run_id}", PER_RUN, per_run or None, whose, hint, is_shared=False)
