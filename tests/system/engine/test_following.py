"""Viewers: many, late, slow, reconnecting, in other processes, however the system tells of changes."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tailrace.core.outcome import Lost
from tailrace.core.piece import Chunk
from tailrace.core.timeline import Stream
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.follow import backends, watch
from tailrace.follow.backends import Backend, Inotify, Polling
from tailrace.host.rundir import RunDir
from tests.support.wait import wait_for

WRITER = """
import os, random, select
source = random.Random(8)
for n in range(9000):
    os.write(1 + (source.randrange(5) == 0), b"%d %s\\n" % (n, b"x" * source.choice((0, 1, 80, 3000))))
    if n % 100 == 0:
        select.select([], [], [], 0.005)
"""
FORKED = """
import os, sys, tailrace
engine = tailrace.connect(sys.argv[1])
run = engine.start(["sh", "-c", "read line; seq 50000"], stdin=True)
first = engine.start(["cat"], stdin=True)
events = first.events(timeout_s=0.01)
assert next(events) is None  # the parent's watcher is at work
pid = os.fork()
if pid == 0:
    run.send(b"\\n")
    data = b"".join(chunk.data for chunk in run.follow())
    os._exit(0 if data == b"".join(b"%d\\n" % n for n in range(1, 50001)) else 3)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
first.send(b"for the parent")
assert next(event for event in events if event is not None).data == b"for the parent"
first.close_input()
list(events)
print("well")
"""
EXHAUSTED = """
import inotify_simple, sys, tailrace
held = []
try:
    while len(held) < 100000:
        held.append(inotify_simple.INotify())
except OSError:
    pass
from tailrace.follow import backends, watch
engine = tailrace.connect(sys.argv[1])
run = engine.start(["sh", "-c", "read line; seq 50000"], stdin=True)
events = run.events(timeout_s=0.01)
assert next(events) is None
run.send(b"\\n")
data = b"".join(event.data for event in events if hasattr(event, "data"))
assert data == b"".join(b"%d\\n" % n for n in range(1, 50001))
print(type(watch._process._made["native"]._backend).__name__)
"""


def script(code: str, state_dir: Path, *before: str) -> str:
    """Run a script in a process of its own; return what it prints."""
    command = [*before, sys.executable, "-c", code, str(state_dir)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def inotify_instances() -> int:
    """Return how many this process has."""
    links = []
    for fd in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(fd.readlink()))
        except FileNotFoundError:
            continue
    return links.count("anon_inode:inotify")


def descriptors() -> int:
    """Return how many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


class Viewer(threading.Thread):
    """Joins at some moment and offset, sees all from there, and may leave and come back now and then."""

    def __init__(self, run: Run, seed: int, *, reconnects: bool = False, is_slow: bool = False) -> None:
        super().__init__()
        self.run_ = run
        self.source = random.Random(seed)
        self.reconnects = reconnects
        self.is_slow = is_slow
        self.begin = self.at = 0
        self.parts: list[bytes] = []
        self.streams = bytearray()

    @property
    def data(self) -> bytes:
        """What it saw."""
        return b"".join(self.parts)

    def join_somewhere(self) -> None:
        """Wait for a moment, and choose an offset."""
        moment = self.source.randrange(3_000_000)
        wait_for(lambda: (info := self.run_.info()).size >= moment or info.is_finished)
        self.begin = self.at = self.source.randrange(self.run_.info().size)

    def run(self) -> None:
        """Be the viewer."""
        self.join_somewhere()
        while not self._look():
            pass

    def _look(self) -> bool:
        """Follow to the end, or to where this viewer leaves; True at the end."""
        for chunk in self.run_.follow(self.at):
            assert chunk.offset == self.at
            self.parts.append(chunk.data)
            self.streams += bytes([chunk.stream]) * len(chunk.data)
            self.at = chunk.end
            if self.is_slow:
                self._dawdle()
            if self.reconnects and self.source.randrange(20) == 0:
                return False
        return True

    def _dawdle(self) -> None:
        far = self.at + 200_000
        wait_for(lambda: (info := self.run_.info()).size >= far or info.is_finished)


class AsyncViewer(Viewer):
    """The same in an event loop of its own."""

    def run(self) -> None:
        """Be the viewer."""
        self.join_somewhere()
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        async for chunk in self.run_.afollow(self.at):
            assert chunk.offset == self.at
            self.parts.append(chunk.data)
            self.streams += bytes([chunk.stream]) * len(chunk.data)
            self.at = chunk.end


@pytest.fixture(params=[Inotify, Polling])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Backend]]:
    """Learn of changes in one way or the other."""
    kind: type[Backend] = request.param
    monkeypatch.setattr(watch, "native", kind)
    monkeypatch.setattr(watch._process, "_made", {})
    yield kind
    for watcher in watch._process._made.values():
        assert isinstance(watcher._backend, kind)


