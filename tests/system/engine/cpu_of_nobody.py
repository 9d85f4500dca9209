"""As a program: processes that nobody waits for, where control groups of version 1 count."""

import sys
from pathlib import Path

from tailrace.host import cgroup, cputime
from tests.support.wait import wait_for
from tests.system.engine import hogs


def groups() -> set[Path]:
    """Return the groups that count for runs."""
    return set(Path(cgroup.hierarchies()[cputime.CONTROLLER]).glob(f"{cgroup.PREFIX}*"))


def main(state: str) -> None:
    """See that they are counted, and say by what."""
    before = groups()
    hogs.try_one(state, hogs.NOBODYS)
    wait_for(lambda: groups() <= before)
    print(f"{cputime.what_counts()}, nothing left")  # noqa: T201 (the test reads it)


if __name__ == "__main__":
    main(*sys.argv[1:])
