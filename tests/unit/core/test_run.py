"""A run as everybody sees it."""

from datetime import UTC, datetime

import msgspec
import pytest

from tailrace.core.outcome import Exited
from tailrace.core.result import Child, LadderStep, Result, Usage
from tailrace.core.run import Live, ProcessId, RunInfo, finished, going, queued, with_last_output
from tailrace.core.spec import Anchor, Spec, Stdio
from tailrace.core.states import State

T0, T1, T2 = (datetime(2026, 11, 22, 10, 42, second, 250_000, tzinfo=UTC) for second in (7, 8, 9))
SPEC = Spec(
    id="0" * 27,
    argv=("make",),
    cwd="/srv",
    created=T0,
    anchor=Anchor(1, 2, "boot"),
    command="build",
    labels={"branch": "main"},
    key="main",
    by="ann",
)
ASKED = {
    "id": "0" * 27,
    "argv": ["make"],
    "cwd": "/srv",
    "created": "2026-11-22T10:42:07.250000Z",
    "command": "build",
    "labels": {"branch": "main"},
    "key": "main",
    "by": "ann",
}
KEEPER = ProcessId("boot", 100, 7)
STEP = LadderStep("INT", T1, 3)
CHILD = Child(9, "sleep 100")


def shown(info: RunInfo) -> dict[str, object]:
    """Return the object as a client reads it, without the fields that say nothing."""
    fields = msgspec.json.decode(msgspec.json.encode(info), type=dict[str, object])
    return {name: value for name, value in fields.items() if value not in (None, 0, "", [], {})}


def test_a_queued_run_has_its_place() -> None:
    """And all that was asked."""
    assert shown(queued(SPEC, place=3)) == ASKED | {"state": "queued", "queue_place": 3}


def test_a_going_run_has_what_its_keeper_says() -> None:
    """Its state, its start, what holds it up, and the size of the output so far."""
    live = Live(state=State.STOPPING, keeper=KEEPER, started=T1, held="disk full", hint="h", ladder=(STEP,), dropped=4)
    live = msgspec.structs.replace(live, stopped_by="bob")
    assert shown(going(SPEC, live, 1000)) == ASKED | {
        "state": "stopping",
        "started": "2026-11-22T10:42:08.250000Z",
        "held": "disk full",
        "hint": "h",
        "size": 1000,
        "dropped": 4,
        "stopped_by": "bob",
        "ladder": [{"signal": "INT", "time": "2026-11-22T10:42:08.250000Z", "processes": 3}],
    }


def test_a_terminal_has_the_size_that_it_was_given_last() -> None:
    """While the run goes, and when it is over; before that the size that was asked for. Pipes have none."""
    spec = msgspec.structs.replace(SPEC, stdio=Stdio.PTY, rows=30, columns=90)
    live = Live(state=State.RUNNING, keeper=KEEPER, started=T1)
    resized = msgspec.structs.replace(live, rows=50, columns=132)
    result = Result(outcome=Exited(0), ended=T2)
    told = [
        queued(spec, place=1),
        going(spec, live, 0),
        going(spec, resized, 0),
        finished(spec, result),
        finished(spec, msgspec.structs.replace(result, rows=50, columns=132)),
        going(SPEC, live, 0),
    ]
    sizes = [(info.rows, info.columns) for info in told]
    assert sizes == [(30, 90), (30, 90), (50, 132), (30, 90), (50, 132), (None, None)]


def test_what_is_known_only_while_it_goes_is_left_out_later() -> None:
    """The memory and the number of processes of a run that has ended are no numbers."""
    assert msgspec.json.encode(Usage(0.5, 0.25, 4096)) == b'{"cpu_user_s":0.5,"cpu_system_s":0.25,"max_rss_bytes":4096}'
    assert b'"rss_bytes":10,"processes":2' in msgspec.json.encode(Usage(0.5, 0.25, 4096, rss_bytes=10, processes=2))


def test_the_last_output_stands_where_it_is_known() -> None:
    """A run without any has none."""
    info = going(SPEC, Live(state=State.RUNNING, keeper=KEEPER, started=T1), 0)
    assert with_last_output(info, None) is info
    assert with_last_output(info, T2).last_output == T2


def test_a_finished_run_has_its_result() -> None:
    """And a pinned one says so."""
    result = Result(
        outcome=Exited(2),
        started=T1,
        ended=T2,
        duration_s=1.0,
        wait_status=512,
        size=10,
        dropped=5,
        usage=Usage(0.5, 0.25, 4096),
        lingering=(CHILD,),
    )
    info = finished(SPEC, result, pinned=True)
    assert info.is_finished
    assert result.total == 15
    assert shown(info) == ASKED | {
        "state": "finished",
        "outcome": {"kind": "exited", "code": 2},
        "started": "2026-11-22T10:42:08.250000Z",
        "ended": "2026-11-22T10:42:09.250000Z",
        "duration_s": 1.0,
        "wait_status": 512,
        "size": 10,
        "dropped": 5,
        "usage": {"cpu_user_s": 0.5, "cpu_system_s": 0.25, "max_rss_bytes": 4096},
        "lingering": [{"pid": 9, "argv": "sleep 100"}],
        "pinned": True,
    }


@pytest.mark.parametrize("state", [state for state in State if state is not State.FINISHED])
def test_only_finished_is_finished(state: State) -> None:
    """More may come in any other state."""
    assert not going(SPEC, Live(state=state, keeper=KEEPER), 0).is_finished


def test_a_live_file_comes_back() -> None:
    """What a keeper writes, a reader reads, and nothing is written that says nothing."""
    live = Live(
        state=State.RUNNING, keeper=KEEPER, command=ProcessId("boot", 101, 8), sessions=((8, 7),), pipes=(4711,)
    )
    raw = msgspec.json.encode(live)
    assert msgspec.json.decode(raw, type=Live) == live
    assert b"held" not in raw
