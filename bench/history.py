"""Writes finished runs into a state directory, through the functions that real runs are written by.

As a process: `history.py STATE COUNT FIRST_US`. What real runs do besides, syncing each to the disk, is left out here:
nothing that is measured afterwards depends on it, and it would take an hour.
"""

import os
import random
import sys
from datetime import UTC, datetime, timedelta

from tailrace.core import ids
from tailrace.core.outcome import Exited, FailedToStart, Lost, Outcome, Signaled, Stopped, TimedOut
from tailrace.core.result import Result, Usage
from tailrace.core.spec import Anchor, Launch, Spec
from tailrace.host import ending, rundir
from tailrace.host.rundir import RunDir
from tailrace.host.statedir import StateDir, write_file

COMMANDS = [f"command-{number}" for number in range(20)]
BRANCHES = [f"branch-{number}" for number in range(50)]
RARE = 1000
"""one run of so many has a rare outcome, and one the label `rare`"""
EVERY_US = 30_000_000


def main(path: str, count: int, first_us: int) -> None:
    """Write so many runs."""
    os.fsync = os.fdatasync = lambda _fd: None  # type: ignore[assignment]
    source = random.Random(first_us)  # noqa: S311  no secrets
    state = StateDir(path)
    for number in range(count):
        _write(state, first_us + number * EVERY_US, number, source)
    state.close()


def _write(state: StateDir, created_us: int, number: int, source: random.Random) -> None:
    created = datetime.fromtimestamp(created_us / 1e6, UTC)
    labels = {"branch": source.choice(BRANCHES), "by": f"person-{source.randrange(9)}"}
    if number % RARE == 0:
        labels["rare"] = "yes"
    spec = Spec(
        id=ids.make(created_us, os.urandom(ids.RANDOM_BYTES)),
        argv=("make", "-j4", f"target-{number}"),
        cwd="/srv/project",
        created=created,
        anchor=Anchor(created_us, created_us, "a-boot-id"),
        command=source.choice(COMMANDS),
        env=tuple(f"VARIABLE_{index}" for index in range(30)),
        labels=labels,
    )
    rundir.create(state, spec, Launch(argv=(b"make",), cwd=b"/srv/project", env=()))
    output = b"".join(b"line %d of run %d\n" % (line, number) for line in range(source.randrange(20)))
    with RunDir(state, spec.id) as run:
        os.close(run.open_lock())
        write_file("output", output, dir_fd=run.fd, flags=0)
        started, ended = created + timedelta(milliseconds=3), created + timedelta(seconds=source.randrange(1, 90))
        usage = Usage(source.random(), source.random(), 1 << 24)
        took = (ended - started).total_seconds()
        outcome = _outcome(number, source)
        ending.record(
            run, Result(outcome=outcome, started=started, ended=ended, duration_s=took, size=len(output), usage=usage)
        )


def _outcome(number: int, source: random.Random) -> Outcome:
    if number % RARE == 1:
        return Lost("the host restarted")
    usual: list[Outcome] = [Exited(0)] * 16 + [Exited(1), Signaled(15), Stopped("somebody"), TimedOut("wall")]
    return FailedToStart("no such file", 127) if number % 50 == 0 else source.choice(usual)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
