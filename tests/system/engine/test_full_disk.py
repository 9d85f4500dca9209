"""A disk that is full holds a run up, and loses nothing; one that is nearly full takes no new run."""

import hashlib
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.core.errors import NoSpace
from tailrace.core.outcome import Exited, Stopped
from tailrace.core.piece import Chunk
from tailrace.core.states import State
from tailrace.core.timeline import Stream
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.host import settings
from tailrace.host.settings import Settings
from tests.support.smalldisk import fill, small_disk
from tests.support.wait import wait_for
from tests.system.engine.processes import marked

__all__ = ["small_disk"]

MIB = 1 << 20
PAGE = 4096
WRITER = """
import os, random, sys
source = random.Random(5)
for piece in range(96):
    data = memoryview(source.randbytes(65536))
    while data:
        data = data[os.write(1 + piece % 2, data):]
"""


def pieces(stream: Stream) -> bytes:
    """Return what the writer writes to one stream."""
    source = random.Random(5)
    written = [source.randbytes(65536) for _ in range(96)]
    return b"".join(written[stream - 1 :: 2])


@pytest.fixture
def small_engine(small_disk: Path) -> Iterator[DiskEngine]:
    """Give an engine on the small disk, without a floor."""
    engine = DiskEngine(small_disk)
    settings.save(engine.state, Settings(free_floor=0))
    yield engine
    engine.close()


@pytest.mark.usefixtures("mover")
def test_a_full_disk_holds_the_command(small_engine: DiskEngine, small_disk: Path) -> None:
    """The command waits, the run says what holds it, and with room again it goes on: every byte, every label."""
    filler = fill(small_disk, 4 * MIB)
    run = small_engine.start([sys.executable, "-I", "-S", "-c", WRITER])
    held = wait_for(lambda: run.info().held)
    assert "full" in str(held)
    info = run.info()
    assert (info.state, info.outcome) == (State.RUNNING, None)
    assert marked(run.id)
    filler.unlink()
    info = run.wait(timeout=60)
    assert (info.outcome, info.size, info.dropped, info.held) == (Exited(0), 6 * MIB, 0, None)
    seen = {Stream.STDOUT: b"", Stream.STDERR: b""}
    for chunk in run.follow():
        seen[chunk.stream] += chunk.data
    for stream, data in seen.items():
        assert hashlib.sha256(data).digest() == hashlib.sha256(pieces(stream)).digest(), stream


@pytest.mark.usefixtures("mover")
def test_a_viewer_sees_what_is_there_and_then_the_rest(small_engine: DiskEngine, small_disk: Path) -> None:
    """Following goes on over the wait; nothing is given twice or left out."""
    filler = fill(small_disk, 4 * MIB)
    run = small_engine.start([sys.executable, "-I", "-S", "-c", WRITER])
    seen = {Stream.STDOUT: b"", Stream.STDERR: b""}
    is_freed = False
    for event in run.events(timeout_s=0.05):
        if event is None and not is_freed and run.info().held:
            filler.unlink()
            is_freed = True
        if isinstance(event, Chunk):
            seen[event.stream] += event.data
    assert is_freed
    assert seen == {stream: pieces(stream) for stream in seen}


def test_a_held_run_can_be_stopped(small_engine: DiskEngine, small_disk: Path) -> None:
    """Its processes go while the disk is still full; what they had in their pipes is kept when there is room."""
    filler = fill(small_disk, 6 * MIB)
    run = small_engine.start(["yes"], ladder=[("KILL", 0)])
    wait_for(lambda: run.info().held)
    run.stop()
    wait_for(lambda: not marked(run.id))
    filler.unlink()
    info = run.wait(timeout=60)
    assert (info.outcome, info.dropped) == (Stopped(None), 0)
    assert b"".join(chunk.data for chunk in run.follow()) == (b"y\n" * 4 * MIB)[: info.size]


def test_what_is_held_back_waits_for_room_at_the_end(small_engine: DiskEngine, small_disk: Path) -> None:
    """The beginning of a secret, of a stream that a child has open: whoever asks for a stop meanwhile is answered."""
    script = "sleep 60 & printf '%4096scorrect'; read line"  # a whole page, so that more takes room
    run = small_engine.start(
        ["sh", "-c", script], stdin=True, secrets={"TOKEN": "correct horse"}, leave_children=True, grace=0
    )
    wait_for(lambda: run.info().size == PAGE)
    with pytest.raises(OSError, match="No space"):
        fill(small_disk, 16 * MIB)
    run.send(b"\n")
    wait_for(lambda: run.info().held)
    run.stop()
    assert run.info().outcome is None
    (small_disk / "version.filler").unlink()
    assert run.wait(timeout=60).outcome == Exited(0)
    assert b"".join(chunk.data for chunk in run.follow()) == b" " * PAGE + b"correct"
    for pid in marked(run.id):
        os.kill(pid, signal.SIGKILL)


def test_other_runs_end_when_there_is_room_for_a_result(small_engine: DiskEngine, small_disk: Path) -> None:
    """A command that prints nothing is not held; its result waits until it can be written, and is then the truth."""
    run = small_engine.start(["sh", "-c", "read line; exit 6"], stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    with pytest.raises(OSError, match="No space"):
        fill(small_disk, 16 * MIB)
    run.send(b"\n")
    wait_for(lambda: not marked(run.id))
    assert run.info().outcome is None
    (small_disk / "version.filler").unlink()
    assert run.wait(timeout=60).outcome == Exited(6)


def test_a_disk_below_its_floor_takes_no_run(small_engine: DiskEngine, small_disk: Path) -> None:
    """By default a small disk keeps two parts in a hundred free; nothing is left of a refused start."""
    settings.save(small_engine.state, Settings())
    small_engine.start(["true"]).wait(timeout=60)
    room = os.statvfs(small_disk)
    filler = fill(small_disk, room.f_bavail * room.f_frsize - 100_000)
    with pytest.raises(NoSpace) as caught:
        small_engine.start(["true"])
    assert "prune" in caught.value.hint
    filler.unlink()
    assert len(small_engine.list(Query()).runs) == 1
    small_engine.start(["true"]).wait(timeout=60)


def test_the_floor_is_a_setting(engine: DiskEngine) -> None:
    """Any number of bytes, none, or the default."""
    settings.save(engine.state, Settings(free_floor=1 << 60))
    with pytest.raises(NoSpace):
        engine.start(["true"])
    for floor in (0, None):
        settings.save(engine.state, Settings(free_floor=floor))
        assert engine.start(["true"]).wait(timeout=60).outcome == Exited(0)
