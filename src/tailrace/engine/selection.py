"""Which of the finished runs a query finds, newest first, out of the catalog's tables.

Theory of operation. One condition that has an index drives: its runs come in the order of their ids, and each is held
against the other conditions. So the first hits come at once, however many runs there are, and how many are looked at
in vain is for the caller to bound. Times are ranges of ids, which begin with the instant of their creation. Text is
looked for in a table of its own, which is small enough to be read through.
"""

import heapq
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tailrace.core import ids
from tailrace.core.errors import InvalidInput
from tailrace.core.outcome import KINDS
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.engine.base import Query

PAGE_LIMIT = 1000
Q_CHARS = 200
"""of what is looked for"""
TEXT_CHARS = 4000
"""of each run that are searched"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ABOVE_ALL = "~"


class _Condition(NamedTuple):
    """What must be true of a run's row in a table, with the values of the placeholders."""

    table: str
    sql: str
    values: tuple[str, ...] = ()

    def check(self, driver: str) -> str:
        """Return it as an expression about the row `d` of the table that drives."""
        if self.table == driver and driver != "labels":
            return f"({self.sql})"  # of labels a row has one, and another may be asked for
        return f"EXISTS (SELECT 1 FROM {self.table} AS c WHERE c.id = d.id AND {self.sql})"  # noqa: S608  # nosec B608 # of this file


def _of_kind(kind: str) -> _Condition:
    return _Condition("runs", "kind = ?", (kind,))


_ALL = _Condition("runs", "1")
_ALL_TEXTS = _Condition("texts", "1")
_OF_ALL_KINDS = tuple(map(_of_kind, KINDS))
"""the same runs as all; to count them out of an index takes a tenth of the time"""


class Plan(NamedTuple):
    """How a query is answered: all runs of each driver are looked at, and held against the checks."""

    drivers: tuple[_Condition, ...]
    checks: tuple[_Condition, ...]
    low: str
    """ids from here on"""
    high: str
    """ids below this"""

    def rows(self, catalog: sqlite3.Connection) -> Iterator[tuple[str, bool]]:
        """Yield the runs that are looked at, newest first, and of each whether the query finds it."""
        rows = [self._select(catalog, driver) for driver in self.drivers]
        return heapq.merge(*rows, key=lambda row: row[0], reverse=True)

    def total(self, catalog: sqlite3.Connection) -> int | None:
        """Return how many the query finds; None: that is not known without a look at each."""
        if self.checks and self.drivers:
            return None
        drivers = _OF_ALL_KINDS if self.drivers == (_ALL,) else self.drivers
        return sum(self._count(catalog, driver) for driver in drivers)

    def _select(self, catalog: sqlite3.Connection, driver: _Condition) -> Iterator[tuple[str, bool]]:
        found = " AND ".join(condition.check(driver.table) for condition in self.checks) or "1"
        values = [value for condition in self.checks for value in condition.values]
        sql = f"SELECT id, {found} FROM {self._where(driver)} ORDER BY id DESC"  # noqa: S608  # nosec B608 # its parts stand in this file
        for run_id, is_found in catalog.execute(sql, (*values, *driver.values, self.low, self.high)):
            yield run_id, bool(is_found)

    def _count(self, catalog: sqlite3.Connection, driver: _Condition) -> int:
        sql = f"SELECT count(*) FROM {self._where(driver)}"  # noqa: S608  # nosec B608 # as above
        return int(catalog.execute(sql, (*driver.values, self.low, self.high)).fetchone()[0])

    @staticmethod
    def _where(driver: _Condition) -> str:
        return f"{driver.table} AS d WHERE {driver.sql} AND id >= ? AND id < ?"


