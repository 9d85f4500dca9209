"""The processes of one run, as its keeper sees them: its command, and whatever that has started."""

import os
import signal
import time
from collections.abc import Callable

from tailrace.host import linux, settle, tree
from tailrace.host.linux import Stat
from tailrace.host.spawn import Command
from tailrace.host.tree import Traces


class Family:
    """Those of one run, from the command's start on.

    Args:
        run_id: the run.
        pipes: returns the pipes by which some of them can be known.
        may_stay: whether what the command leaves behind is left alone: then only the command counts.

    Attributes:
        command: None until it has been started.
        status: the command's raw wait status; None until it has ended.
        exited_ns: when that was.
    """

    def __init__(self, run_id: str, pipes: Callable[[], tuple[int, ...]], *, may_stay: bool) -> None:
        self.command: Command | None = None
        self.status: int | None = None
        self.exited_ns = 0
        self._run_id = run_id
        self._pipes = pipes
        self._may_stay = may_stay
        self._is_alone = False
        self._has_guests = False
        """whether all that is left below us are runners, started from inside the run, and what is theirs"""

    @property
    def is_gone(self) -> bool:
        """Whether nobody is left who has to end."""
        return self.status is not None and (self._is_alone or self._has_guests or self._may_stay)

    def reap(self) -> None:
        """Collect all children that ended, the command's orphans included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._is_alone = True
                return
            if pid == 0:
                self._is_alone = False
                return
            if self.command is not None and pid == self.command.pid:
                self._note_exit(status)

    def processes(self) -> list[Stat]:
        """Return those that are to end: all, or the command alone where others may stay."""
        if self._may_stay:
            stat = linux.stat_of(self.command.pid) if self.command and self.status is None else None
            return [stat] if stat else []
        return self.everybody()

    def everybody(self) -> list[Stat]:
        """Return all that are left."""
        return tree.scan(self._traces(), by_marks=False)

    def sessions(self) -> set[tuple[int, int]]:
        """Return the sessions in which they are, each with the start of its leader, or 0 if that is dead."""
        return set(map(_session_of, self.processes()))

    def are_guests(self) -> bool:
        """Look whether all that is left is below runners that were started from inside the run; return that.

        Every descendant of ours is below a child of ours, since orphans come to us.
        """
        children = linux.children_of(os.getpid())
        self._has_guests = self.status is not None and bool(children) and all(map(tree.is_runners, children))
        return self._has_guests

    def send(self, number: int) -> int:
        """Send the signal to those that are to end; return how many got it."""
        reached = self._deliver(number)
        if reached:
            self._has_guests = False
        else:
            self.are_guests()
        return reached

    def kill(self) -> None:
        """Kill all, whatever state we are in, and remove their control group."""
        tree.kill_all(self._traces(), by_marks=True)
        if self.command is not None and self.command.cgroup is not None:
            settle.remove_group(self.command.cgroup)

    def _deliver(self, number: int) -> int:
        if number == signal.SIGKILL and not self._may_stay:
            return len(tree.kill_all(self._traces(), by_marks=True))
        processes = self.processes()
        reached = tree.send(processes, number)
        if number != signal.SIGKILL:
            tree.send(processes, signal.SIGCONT)
        return reached

    def _note_exit(self, status: int) -> None:
        self.status = status
        self.exited_ns = time.monotonic_ns()
        if self.command is not None and self.command.terminal >= 0:
            os.close(self.command.terminal)

    def _traces(self) -> Traces:
        return Traces(
            self._run_id,
            roots=frozenset((os.getpid(),)),
            cgroup=self.command.cgroup if self.command else None,
            pipes=frozenset(self._pipes()),
        )


def _session_of(process: Stat) -> tuple[int, int]:
    leader = linux.stat_of(process.session)
    return process.session, leader.start if leader else 0
