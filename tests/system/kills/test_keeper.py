"""A killed keeper: its run is `lost`, truthfully, whoever looks first; and an ending killed anywhere has one result."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.core.outcome import Exited, Lost
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import fault
from tests.support.wait import wait_for
from tests.system.engine.processes import left_of, seen
from tests.system.kills.conftest import forker_pid, keeper_pid, kill, runner_pid

TREE = """
import os, signal, sys
def stay(clean=False, session=False):
    if os.fork():
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if session:
        os.setsid()
    os.write(1, b"%d\\n" % os.getpid())
    if clean:
        os.execve(sys.executable, ["sudo", "-I", "-S", "-c", "import signal\\nwhile True: signal.pause()"], {})
    while True:
        signal.pause()
stay(); stay(session=True); stay(clean=True); stay(clean=True, session=True)
os.write(1, b"%d\\n" % os.getpid())
signal.pause()
"""


def _output(run: Run) -> bytes:
    return b"".join(chunk.data for chunk in run.follow())


@pytest.mark.parametrize("looker", ["runner", "viewer", "get", "list"])
def test_a_killed_keeper_is_lost_and_its_tree_is_gone(engine: DiskEngine, state_dir: Path, looker: str) -> None:
    """Children that ignore signals, left the session, or cleaned their environment as sudo does: all gone."""
    run = engine.start([sys.executable, "-c", TREE])
    wait_for(lambda: _output_now(run).count(b"\n") == 5)
    known = [seen(int(pid)) for pid in _output_now(run).split()]
    written = _output_now(run)
    if looker != "runner":
        kill(forker_pid(state_dir))
        wait_for(lambda: not engine.state.has_runner())
    kill(keeper_pid(engine, run.id))
    match looker:
        case "runner":
            wait_for((state_dir / "runs" / run.id / "result.json").exists)
        case "viewer":
            assert _output(run) == written
        case "list":
            from tailrace.engine.base import Query

            wait_for(lambda: engine.list(Query()).runs[0].is_finished)
        case _:
            wait_for(lambda: run.info().is_finished)
    assert run.info().outcome == Lost("its keeper died")
    assert _output(run) == written
    wait_for(lambda: left_of(run.id, known) == [])


def _output_now(run: Run) -> bytes:
    from contextlib import closing

    with closing(run.engine.cursor(run.id)) as cursor:
        data = b""
        while isinstance(chunks := cursor.look(), list):
            data += b"".join(chunk.data for chunk in chunks)
        return data


def test_a_viewer_learns_of_a_dead_keeper_while_nothing_else_lives(engine: DiskEngine, state_dir: Path) -> None:
    """The viewer waits for a silent command, the runner is gone, the keeper is killed: the stream ends as lost."""
    run = engine.start(["sleep", "1000"])
    keeper = wait_for(lambda: keeper_pid(engine, run.id) if run.info().state == "running" else 0)
    code = "import sys, tailrace; print(tailrace.Run(tailrace.connect(sys.argv[1]), sys.argv[2]).wait().outcome)"
    viewer = subprocess.Popen([sys.executable, "-c", code, str(state_dir), run.id], stdout=subprocess.PIPE)
    kill(forker_pid(state_dir))
    kill(keeper)
    assert b"Lost" in viewer.communicate(timeout=60)[0]


@pytest.mark.parametrize("point", fault.ENDING)
def test_an_ending_killed_at_any_point_has_one_truthful_result(
    engine: DiskEngine, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Before the result has its name the run is lost; from then on it is what it was; and it leaves `active/`."""
    monkeypatch.setenv("TAILRACE_FAULT", point)
    run = engine.start(["sh", "-c", "echo all; exit 3"])
    info = run.wait(60)
    before_link = fault.ENDING.index(point) < fault.ENDING.index("ending:result-linked")
    assert info.outcome == (Lost("its keeper died") if before_link else Exited(3))
    assert _output(run) == b"all\n"
    wait_for(lambda: engine.state.active() == [])
    assert run.info() == info


