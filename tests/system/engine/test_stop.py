"""Stop stops everything: whatever the processes of a run did to get away."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import pytest

from tailrace.core.outcome import Exited, Stopped
from tailrace.engine.base import StartOptions
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import cgroup
from tests.support.wait import wait_for
from tests.system.engine.processes import Process, group_of, left_of, marked, seen

TREES = """
import os, signal, sys

def say():
    os.write(1, b"%d\\n" % os.getpid())

def stay():
    while True:
        signal.pause()

def ignore():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

def in_child(*steps):
    if os.fork() == 0:
        for step in steps:
            step()
        os._exit(0)

def close_streams():
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)

def without_a_trace():
    code = "import signal\\nwhile True: signal.pause()"
    os.execve(sys.executable, ["innocent", "-I", "-S", "-c", code], {})

kind = sys.argv[1]
if kind == "stubborn child":
    in_child(ignore, say, stay)
elif kind == "stubborn command":
    ignore()
elif kind == "own session":
    in_child(os.setsid, say, stay)
elif kind == "grandchild in its own session":
    in_child(lambda: in_child(os.setsid, ignore, say, stay), say, stay)
elif kind == "daemon that holds the pipe":
    in_child(os.setsid, lambda: in_child(ignore, say, stay))
elif kind == "daemon without a trace":
    in_child(os.setsid, lambda: in_child(os.setsid, ignore, say, close_streams, without_a_trace))
elif kind == "many":
    for _ in range(20):
        in_child(say, stay)
elif kind == "fork at every signal":
    def fork(number, frame):
        if os.fork() == 0:
            os.setsid()
            say()
    signal.signal(signal.SIGINT, fork)
    signal.signal(signal.SIGTERM, fork)
say()
if len(sys.argv) > 2:
    os.read(0, 1)
    os._exit(3)
stay()
"""
PROCESSES = {
    "stubborn child": 2,
    "stubborn command": 1,
    "own session": 2,
    "grandchild in its own session": 3,
    "daemon that holds the pipe": 2,
    "daemon without a trace": 2,
    "many": 21,
    "fork at every signal": 1,
}
SHORT = [("INT", 0.05), ("TERM", 0.05), ("KILL", 0.0)]


class Tree:
    """A run that has started a tree, and its processes."""

    def __init__(self, run: Run, count: int) -> None:
        self.run = run
        self.processes: list[Process] = []
        text = b""
        for chunk in run.follow():
            text += chunk.data
            if text.count(b"\n") == count:
                break
        self.processes = [seen(int(pid)) for pid in text.split()]
        assert len(self.processes) == count


def plant(engine: DiskEngine, kind: str, *more: str, **options: Unpack[StartOptions]) -> Tree:
    """Start the tree and wait until all of it is there."""
    options.setdefault("ladder", SHORT)
    run = engine.start([sys.executable, "-I", "-S", "-c", TREES, kind, *more], **options)
    return Tree(run, PROCESSES[kind])


@pytest.fixture
def spared() -> Iterator[list[Process]]:
    """Give a list for processes that are meant to live on; they end with the test."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.end()


@pytest.mark.parametrize("kind", PROCESSES)
def test_stop_reaches_all_of_a_tree(engine: DiskEngine, kind: str) -> None:
    """When the result is there, no process of the run is: no child, no orphan, no daemon; nor its control group."""
    tree = plant(engine, kind)
    tree.run.stop()
    assert tree.run.wait(timeout=60).outcome == Stopped(None)
    assert left_of(tree.run.id, tree.processes) == []


@pytest.mark.parametrize("kind", PROCESSES)
def test_a_sweep_reaches_all_that_a_command_left(engine: DiskEngine, kind: str) -> None:
    """A command that exits leaves nothing behind either; its own exit stays its outcome, and who lingered is named."""
    tree = plant(engine, kind, "exit", stdin=True, grace=0.05)
    before = {process.pid for process in tree.processes}
    tree.run.send(b"x")
    info = tree.run.wait(timeout=60)
    assert info.outcome == Exited(3)
    assert left_of(tree.run.id, tree.processes) == []
    lingering = {child.pid for child in info.lingering}
    assert lingering <= before
    assert len(lingering) == PROCESSES[kind] - 1


@pytest.mark.parametrize(
    "kind", ["own session", "daemon that holds the pipe", "daemon without a trace", "grandchild in its own session"]
)
def test_children_may_be_left(engine: DiskEngine, spared: list[Process], kind: str) -> None:
    """With `leave_children` only the command is ended; the others live, and are named."""
    tree = plant(engine, kind, leave_children=True, grace=0)
    spared += tree.processes
    tree.run.stop()
    info = tree.run.wait(timeout=60)
    assert info.outcome == Stopped(None)
    alive = {process.pid for process in tree.processes if process.is_alive}
    assert len(alive) == PROCESSES[kind] - 1
    assert {child.pid for child in info.lingering} == alive


def test_the_ladder_is_walked_with_each_rungs_time(engine: DiskEngine) -> None:
    """Any signals, any times; what was sent, when and to how many is recorded, and KILL comes at last."""
    ladder = [("USR1", 0.2), ("USR2", 0.0), ("TERM", 0.1)]
    script = "trap 'echo USR1' USR1; trap 'echo USR2' USR2; trap 'echo TERM' TERM; echo ready; while :; do :; done"
    run = engine.start(["sh", "-c", script], ladder=ladder)
    assert next(run.follow()).data == b"ready\n"
    run.stop(by="ann")
    info = run.wait(timeout=60)
    assert [step.signal for step in info.ladder] == ["USR1", "USR2", "TERM", "KILL"]
    times = [step.time.timestamp() for step in info.ladder]
    assert times == sorted(times)
    assert times[1] - times[0] >= 0.19
    assert times[3] - times[2] >= 0.09
    assert {step.processes for step in info.ladder} == {1}