@pytest.mark.usefixtures("backend")
def test_ten_viewers_see_exactly_the_output(engine: DiskEngine) -> None:
    """Whenever and wherever they joined, however often they left, however slow they were, whoever never read."""
    run = engine.start([sys.executable, "-I", "-S", "-c", WRITER])
    viewers = [
        *(Viewer(run, seed) for seed in range(4)),
        *(Viewer(run, seed, reconnects=True) for seed in range(4, 7)),
        Viewer(run, 7, is_slow=True),
        *(AsyncViewer(run, seed) for seed in range(8, 10)),
    ]
    with closing(engine.cursor(run.id)) as never_read:
        never_read.on_change(lambda: None)
        for viewer in viewers:
            viewer.start()
        for viewer in viewers:
            viewer.join(90)
        whole = list(run.follow())
    data = b"".join(chunk.data for chunk in whole)
    labels = b"".join(bytes([chunk.stream]) * len(chunk.data) for chunk in whole)
    assert set(labels) == {Stream.STDOUT, Stream.STDERR}
    for viewer in viewers:
        assert viewer.data == data[viewer.begin :]
        assert bytes(viewer.streams) == labels[viewer.begin :]


@pytest.mark.parametrize("kind", ["native", "remote"])
def test_the_kind_of_file_system_chooses(engine: DiskEngine, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What other machines may write to is polled; everything else announces its changes."""
    monkeypatch.setattr(watch._process, "_made", {})
    if kind == "remote":
        mounts = Path("/proc/self/mountinfo").read_text()
        device = os.fstat(engine.state.fd).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        row = next(row for row in mounts.splitlines() if row.split()[2] == wanted)
        monkeypatch.setattr(backends, "REMOTE", (row.split(" - ")[1].split()[0],))
    run = engine.start(["sh", "-c", "read line; seq 5000"], stdin=True)
    events = run.events(timeout_s=0.01)
    assert next(events) is None
    run.send(b"\n")
    assert sum(len(event.data) for event in events if isinstance(event, Chunk)) == 23893
    assert {type(watcher._backend) for watcher in watch._process._made.values()} == {
        Inotify if kind == "native" else Polling
    }


def test_many_viewers_use_one_inotify_instance(engine: DiskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user has 128; a process takes one, whatever the number of runs and viewers; they let go of everything else."""
    monkeypatch.setattr(watch._process, "_made", {})
    before, open_before = inotify_instances(), descriptors()
    runs = [engine.start(["cat"], stdin=True) for _ in range(5)]
    iterators = [run.events(timeout_s=0.01) for run in runs for _ in range(40)]
    for events in iterators:
        assert next(events) is None
    assert inotify_instances() == before + 1
    for run in runs:
        run.close_input()
        run.wait(timeout=60)
    for events in iterators:
        assert list(events)
    assert descriptors() <= open_before + 3  # the watcher's own


def test_following_works_without_any_instance_left(state_dir: Path) -> None:
    """The user's instances are used up: everything goes on, a quarter of a second later at most."""
    confine = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    confine.append('echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"')
    assert script(EXHAUSTED, state_dir, *confine, "sh") == "Polling"


def test_following_works_after_a_fork(state_dir: Path) -> None:
    """A child has no thread of its parent's; it makes its own watcher, and the parent's goes on."""
    assert script(FORKED, state_dir) == "well"


def test_a_viewer_learns_of_a_dead_keeper(engine: DiskEngine) -> None:
    """Nobody waits for ever: the viewer itself finds out, and ends the run as lost, with all its bytes."""
    run = engine.start(["cat"], stdin=True)
    run.send(b"some bytes")
    chunks = run.follow()
    assert next(chunks).data == b"some bytes"
    with RunDir(engine.state, run.id) as directory:
        live = directory.live()
    assert live is not None
    os.kill(live.keeper.pid, signal.SIGKILL)
    assert list(chunks) == []
    assert isinstance(run.info().outcome, Lost)


def test_a_viewer_of_a_waiting_run_sees_it_start(engine: DiskEngine) -> None:
    """It may be followed before it runs."""
    first = engine.start(["cat"], stdin=True, key="k")
    second = engine.start(["echo", "mine"], key="k", when_busy="queue")
    events = second.events(timeout_s=0.01)
    assert next(events) is None
    first.close_input()
    assert b"".join(event.data for event in events if isinstance(event, Chunk)) == b"mine\n"


def test_leaving_early_lets_go_of_everything(engine: DiskEngine) -> None:
    """A loop that is left, by break or by an error, holds no descriptor afterwards."""
    run = engine.start(["cat"], stdin=True)
    run.send(b"x")
    wait_for(lambda: run.info().size == 1)
    for event in run.events(timeout_s=0.01):
        if event is None:
            break  # the watcher, which stays, has its own now
    before = descriptors()
    for _ in range(50):
        for _event in run.events(timeout_s=0.01):
            break
        for event in run.events(timeout_s=0.01):
            if event is None:
                break
    assert descriptors() == before
