"""Which runs a query finds."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from tailrace.core import ids
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.engine import selection
from tailrace.engine.base import Query

KINDS = ("exited", "lost", "stopped")
NAMES = ("build", "test", None)
RUNS = [
    (ids.make(n, bytes(10)), NAMES[n % 3], "ann" if n % 2 else "bob", KINDS[n % 3 if n % 5 else 1]) for n in range(60)
]
NONE_LIKE_IT = Query(q="nothing like it")


@pytest.fixture
def catalog() -> Iterator[sqlite3.Connection]:
    """Give tables with a few runs."""
    with closing(sqlite3.connect(":memory:")) as made:
        made.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, command TEXT, who TEXT, kind TEXT)")
        made.execute("CREATE TABLE labels (name TEXT, value TEXT, id TEXT)")
        made.execute("CREATE TABLE texts (id TEXT PRIMARY KEY, text TEXT)")
        made.executemany("INSERT INTO runs VALUES (?, ?, ?, ?)", RUNS)
        made.executemany("INSERT INTO labels VALUES ('n', ?, ?)", [(str(n % 4), run[0]) for n, run in enumerate(RUNS)])
        made.executemany("INSERT INTO labels VALUES ('m', ?, ?)", [(str(n % 3), run[0]) for n, run in enumerate(RUNS)])
        made.executemany("INSERT INTO texts VALUES (?, ?)", [(run[0], f"make t{n}.") for n, run in enumerate(RUNS)])
        yield made


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (Query(), lambda _n: True),
        (Query(command="build"), lambda n: n % 3 == 0),
        (Query(by="ann"), lambda n: n % 2 == 1),
        (Query(by="ann", command="test"), lambda n: n % 2 == 1 and n % 3 == 1),
        (Query(state="lost"), lambda n: RUNS[n][3] == "lost"),
        (Query(state=("lost", "stopped")), lambda n: RUNS[n][3] != "exited"),
        (Query(state=("running", "lost")), lambda n: RUNS[n][3] == "lost"),
        (Query(state=("finished", "lost")), lambda _n: True),
        (Query(state="running"), lambda _n: False),
        (Query(state="running", by="ann"), lambda _n: False),
        (Query(state=("lost", "exited"), by="ann"), lambda n: n % 2 == 1 and RUNS[n][3] in ("lost", "exited")),
        (Query(labels={"n": "3"}), lambda n: n % 4 == 3),
        (Query(labels={"n": "3", "m": "1"}), lambda n: n % 12 == 7),
        (Query(labels={"n": "3"}, command="test", state="lost"), lambda n: n % 12 == 7 and RUNS[n][3] == "lost"),
        (Query(q="T7."), lambda n: n == 7),
        (Query(q="t1", by="ann"), lambda n: n in (1, *range(11, 20, 2))),
        (Query(q="t1", state="lost"), lambda n: n in (1, *range(10, 20)) and RUNS[n][3] == "lost"),
        (Query(q="t1", state="running"), lambda _n: False),
        (Query(since=datetime.fromtimestamp(40 / 1e6, UTC)), lambda n: n >= 40),
        (Query(until=datetime.fromtimestamp(40 / 1e6, UTC), by="ann"), lambda n: n < 40 and n % 2 == 1),
        (Query(cursor=RUNS[9][0], q="make"), lambda n: n < 9),
        (NONE_LIKE_IT, lambda _n: False),
    ],
    ids=lambda value: repr(value) if isinstance(value, Query) else None,
)
def test_a_plan_finds_what_is_asked_for(
    catalog: sqlite3.Connection, query: Query, wanted: Callable[[int], bool]
) -> None:
    """Newest first, each once; and its total, if it has one, is how many there are."""
    plan = selection.plan(query)
    looked_at = list(plan.rows(catalog))
    found = [run_id for run_id, is_found in looked_at if is_found]
    assert found == [RUNS[n][0] for n in reversed(range(60)) if wanted(n)]
    assert [run_id for run_id, _ in looked_at] == sorted({run_id for run_id, _ in looked_at}, reverse=True)
    assert plan.total(catalog) in (None, len(found))


@pytest.mark.parametrize(
    ("query", "is_known"),
    [
        (Query(), True),
        (Query(command="build"), True),
        (Query(state=("lost", "stopped")), True),
        (Query(state="running", q="x"), True),
        (Query(command="build", by="ann"), False),
        (Query(q="x"), False),
    ],
    ids=repr,
)
def test_a_total_is_known_of_one_condition(catalog: sqlite3.Connection, query: Query, *, is_known: bool) -> None:
    """What an index counts is told, what would have to be looked at one by one is not."""
    assert (selection.plan(query).total(catalog) is not None) is is_known


def test_a_search_looks_at_every_run_it_may(catalog: sqlite3.Connection) -> None:
    """So whoever takes its rows knows how many were looked at in vain."""
    assert len(list(selection.plan(NONE_LIKE_IT).rows(catalog))) == 60


def test_the_text_of_a_run_is_bounded() -> None:
    """Arguments of any length make no row of any length."""
    info = RunInfo(
        id="0" * 27, command="c", argv=("x" * 10_000,), state=State.RUNNING, outcome=None, created=None, by="Ann"
    )
    text = selection.text_of(info)
    assert len(text) == selection.TEXT_CHARS
    assert text.startswith(f"{'0' * 27}\nc\nann\nxxx")
