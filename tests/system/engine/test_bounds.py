"""What must not grow: memory, with the output; and a hint, which must not come without reason."""

import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.core.lumps import HINT
from tailrace.engine.disk import DiskEngine
from tailrace.host.rundir import RunDir
from tests.support.wait import wait_for

MIB = 1 << 20
FOLLOW = """
import asyncio, resource, sys, tailrace
from tailrace.engine.run import Run

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def follow(run):
    return sum(len(chunk.data) for chunk in run.follow())

async def afollow(run):
    return sum([len(chunk.data) async for chunk in run.afollow()])

engine = tailrace.connect(sys.argv[1])
small = engine.start(["echo", "x"])
assert follow(small) == asyncio.run(afollow(small)) == 2
before = peak()
assert follow(Run(engine, sys.argv[2])) == int(sys.argv[3])
assert asyncio.run(afollow(Run(engine, sys.argv[2]))) == int(sys.argv[3])
print((peak() - before) * 1024)
"""
SLOW = "for n in 1 2 3 4 5 6; do seq 1 700; sleep 0.15; done"


@pytest.mark.parametrize("source", ["head -c {0} /dev/zero", "yes | head -c {0}"], ids=["one line", "short lines"])
def test_memory_does_not_grow_with_the_output(engine: DiskEngine, state_dir: Path, source: str) -> None:
    """Neither a viewer's, in a thread or an event loop, nor the keeper's: 300 MB leave no mark."""
    size = 300_000_000
    run = engine.start(["sh", "-c", source.format(size) + "; read line"], stdin=True)
    command = [sys.executable, "-c", FOLLOW, str(state_dir), run.id, str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewer:
        wait_for(lambda: run.info().size == size)
        with RunDir(engine.state, run.id) as directory:
            live = directory.live()
        assert live is not None
        status = Path(f"/proc/{live.keeper.pid}/status").read_text()
        run.close_input()
        printed, _ = viewer.communicate(timeout=100)
    assert viewer.returncode == 0
    assert int(printed) < 32 * MIB
    assert int(status.split("VmHWM:")[1].split()[0]) * 1024 < 48 * MIB


def test_a_command_that_buffers_is_told_of(engine: DiskEngine) -> None:
    """A C program that prints little by little delivers lumps of 4096 bytes; the hint stays in the result."""
    run = engine.start(["sh", "-c", f"({SLOW}) | tr 0 o"])
    wait_for(lambda: run.info().hint is not None or run.info().is_finished)
    assert run.wait(timeout=60).hint == HINT


@pytest.mark.parametrize(
    "script", ["seq 1000000", "head -c 40960000 /dev/zero", SLOW, f"({SLOW}) | stdbuf -oL tr 0 o", "seq 3", ":"]
)
def test_no_hint_without_reason(engine: DiskEngine, script: str) -> None:
    """A flood comes in lumps as well, without silence between them; and who flushes does not."""
    assert engine.start(["sh", "-c", script]).wait(timeout=60).hint is None
