"""As a program: a command with a user of its own and too many processes, where no cgroup can be made."""

import sys

from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import cgroup

SHOW = "ulimit -u"
BOMB = f"{SHOW}; for n in $(seq 150); do sleep 30 & done; wait"


def main(state: str) -> None:
    """Print which limit ended the run, what the kernel allowed it, and what it allows a run without a limit."""
    assert cgroup.parents() == ()
    engine = DiskEngine(state)
    run = engine.start(["bash", "-c", BOMB], user="nobody", cwd="/", max_processes=20, ladder=(("KILL", 0.0),))
    print(run.wait(timeout=60).limit, first_word(run))  # noqa: T201 (the test reads it)
    free = engine.start(["bash", "-c", SHOW], user="nobody", cwd="/")
    print(first_word(free))  # noqa: T201 (the test reads it)


def first_word(run: Run) -> str:
    """Return the first word that the run prints."""
    return b"".join(chunk.data for chunk in run.follow()).split()[0].decode()


if __name__ == "__main__":
    main(sys.argv[1])
