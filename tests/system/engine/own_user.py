"""As a program: a command with a user of its own and too many processes, where no cgroup can be made."""

import sys

from tailrace.core.outcome import Exited
from tailrace.engine.disk import DiskEngine
from tailrace.host import cgroup

BOMB = "ulimit -u; for n in $(seq 150); do sleep 30 & done; wait"


def main(state: str) -> None:
    """Print which limit ended the run, and what the kernel allowed it."""
    assert cgroup.parents() == ()
    engine = DiskEngine(state)
    run = engine.start(["bash", "-c", BOMB], user="nobody", cwd="/", max_processes=20, ladder=(("KILL", 0.0),))
    info = run.wait(timeout=60)
    shown = b"".join(chunk.data for chunk in run.follow()).split()[0].decode()
    print(info.limit, shown)  # noqa: T201 (the test reads it)
    same = engine.start(["sh", "-c", "ulimit -u"], user="nobody", cwd="/")
    assert same.wait(timeout=60).outcome == Exited(0)


if __name__ == "__main__":
    main(sys.argv[1])
