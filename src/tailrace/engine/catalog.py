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
from tailrace.core.errors import EngineError, InvalidInput, UnknownRun
from tailrace.core.outcome import KINDS
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.engine.base import Page, Pruned, Query, Retention
from tailrace.engine.glance import glance
from tailrace.host import rundir, settings
from tailrace.host.rundir import RunDir
from tailrace.host.statedir import StateDir, names_in

RUNS = msgspec.json.Decoder(RunInfo)
PAGE_LIMIT = 1000
STALE_S = 3600.0
"""after which the rest of a run that was never whole is removed"""
LAST_STEPS_S = 1.0
"""in all, that a prune waits for keepers in their last steps; it then takes them for ones that drain"""
_LONGEST_PATH = 480
"""SQLite takes no path of more than 512 bytes"""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, command TEXT, kind TEXT NOT NULL, size INTEGER NOT NULL, ended REAL NOT NULL, info BLOB NOT
    NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_command ON runs (command, id);
CREATE INDEX IF NOT EXISTS by_kind ON runs (kind, id);
CREATE TABLE IF NOT EXISTS labels (name TEXT, value TEXT, id TEXT, PRIMARY KEY (name, value, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS complete (version INTEGER PRIMARY KEY);
"""
_VERSION = 1


def page(state: StateDir, query: Query, live: Iterable[RunInfo]) -> Page:
    """Return one page of runs, newest first: the unfinished ones given, and the finished ones from the catalog.

    Raises:
        InvalidInput: a cursor, state or limit that makes no sense.
    """
    _check(query)
    found = {info.id: info for info in live if _matches(info, query)}
    with _opened(state) as catalog:
        for info in _finished(catalog, state, query):
            found.setdefault(info.id, info)
    ordered = sorted(found.values(), key=lambda info: info.id, reverse=True)
    runs = tuple(ordered[: query.limit])
    return Page(runs, runs[-1].id if len(ordered) > query.limit else None)


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
        if catalog.execute("SELECT count(*) FROM sqlite_master WHERE name = 'complete'").fetchone()[0] == 0:
            catalog.executescript(_SCHEMA)
    except sqlite3.Error:
        catalog.close()
        raise
    return catalog


def _bring_up_to_date(catalog: sqlite3.Connection, state: StateDir) -> None:
    if catalog.execute("SELECT 1 FROM complete WHERE version = ?", (_VERSION,)).fetchone() is None:
        catalog.execute("BEGIN IMMEDIATE")
        if catalog.execute("SELECT 1 FROM complete WHERE version = ?", (_VERSION,)).fetchone() is None:
            _insert(catalog, state, filter(ids.is_id, names_in(state.runs_fd)))
            catalog.execute("INSERT INTO complete VALUES (?)", (_VERSION,))
        catalog.execute("COMMIT")
    _take_in(catalog, state)


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
        kind = msgspec.structs.replace(info, argv=info.argv[:64])
        catalog.execute(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)",
            (
                run_id,
                info.command,
                info.outcome.__struct_config__.tag,
                info.size,
                info.ended.timestamp(),
                msgspec.json.encode(kind),
            ),
        )
        rows = [(name, value, run_id) for name, value in info.labels.items()]
        catalog.executemany("INSERT OR REPLACE INTO labels VALUES (?, ?, ?)", rows)


def _finished(catalog: sqlite3.Connection, state: StateDir, query: Query) -> Iterator[RunInfo]:
    """Yield the finished runs of the page, and one more if there is one."""
    if query.state in set(State) - {State.FINISHED}:
        return
    sql, values = _select(query)
    left = query.limit + 1
    gone = []
    for run_id, info in catalog.execute(sql, values):
        try:
            with RunDir(state, run_id) as run:
                is_pinned = run.has("pinned")
        except UnknownRun:
            gone.append(run_id)
            continue
        decoded = RUNS.decode(info)
        yield msgspec.structs.replace(decoded, pinned=is_pinned)
        left -= 1
        if left == 0:
            break
    for run_id in gone:
        _forget(catalog, run_id)


def _select(query: Query) -> tuple[str, list[str]]:
    conditions: list[str] = []
    values: list[str] = []
    for name, value in query.labels.items():
        conditions.append("id IN (SELECT id FROM labels WHERE name = ? AND value = ?)")
        values += [name, value]
    kind = None if query.state in set(State) else query.state
    for column, wanted in (("command", query.command), ("kind", kind)):
        if wanted is not None:
            conditions.append(f"{column} = ?")
            values.append(wanted)
    if query.cursor is not None:
        conditions.append("id < ?")
        values.append(query.cursor)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT id, info FROM runs{where} ORDER BY id DESC", values  # noqa: S608 (its parts stand above)


def _matches(info: RunInfo, query: Query) -> bool:
    kinds = {str(info.state)} if info.outcome is None else {str(info.state), str(info.outcome.__struct_config__.tag)}
    return (
        (query.cursor is None or info.id < query.cursor)
        and (query.state is None or query.state in kinds)
        and (query.command is None or info.command == query.command)
        and all(info.labels.get(name) == value for name, value in query.labels.items())
    )


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


def _check(query: Query) -> None:
    known = (*State, *KINDS)
    if query.state is not None and query.state not in known:
        raise InvalidInput(
            f"there is no state {query.state!r}", op="list", subject="state", hint=f"one of: {', '.join(known)}"
        )
    for text in (query.command or "", *query.labels, *query.labels.values()):
        if not text.isprintable():
            raise InvalidInput(
                "a name to look for is not printable",
                op="list",
                subject="query",
                hint="commands and labels are printable",
            )
    if not 0 < query.limit <= PAGE_LIMIT:
        raise InvalidInput("the limit is out of range", op="list", subject="limit", hint=f"1 to {PAGE_LIMIT}")
    if query.cursor is not None and not ids.is_id(query.cursor):
        raise InvalidInput(
            "the cursor is not one of ours", op="list", subject="cursor", hint="use the `next` of a page"
        )


def _broken(state: StateDir, error: sqlite3.Error) -> EngineError:
    return EngineError(
        f"the catalog of {state.path} cannot be used: {error}",
        op="list",
        subject=state.path,
        hint="see that the disk has room; catalog.db may be deleted, it is made anew",
    )
