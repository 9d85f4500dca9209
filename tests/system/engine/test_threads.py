"""Many threads of one process that meet in everything at once, and for the first time."""

import subprocess
import sys
from pathlib import Path

import tailrace

THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)  # seconds: a thread is interrupted wherever it can be
import tailrace

engine = tailrace.connect(sys.argv[1])
meet = threading.Barrier(8)
seen = []

def work():
    meet.wait()
    assert engine.get(sys.argv[2]).is_finished
    run = engine.start(["echo", "hi"])
    assert run.info().id == run.id
    assert run.wait().outcome.code == 0
    assert engine.spec(run.id).argv == ("echo", "hi")
    assert run.id in [other.id for other in engine.list(tailrace.Query()).runs]
    seen.append(b"".join(chunk.data for chunk in run.follow() if isinstance(chunk, tailrace.Chunk)))

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert seen == [b"hi\\n"] * 8, seen
"""


def test_the_first_calls_of_all_threads_come_at_once(state_dir: Path) -> None:
    """A decoder made on first use, by several threads at a time, once ended whole servers."""
    run = tailrace.connect(state_dir).start(["true"])
    run.wait()
    for _ in range(5):
        command = [sys.executable, "-X", "faulthandler", "-c", THREADS, str(state_dir), run.id]
        assert subprocess.run(command, check=False).returncode == 0
