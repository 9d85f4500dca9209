"""The catalog: an index of the finished runs, so that listing and pruning never scan them.

The truth is the directories; the catalog may be deleted at any time and is then made anew. Whoever ends a run appends
its id to `STATE/ended`; whoever lists takes those in first. What is not finished is never in the catalog: it is read
from `active/`, live.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

import msgspec

from tailrace.core import ids
from tailrace.core.errors import EngineError, UnknownRun
from tailrace.core.run import RunInfo
from tailrace.engine import selection
from tailrace.engine.base import Page, Pruned, Query, Retention
from tailrace.engine.glance import glance
from tailrace.engine.selection import Plan
from tailrace.host import rundir, settings
from tailrace.host.rundir import RunDir
from tailrace.host.statedir import StateDir, names_in

RUNS = msgspec.json.Decoder(RunInfo)
STALE_S = 3600.0
"""after which the rest of a run that was never whole is removed"""
LAST_STEPS_S = 1.0
"""in all, that a prune waits for keepers in their last steps; it then takes them for ones that drain"""
_LONGEST_PATH = 480
"""SQLite takes no path of more than 512 bytes"""
_LOOKED_AT = 20_000
"""runs that one page looks at, at most, without finding them"""
_TABLES = ("runs", "labels", "texts", "complete")
_SCHEMA = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, command TEXT, who TEXT, kind TEXT NOT NULL, size INTEGER NOT NULL, ended REAL NOT NULL,
        info BLOB NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX by_command ON runs (command, id)",
    "CREATE INDEX by_who ON runs (who, id)",
    "CREATE INDEX by_kind ON runs (kind, id)",
    "CREATE TABLE labels (name TEXT, value TEXT, id TEXT, PRIMARY KEY (name, value, id)) WITHOUT ROWID",
    "CREATE TABLE texts (id TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
)
_VERSION = 2
"""stands in the database as its `user_version` when all runs are in it; one of another version is made anew"""


def page(state: StateDir, query: Query, live: Iterable[RunInfo]) -> Page:
    """Return one page of runs, newest first: the unfinished ones given, and the finished ones from the catalog.

    Raises:
        InvalidInput: a cursor, state or limit that makes no sense.
    """
    selection.check(query)
    plan = selection.plan(query)
    found = {info.id: info for info in live if selection.matches(info, query)}
    with _opened(state) as catalog:
        is_counted = query.total and query.cursor is None
        finished = plan.total(catalog) if is_counted else None
        total = None if finished is None else finished + sum(not _has(catalog, run_id) for run_id in found)
        search = _Search(catalog, state, plan)
        for info in search.found(query.limit + 1):
            found.setdefault(info.id, info)
    ordered = sorted((info for info in found.values() if info.id >= search.end), key=lambda info: info.id, reverse=True)
    runs = tuple(ordered[: query.limit])
    following = runs[-1].id if len(ordered) > query.limit else search.end or None
    return Page(runs, following, len(runs) if is_counted and following is None else total)


def _has(catalog: sqlite3.Connection, run_id: str) -> bool:
    """Tell whether the run is among the finished ones: it may have ended since it was looked at."""
    return catalog.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is not None


def prune(state: StateDir, retention: Retention) -> Pruned:
    """Remove finished runs that exceed the retention, oldest first; neither live nor pinned ones."""
    removed, size_bytes = 0, 0
    with _opened(state) as catalog:
        for run_id, size in _excess(catalog, state, retention):
            if _remove(state, run_id):
                removed, size_bytes = removed + 1, size_bytes + size
            _forget(catalog, run_id)
    _remove_stale(state)
    return Pruned(removed, size_bytes)


def tidy(path: str) -> None:
    """Prune a state directory by its runner's settings; what the runner has done now and then, in a process of its own.

    Raises:
        EngineError: the directory cannot be used.
    """
    state = StateDir(path, create=False)
    known = settings.load(state)
    prune(state, Retention(age_s=known.keep_age_s, count=known.keep_count, size_bytes=known.keep_bytes))


def reindex(state: StateDir) -> int:
    """Make the catalog anew from the directories; return how many finished runs it holds."""
    for name in ("catalog.db", "catalog.db-wal", "catalog.db-shm"):
        try:
            os.unlink(name, dir_fd=state.fd)
        except FileNotFoundError:
            continue
    with _opened(state) as catalog:
        return int(catalog.execute("SELECT count(*) FROM runs").fetchone()[0])


@contextmanager
def _opened(state: StateDir) -> Iterator[sqlite3.Connection]:
    """Open the catalog, up to date; a broken one is made anew."""
    for attempt in range(2):
        try:
            catalog = _connect(state)
            with closing(catalog):
                _bring_up_to_date(catalog, state)
                yield catalog
                return
        except sqlite3.DatabaseError as error:
            if attempt or isinstance(error, sqlite3.OperationalError):
                raise _broken(state, error) from None
            os.unlink("catalog.db", dir_fd=state.fd)


def _connect(state: StateDir) -> sqlite3.Connection:
    path = os.path.join(state.path, "catalog.db")
    catalog = sqlite3.connect(path if len(path) < _LONGEST_PATH else ":memory:", timeout=20, isolation_level=None)
    try:
        catalog.execute("PRAGMA journal_mode = WAL")
        catalog.execute("PRAGMA synchronous = OFF")
    except sqlite3.Error:
        catalog.close()
        raise
    return catalog


def _bring_up_to_date(catalog: sqlite3.Connection, state: StateDir) -> None:
    if not _is_complete(catalog):
        catalog.execute("BEGIN IMMEDIATE")
        if not _is_complete(catalog):
            _fill(catalog, state)
        catalog.execute("COMMIT")
    _take_in(catalog, state)


def _is_complete(catalog: sqlite3.Connection) -> bool:
    return int(catalog.execute("PRAGMA user_version").fetchone()[0]) == _VERSION


def _fill(catalog: sqlite3.Connection, state: StateDir) -> None:
    """Make the tables anew, with all finished runs that there are."""
    for table in _TABLES:
        catalog.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in _SCHEMA:
        catalog.execute(statement)
    _insert(catalog, state, filter(ids.is_id, names_in(state.runs_fd)))
    catalog.execute(f"PRAGMA user_version = {_VERSION}")


def _take_in(catalog: sqlite3.Connection, state: StateDir) -> None:
    """Take in the ids that were noted as ended, then empty the note."""
    try:
        fd = os.open("ended", os.O_RDWR | os.O_CLOEXEC, dir_fd=state.fd)
    except FileNotFoundError:
        return
    try:
        if os.fstat(fd).st_size == 0:
            return
        fcntl.flock(fd, fcntl.LOCK_EX)
        noted = os.pread(fd, os.fstat(fd).st_size, 0).decode("ascii", "replace").split()
        catalog.execute("BEGIN IMMEDIATE")
        _insert(catalog, state, filter(ids.is_id, noted))
        catalog.execute("COMMIT")
        if catalog.execute("PRAGMA database_list").fetchone()[2]:
            os.ftruncate(fd, 0)
    finally:
        os.close(fd)


def _insert(catalog: sqlite3.Connection, state: StateDir, run_ids: Iterable[str]) -> None:
    for run_id in run_ids:
        try:
            with RunDir(state, run_id) as run:
                info = glance(run)
        except UnknownRun:
            continue
        if info.outcome is None or info.ended is None:
            continue
        row = (
            run_id,
            info.command,
            info.by,
            info.outcome.__struct_config__.tag,
            info.size,
            info.ended.timestamp(),
            msgspec.json.encode(msgspec.structs.replace(info, argv=info.argv[:64])),
        )
        catalog.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        labels = [(name, value, run_id) for name, value in info.labels.items()]
        catalog.executemany("INSERT OR REPLACE INTO labels VALUES (?, ?, ?)", labels)
        catalog.execute("INSERT OR REPLACE INTO texts VALUES (?, ?)", (run_id, selection.text_of(info)))


class _Search:
    """Finds finished runs by a plan, until it has enough or has looked at as many as one page may.

    Args:
        catalog: is up to date.
        state: where they are; those that are gone are forgotten.
        plan: which of them.
    """

    def __init__(self, catalog: sqlite3.Connection, state: StateDir, plan: Plan) -> None:
        self.end = ""
        """the last run that was looked at, where there may be more; empty: there are not, or enough was found"""
        self._catalog = catalog
        self._state = state
        self._plan = plan

    def found(self, count: int) -> Iterator[RunInfo]:
        """Yield at most so many."""
        gone: list[str] = []
        left, vain = count, _LOOKED_AT
        for run_id, is_found in self._plan.rows(self._catalog):
            info = self._info(run_id) if is_found else None
            if info is not None:
                yield info
                left -= 1
            elif is_found:
                gone.append(run_id)
            else:
                vain -= 1
            if not left:
                break
            if not vain:
                self.end = run_id
                break
        for run_id in gone:
            _forget(self._catalog, run_id)

    def _info(self, run_id: str) -> RunInfo | None:
        """Return the run; None if it is gone."""
        try:
            with RunDir(self._state, run_id) as run:
                is_pinned = run.has("pinned")
        except UnknownRun:
            return None
        row = self._catalog.execute("SELECT info FROM runs WHERE id = ?", (run_id,)).fetchone()
        return None if row is None else msgspec.structs.replace(RUNS.decode(row[0]), pinned=is_pinned)


def _excess(catalog: sqlite3.Connection, state: StateDir, retention: Retention) -> list[tuple[str, int]]:
    """Return (id, size) of what is to go, oldest first."""
    oldest = None if retention.age_s is None else time.time() - retention.age_s
    kept, kept_bytes, excess = 0, 0, []
    patience_end = time.monotonic() + LAST_STEPS_S
    for run_id, size, ended in catalog.execute("SELECT id, size, ended FROM runs ORDER BY id DESC"):
        if _is_protected(state, run_id, patience_end):
            continue
        is_excess = (
            (oldest is not None and ended < oldest)
            or (retention.count is not None and kept >= retention.count)
            or (retention.size_bytes is not None and kept_bytes + size > retention.size_bytes)
        )
        if is_excess:
            excess.append((run_id, size))
        else:
            kept, kept_bytes = kept + 1, kept_bytes + size
    return excess[::-1]


def _is_protected(state: StateDir, run_id: str, patience_end: float) -> bool:
    """Tell whether the run is pinned, or a keeper still drains what its children print.

    A keeper that has just written the result is about to go: whoever waited for the run may expect it to be prunable.
    """
    try:
        with RunDir(state, run_id) as run:
            if run.has("pinned"):
                return True
            while (is_kept := run.is_kept()) and time.monotonic() < patience_end:
                time.sleep(0.002)
            return is_kept
    except UnknownRun:
        return False


def _remove(state: StateDir, run_id: str) -> bool:
    gone = f".gone-{run_id}"
    try:
        os.rename(run_id, gone, src_dir_fd=state.runs_fd, dst_dir_fd=state.runs_fd)
    except FileNotFoundError:
        return False
    rundir.remove_tree(gone, dir_fd=state.runs_fd)
    return True


def _forget(catalog: sqlite3.Connection, run_id: str) -> None:
    catalog.execute("DELETE FROM labels WHERE id = ?", (run_id,))
    catalog.execute("DELETE FROM texts WHERE id = ?", (run_id,))
    catalog.execute("DELETE FROM runs WHERE id = ?", (run_id,))


def _remove_stale(state: StateDir) -> None:
    """Remove what makers and prunes that died in the middle left behind."""
    for name in names_in(state.runs_fd):
        if not name.startswith("."):
            continue
        try:
            age = time.time() - os.stat(name, dir_fd=state.runs_fd).st_mtime
        except FileNotFoundError:
            continue
        if age > STALE_S:
            rundir.remove_tree(name, dir_fd=state.runs_fd)


def _broken(state: StateDir, error: sqlite3.Error) -> EngineError:
    return EngineError(
        f"the catalog of {state.path} cannot be used: {error}",
        op="list",
        subject=state.path,
        hint="see that the disk has room; catalog.db may be deleted, it is made anew",
    )