def plan(query: Query) -> Plan:
    """Return how the query is answered."""
    low, high = _bounds(query)
    conditions = [_Condition("labels", "name = ? AND value = ?", pair) for pair in query.labels.items()]
    for column, value in (("command", query.command), ("who", query.by)):
        if value is not None:
            conditions.append(_Condition("runs", f"{column} = ?", (value,)))
    drivers, checks = tuple(conditions[:1]), conditions[1:]
    kinds = _kinds(query)
    if kinds is not None and drivers:
        checks.append(_Condition("runs", f"kind IN ({', '.join('?' * len(kinds))})", kinds))
    if kinds is not None and (not drivers or not kinds):
        drivers = tuple(map(_of_kind, kinds))
    elif not drivers:
        drivers = (_ALL_TEXTS if query.q else _ALL,)
    if query.q:
        checks.append(_Condition("texts", "instr(text, ?)", (query.q.casefold(),)))
    return Plan(drivers, tuple(checks), low, high)


def text_of(info: RunInfo) -> str:
    """Return what is searched of a run, in one case."""
    labels = (f"{name}={value}" for name, value in info.labels.items())
    parts = (info.id, info.command or "", info.by or "", *labels, " ".join(info.argv))
    return "\n".join(parts)[:TEXT_CHARS].casefold()


def matches(info: RunInfo, query: Query) -> bool:
    """Tell whether the query finds the run."""
    found = {str(info.state)} if info.outcome is None else {str(info.state), str(info.outcome.__struct_config__.tag)}
    low, high = _bounds(query)
    return (
        low <= info.id < high
        and (not query.states or not found.isdisjoint(query.states))
        and (query.command is None or info.command == query.command)
        and (query.by is None or info.by == query.by)
        and all(info.labels.get(name) == value for name, value in query.labels.items())
        and (not query.q or query.q.casefold() in text_of(info))
    )


def check(query: Query) -> None:
    """See that the query makes sense.

    Raises:
        InvalidInput: it does not.
    """
    known = (*State, *KINDS)
    for state in (query.state,) if isinstance(query.state, str) else query.states:
        if state not in known:
            raise _bad(f"there is no state {state[:40]!r}", "state", f"one of: {', '.join(known)}")
    texts = (query.command, query.by, query.q, *query.labels, *query.labels.values())
    if not all(text.isprintable() for text in texts if text is not None):
        raise _bad("a name to look for is not printable", "query", "commands, labels and names are printable")
    if query.q is not None and len(query.q) > Q_CHARS:
        raise _bad("the text to look for is too long", "q", f"up to {Q_CHARS} characters")
    if not 0 < query.limit <= PAGE_LIMIT:
        raise _bad("the limit is out of range", "limit", f"1 to {PAGE_LIMIT}")
    if query.cursor is not None and not ids.is_id(query.cursor):
        raise _bad("the cursor is not one of ours", "cursor", "use the `next` of a page")
    _check_times(query)


def _check_times(query: Query) -> None:
    for name, at in (("since", query.since), ("until", query.until)):
        if at is not None and at.tzinfo is None:
            raise _bad(f"{name} has no time zone", name, "give a datetime with its zone, such as datetime.now(UTC)")
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise _bad("since is not before until", "since", "give an earlier one, or a later until")


def _kinds(query: Query) -> tuple[str, ...] | None:
    """Return the kinds of outcomes that are wanted; None: any."""
    states = query.states
    return None if not states or State.FINISHED in states else tuple(kind for kind in KINDS if kind in states)


def _bounds(query: Query) -> tuple[str, str]:
    """Return between which ids the runs are: from the first on, below the second."""
    low = "" if query.since is None else _first(query.since)
    highs = (query.cursor, None if query.until is None else _first(query.until))
    return low, min((high for high in highs if high is not None), default=_ABOVE_ALL)


def _first(at: datetime) -> str:
    return ids.first((at - _EPOCH) // _MICROSECOND)


def _bad(message: str, subject: str, hint: str) -> InvalidInput:
    return InvalidInput(message, op="list", subject=subject, hint=hint)