@pytest.mark.parametrize("point", fault.STARTING)
def test_a_start_killed_at_any_point_is_told_truthfully(
    engine: DiskEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, point: str
) -> None:
    """What was never executed says so; what was begun is lost or has failed to start; never twice, never silent."""
    monkeypatch.setenv("TAILRACE_FAULT", point)
    witness = tmp_path / "witness"
    run = engine.start(["sh", "-c", f"echo once >> {witness}; sleep 1000"])
    info = run.wait(60)
    assert info.outcome is not None
    assert info.outcome.__struct_config__.tag in ("lost", "failed_to_start", "signaled")
    assert not witness.exists() or witness.read_bytes() in (b"", b"once\n")  # killed before it wrote, or after
    wait_for(lambda: not left_of(run.id, []))


SETTLER = """
import sys, time, tailrace
from tailrace.host import settle
from tailrace.host.rundir import RunDir
engine = tailrace.connect(sys.argv[1])
sys.stdin.readline()
while engine.state.active():
    for run_id in engine.state.active():
        with RunDir(engine.state, run_id) as run:
            settle.settle(run)
"""


@pytest.mark.timeout(200)
def test_a_keeper_that_ends_while_others_settle_it(engine: DiskEngine, state_dir: Path, chance: random.Random) -> None:
    """Exactly one result: what is there first stays, whatever dies and whoever looks, in 60 races."""
    for _ in range(12):
        runs = [engine.start(["sh", "-c", "echo x; read y"], stdin=True) for _ in range(5)]
        for run in runs:
            wait_for(lambda run=run: run.info().size == 2)  # type: ignore[misc]
        keepers = [keeper_pid(engine, run.id) for run in runs]
        settlers = [
            subprocess.Popen([sys.executable, "-c", SETTLER, str(state_dir)], stdin=subprocess.PIPE) for _ in range(2)
        ]
        for settler in settlers:
            assert settler.stdin is not None
            settler.stdin.write(b"\n")
            settler.stdin.flush()
        for run, keeper in zip(runs, keepers, strict=True):
            run.send(b"\n")
            if chance.random() < 0.7:
                _spin(chance.uniform(0, 0.004))
                kill(keeper)
        for settler in settlers:
            settler.wait(60)
            settler.communicate()
        for run in runs:
            first = (state_dir / "runs" / run.id / "result.json").read_bytes()
            info = run.wait(30)
            assert info.outcome in (Exited(0), Exited(1), Lost("its keeper died"))
            assert (state_dir / "runs" / run.id / "result.json").read_bytes() == first


def _spin(seconds: float) -> None:
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.getpid()


def test_a_keeper_told_to_go_stops_its_run_in_order(engine: DiskEngine) -> None:
    """SIGTERM to the keeper, as at the machine's end: the ladder, and an outcome."""
    run = engine.start(["sleep", "1000"])
    keeper = wait_for(lambda: keeper_pid(engine, run.id) if run.info().state == "running" else 0)
    os.kill(keeper, signal.SIGTERM)
    info = run.wait(30)
    assert info.outcome is not None
    assert info.outcome.__struct_config__.tag == "stopped"
    assert [step.signal for step in info.ladder] == ["INT"]


def test_a_run_whose_runner_died_before_it_took_it_is_taken_by_the_next(engine: DiskEngine, state_dir: Path) -> None:
    """Whoever looks at a queued run without a runner brings one."""
    from tailrace.engine import preparation
    from tailrace.host import rundir

    engine.start(["true"]).wait(30)
    kill(runner_pid(state_dir))
    wait_for(lambda: not engine.state.has_runner())
    spec, launch = preparation.prepare(["echo", "late"], {})
    rundir.create(engine.state, spec, launch)
    assert Run(engine, spec.id).wait(60).outcome == Exited(0)


def test_nobody_escapes_where_no_cgroup_can_be_made(state_dir: Path) -> None:
    """A daemon in its own session, with a clean environment and closed pipes, whoever settles its run first."""
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    script = 'mount -t tmpfs none /sys/fs/cgroup && exec "$0" -m tests.system.kills.escape "$1" 10'
    done = subprocess.run(
        [*own, "sh", "-c", script, sys.executable, str(state_dir)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout == "none is left\n", done.stderr
