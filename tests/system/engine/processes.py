"""Looking at processes from outside, as the system shows them."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tailrace.engine.disk import DiskEngine
from tailrace.host import linux, tree
from tailrace.host.rundir import RunDir


class Process(NamedTuple):
    """A process that a test saw, so that a later one with its pid is not taken for it."""

    pid: int
    start: int

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended; one that waits to be collected has."""
        stat = linux.stat_of(self.pid)
        return stat is not None and stat.start == self.start and not stat.is_dead

    def end(self) -> None:
        """Kill it, if it is there."""
        if self.is_alive:
            os.kill(self.pid, signal.SIGKILL)


def seen(pid: int) -> Process:
    """Return the process that has this pid now."""
    stat = linux.stat_of(pid)
    assert stat is not None, f"there is no process {pid}"
    return Process(pid, stat.start)


def marked(run_id: str) -> set[int]:
    """Return the living processes that carry the run's mark in their environment, its keeper not among them."""
    pids = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()}
    return {pid for pid in pids if tree.mark_of(pid) == run_id}


def group_of(engine: DiskEngine, run_id: str) -> Path | None:
    """Return the control group of a run that is going."""
    with RunDir(engine.state, run_id) as run:
        live = run.live()
    return Path(live.cgroup) if live and live.cgroup else None


def left_of(run_id: str, known: Iterable[Process]) -> list[object]:
    """Return whatever is left of a run: marked processes, and known ones."""
    return [*marked(run_id), *(process for process in known if process.is_alive)]
