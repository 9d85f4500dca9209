"""A program of `test_keeper.py`: kills keepers of runs whose child carries no trace of them; says when none is left.

Started where no cgroup can be made: a mount over /sys/fs/cgroup in a mount namespace of its own.
"""

import os
import signal
import sys
from pathlib import Path

from tailrace.engine.disk import DiskEngine
from tailrace.host import cgroup
from tailrace.host.rundir import RunDir
from tests.support.wait import wait_for
from tests.system.engine.processes import Process, seen

DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.execve("/bin/sleep", ["sleep", "1000"], {})
import signal
signal.pause()
"""


def main(state: str, trials: int) -> None:
    """Try, and say what is left."""
    engine = DiskEngine(state)
    assert cgroup.parents() == ()
    left: list[Process] = []
    for _ in range(trials):
        run = engine.start([sys.executable, "-c", DAEMON])
        wait_for(lambda run=run: run.info().size > 1)  # type: ignore[misc]
        pid = int(Path(state, "runs", run.id, "output").read_bytes())
        wait_for(lambda pid=pid: Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep"))  # type: ignore[misc]
        daemon = seen(pid)
        with RunDir(engine.state, run.id) as directory:
            live = directory.live()
        assert live is not None
        os.kill(live.keeper.pid, signal.SIGKILL)
        wait_for(lambda run=run: run.info().is_finished)  # type: ignore[misc]
        left.append(daemon)
    wait_for(lambda: not any(process.is_alive for process in left))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
    print("none is left")  # noqa: T201 (the test reads it)
