"""Ending what a test left running.

Runs outlive whoever started them, and so they would outlive the tests. First goes all that is in the control groups of
the directory's runs, at one blow each: a tree may grow faster than it can be killed one by one. Then, one by one, what
is left. A process belongs to a state directory if its
command line or a value of its environment names that very directory, or if its `TAILRACE_RUN` is a run kept there: ids
are unguessable, so that names the directory as well. Nothing else is touched, whatever it is called.

Where there is no /proc, nothing is found and nothing is ended.
"""

import contextlib
import os
import re
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tailrace.host import cgroup

PROC = Path("/proc")


class LeftRunning(AssertionError):
    """Processes of a state directory were still there at the deadline."""


def end_everything(state_dir: Path, deadline: float = 30.0) -> None:
    """Kill every process that belongs to the state directory, and return when none is left.

    Looks again after each round, since what is killed may have just started something. This process and those above it
    are spared.

    Args:
        state_dir: the directory; it may be gone already.
        deadline: seconds after which to give up.

    Raises:
        LeftRunning: some could not be ended; names their pids.
    """
    give_up = time.monotonic() + deadline
    for group in _groups(state_dir):
        cgroup.end(group)
    while left := find_processes(state_dir):
        if time.monotonic() >= give_up:
            raise LeftRunning(f"{state_dir}: could not end {left}")
        for pid in left:
            _kill(pid, state_dir, give_up)
    for group in _groups(state_dir):
        group.remove()


def _groups(state_dir: Path) -> list[cgroup.Cgroup]:
    """Return the control groups of the directory's runs that are still there."""
    texts = [_text(path) for path in (state_dir / "runs").glob("*/live.json")]
    places = [found[1] for text in texts if (found := re.search(r'"cgroup":"([^"]+)"', text))]
    return [group for place in places if (group := cgroup.existing(place))]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def find_processes(state_dir: Path) -> list[int]:
    """Return the pids of the processes that belong to the state directory, without this one and those above it."""
    spared = set(_own_line())
    return [pid for pid in _pids() if pid not in spared and _belongs(pid, state_dir)]


def _belongs(pid: int, state_dir: Path) -> bool:
    environ = _read(pid, "environ")
    # the whole path: /tmp/a is mentioned neither by /tmp/ab nor by /var/tmp/a
    mention = re.compile(rb"(?<![\w./-])" + re.escape(os.fsencode(state_dir)) + rb"(?![\w.-])")
    if mention.search(environ) or mention.search(_read(pid, "cmdline")):
        return True
    run = re.search(rb"(?:^|\0)TAILRACE_RUN=(\w+)(?:\0|$)", environ)
    return run is not None and (state_dir / "runs" / run[1].decode()).is_dir()


def _kill(pid: int, state_dir: Path, give_up: float) -> None:
    """Kill the process and wait until it has ended; a pid that is somebody else's by now is left alone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _belongs(pid, state_dir):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            poll = select.poll()  # select takes no descriptor above 1023
            poll.register(handle, select.POLLIN)
            poll.poll(max(0.0, give_up - time.monotonic()) * 1000)
    finally:
        os.close(handle)


def _pids() -> Iterator[int]:
    if PROC.is_dir():
        yield from (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def _own_line() -> Iterator[int]:
    """Yield this process, its parent, and so on up to the first; they may name the directory without being its own."""
    pid = os.getpid()
    while pid > 0:
        yield pid
        parent = re.search(rb"^PPid:\s*(\d+)", _read(pid, "status"), re.MULTILINE)
        pid = int(parent[1]) if parent else 0


def _read(pid: int, name: str) -> bytes:
    """Return a file of the process; nothing if it has ended meanwhile or is not ours to look at."""
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""
