"""Runs outlive whoever started them, and the runner: killed at any instant, nothing is lost or happens twice."""

import hashlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.core.outcome import Exited
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tests.support.wait import wait_for
from tests.system.kills.conftest import forker_pid, kill, runner_pid

STARTER = """
import sys, tailrace
engine = tailrace.connect(sys.argv[1])
for _ in range(int(sys.argv[2])):
    print(engine.start(["sh", "-c", "echo once >> " + sys.argv[3]]).id, flush=True)
"""
COUNTER = "i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); [ $((i % 40)) = 0 ] && sleep 0.01; done; exit 7"
EXPECTED = b"".join(b"line %d\n" % i for i in range(400))


@pytest.mark.timeout(240)
def test_300_runs_by_8_processes_while_the_runner_is_killed(
    engine: DiskEngine, state_dir: Path, tmp_path: Path, chance: random.Random
) -> None:
    """Three hundred durable results, each run executed once, none lost."""
    counts = [38, 38, 38, 38, 37, 37, 37, 37]
    witness = tmp_path / "witness"
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, str(state_dir), str(count), str(witness)], stdout=subprocess.PIPE
        )
        for count in counts
    ]
    kills = 0
    while any(starter.poll() is None for starter in starters):
        victim = runner_pid(state_dir) if chance.random() < 0.7 else forker_pid(state_dir)
        kills += kill(victim)
        pause = chance.uniform(0.05, 0.4)
        try:
            next(s for s in starters if s.poll() is None).wait(timeout=pause)
        except (subprocess.TimeoutExpired, StopIteration):
            continue
    ids = [line for starter in starters for line in starter.communicate()[0].decode().split()]
    assert [starter.returncode for starter in starters] == [0] * 8
    assert len(set(ids)) == 300
    assert kills > 3
    outcomes = [engine.get(run_id).outcome or _end(engine, run_id) for run_id in ids]
    assert outcomes == [Exited(0)] * 300
    assert witness.read_bytes() == b"once\n" * 300
    listed = [run.id for run in engine.list(Query(limit=1000)).runs]
    assert sorted(listed) == sorted(ids)
    assert engine.state.active() == []


def _end(engine: DiskEngine, run_id: str) -> object:
    wait_for(lambda: engine.get(run_id).is_finished, 60, what=f"the end of {run_id}")
    return engine.get(run_id).outcome


ONE = """
import sys, tailrace
engine = tailrace.connect(sys.argv[1])
run = engine.start(["sh", "-c", sys.argv[2]])
print(run.id, flush=True)
for _ in run.follow(): pass
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("_part", range(4))
def test_killing_starter_and_runner_changes_nothing(
    engine: DiskEngine, state_dir: Path, chance: random.Random, _part: int
) -> None:
    """In 100 trials (25 in each part): the run ends as it would have; a viewer that resumes has exactly its bytes."""
    for _ in range(25):
        starter = subprocess.Popen([sys.executable, "-c", ONE, str(state_dir), COUNTER], stdout=subprocess.PIPE)
        assert starter.stdout is not None
        run_id = starter.stdout.readline().decode().strip()
        victims = [starter.pid, *(pid for pid in (runner_pid(state_dir), forker_pid(state_dir)) if pid)]
        chance.shuffle(victims)
        digest = _follow_and_kill(engine, run_id, victims, chance)
        starter.kill()
        starter.communicate()
        assert digest == hashlib.sha256(EXPECTED).hexdigest()
        info = engine.get(run_id)
        assert (info.outcome, info.size) == (Exited(7), len(EXPECTED))


def _follow_and_kill(engine: DiskEngine, run_id: str, victims: list[int], chance: random.Random) -> str:
    """Watch from offset to offset, killing in between; return the digest of all that was seen."""
    seen = hashlib.sha256()
    offset = 0
    while True:
        stop_after = chance.randrange(1, 2500)
        got = 0
        for chunk in Run(engine, run_id).follow(offset):
            seen.update(chunk.data)
            got += len(chunk.data)
            if got >= stop_after and victims:
                break
        offset += got
        if victims:
            kill(victims.pop())
        elif engine.get(run_id).is_finished:
            return seen.hexdigest()


def test_a_runner_inherits_nothing_from_its_starter(state_dir: Path, tmp_path: Path) -> None:
    """Whoever starts it: directory, umask, descriptors, niceness, signals and environment are its own."""
    code = (
        "import os, signal, sys, tailrace\n"
        "os.umask(0o777); os.nice(5); os.chdir(sys.argv[2])\n"
        "os.set_inheritable(os.open('/dev/null', os.O_RDONLY), True)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "tailrace.connect(sys.argv[1]).start(['true']).wait()\n"
    )
    environment = {**os.environ, "SECRET_OF_STARTER": "x"}
    subprocess.run([sys.executable, "-c", code, str(state_dir), str(tmp_path)], check=True, env=environment)
    pid = wait_for(lambda: runner_pid(state_dir))
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Umask"] == "0077"
    assert int(status["SigIgn"], 16) & (1 << (signal.SIGTERM - 1)) == 0
    assert str(Path(f"/proc/{pid}/cwd").readlink()) == "/"
    assert os.getpriority(os.PRIO_PROCESS, pid) == 0
    assert b"SECRET_OF_STARTER" not in Path(f"/proc/{pid}/environ").read_bytes()
    open_files = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    strange = [
        name for name in open_files if not name.startswith((str(state_dir), "socket:", "/dev/null", "anon_inode:"))
    ]
    assert strange == []


def test_an_older_runner_is_replaced_while_its_keepers_go_on(engine: DiskEngine, state_dir: Path) -> None:
    """The newer Tailrace sends it away; the run it launched is watched, stopped and recorded as ever."""
    first = engine.start(["sh", "-c", "echo begun; read x; echo went on", "sh"], stdin=True)
    wait_for(lambda: first.info().size == 6)
    old = runner_pid(state_dir)
    newer = "import tailrace.host.runner_link as l, sys, tailrace; l.VERSION = (99, 0, 0)\n"
    # a runner reports the version of its own code, so a newer caller must not send away what it has just started
    code = newer + (
        "import tailrace._version; link = l._BOOT\n"
        "l._BOOT = link.replace('from tailrace.host.runner import main;',"
        " 'import tailrace.host.runner as r; r.VERSION = (99, 0, 0); main = r.main;')\n"
        "print(tailrace.connect(sys.argv[1]).start(['echo', 'new']).wait().outcome)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(state_dir)], check=True, capture_output=True, text=True)
    assert "Exited(code=0)" in done.stdout
    assert runner_pid(state_dir) not in (0, old)
    first.send(b"\n")
    info = first.wait(30)
    assert info.outcome == Exited(0)
    assert b"".join(chunk.data for chunk in first.follow()) == b"begun\nwent on\n"
