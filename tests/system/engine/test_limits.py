"""What a process of ours runs out of is said of the process, never of a run."""

import subprocess
import sys
from pathlib import Path

from tailrace.engine.disk import DiskEngine

NO_MORE_FILES = """
import os, resource, sys
import tailrace
from tailrace.core.errors import EngineError
engine = tailrace.connect(sys.argv[1])
cursor = engine.cursor(sys.argv[2])
assert engine.get(sys.argv[2]).state == "running" and cursor.look()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
calls = {
    "get": lambda: engine.get(sys.argv[2]),
    "spec": lambda: engine.spec(sys.argv[2]),
    "list": lambda: engine.list(tailrace.Query()).runs[0],
    "cursor": lambda: engine.cursor(sys.argv[2]),
    "start": lambda: engine.start(["true"], key="one"),
    "look": cursor.look,
    "at": lambda: cursor.at(0),
}
for name, call in calls.items():
    try:
        answer = call()
    except (EngineError, OSError) as error:
        assert "too many open files" in str(error).lower(), (name, error)
        assert "cannot be put" not in str(error), (name, error)
    else:
        raise SystemExit(f"{name} answered {answer}")
for fd in taken:
    os.close(fd)
assert engine.get(sys.argv[2]).state == "running"
assert cursor.look() is None
"""


def test_without_files_no_run_is_called_lost(engine: DiskEngine, state_dir: Path) -> None:
    """Every call says what this process lacks; afterwards all is as it was."""
    run = engine.start(["sh", "-c", "echo one; read go"], stdin=True)
    while run.info().size < 4:
        pass
    command = [sys.executable, "-c", NO_MORE_FILES, str(state_dir), run.id]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    run.stop(now=True)