def test_a_ladder_without_patience_kills_at_once(engine: DiskEngine) -> None:
    """One row of KILL is a ladder."""
    tree = plant(engine, "many", ladder=[("KILL", 0)])
    tree.run.stop()
    info = tree.run.wait(timeout=60)
    assert [(step.signal, step.processes) for step in info.ladder] == [("KILL", 21)]


def test_a_fork_bomb_is_ended(engine: DiskEngine) -> None:
    """A tree that grows faster than it is killed one by one is frozen first."""
    script = """
import os, signal, time
signal.signal(2, signal.SIG_IGN)
end = time.time() + 120  # should nobody be left to stop it
print("up", flush=True)
while time.time() < end:
    if os.fork():
        os._exit(0)
    os.setsid()
"""
    run = engine.start([sys.executable, "-I", "-S", "-c", script], ladder=SHORT)
    assert next(run.follow()).data == b"up\n"
    wait_for(lambda: marked(run.id))
    run.stop()
    run.wait(timeout=60)
    assert left_of(run.id, []) == []


def test_a_background_child_that_ends_in_time_is_heard(engine: DiskEngine) -> None:
    """The output is complete when the last holder of a stream is gone, if that is within the grace."""
    script = "exec 3<&0; (read line <&3; echo late; exit 5) & echo first; exit 4"
    run = engine.start(["sh", "-c", script], stdin=True, grace=60)
    chunks = run.follow()
    assert next(chunks).data == b"first\n"
    run.send(b"\n")
    assert b"".join(chunk.data for chunk in chunks) == b"late\n"
    info = run.wait(timeout=60)
    assert (info.outcome, info.lingering, info.ladder) == (Exited(4), (), ())


def test_a_background_child_that_holds_a_stream_is_swept_and_named(engine: DiskEngine) -> None:
    """After the grace it gets the ladder, without INT, and a place in the result."""
    run = engine.start(["sh", "-c", "sleep 1000 & echo $!; exit 4"], grace=0.2)
    pid = int(next(run.follow()).data)
    info = run.wait(timeout=60)
    assert info.outcome == Exited(4)
    assert [(child.pid, child.argv) for child in info.lingering] == [(pid, "sleep 1000")]
    assert [step.signal for step in info.ladder] == ["TERM"]
    assert left_of(run.id, []) == []


def test_left_children_go_on_printing_and_are_counted(
    engine: DiskEngine, tmp_path: Path, spared: list[Process]
) -> None:
    """What comes after the result is not kept, but counted; the child is never blocked by a full pipe."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = '(read line <"$0"; head -c 300000 /dev/zero; read line <"$0") & echo $!; exit 4'
    run = engine.start(["sh", "-c", script, str(gate)], leave_children=True, grace=0)
    child = seen(int(next(run.follow()).data))
    spared.append(child)
    info = run.wait(timeout=60)
    assert (info.outcome, info.dropped, child.is_alive) == (Exited(4), 0, True)
    gate.write_text("\n")
    wait_for(lambda: run.info().dropped == 300_000)
    gate.write_text("\n")
    wait_for(lambda: not child.is_alive)
    assert run.info().outcome == Exited(4)


def test_stop_of_a_run_that_just_started(engine: DiskEngine) -> None:
    """Whenever it comes, a stop ends the run in one of the ways in which runs end, at once."""
    begun = time.monotonic()
    for _ in range(30):
        run = engine.start(["sleep", "1000"], ladder=[("TERM", 30)])
        run.stop()
        info = run.wait(timeout=60)
        assert info.outcome is not None
        assert info.outcome.__struct_config__.tag in ("stopped", "cancelled")
        assert left_of(run.id, []) == []
    assert time.monotonic() - begun < 60


def test_a_run_never_stops_another(engine: DiskEngine) -> None:
    """Runs that stand side by side, even one started from within another, are told apart."""
    other = engine.start(["cat"], stdin=True)
    other.send(b"x")
    inner = "import os, sys, tailrace; print(tailrace.connect().start(['sleep', '1000']).id)"
    outer = engine.start(
        [sys.executable, "-c", inner + "\nsys.stdout.flush()\nimport signal\nsignal.pause()"], ladder=SHORT
    )
    inner_run = Run(engine, next(outer.follow()).data.decode().strip())
    wait_for(lambda: marked(inner_run.id))
    outer.stop()
    outer.wait(timeout=60)
    assert marked(inner_run.id)
    assert marked(other.id)
    for run in (inner_run, other):
        with pytest.raises(TimeoutError):
            run.wait(timeout=0)


def test_a_control_group_goes_with_its_run(engine: DiskEngine) -> None:
    """Where the system has groups for us, a run has its own, and it is removed at the end."""
    run = engine.start(["cat"], stdin=True)
    run.send(b"x")
    wait_for(lambda: run.info().size == 1)
    group = group_of(engine, run.id)
    assert (group is not None) == bool(cgroup.parents())
    assert group is None or group.is_dir()
    run.close_input()
    run.wait(timeout=60)
    assert group is None or not group.exists()
