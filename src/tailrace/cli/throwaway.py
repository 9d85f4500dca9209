"""A state directory for once: private, gone at the end with all that runs in it, and tidied up after a `kill -9`.

Each has a lock that lives exactly as long as the process it belongs to. Whoever comes next finds those without one, and
ends what is left of them first.
"""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tailrace.api import connect
from tailrace.core.errors import TailraceError
from tailrace.engine.run import Run
from tailrace.host import lock, runner_link
from tailrace.host.messages import Drain
from tailrace.host.statedir import StateDir
from tailrace.host.wait import readable

PREFIX = "tailrace-demo-"
LOCK = "demo.lock"
STATE = "state"
PATIENCE_S = 1.2
"""for what runs to end"""
LOOK_S = 0.02


@contextmanager
def throwaway() -> Iterator[Path]:
    """Have a state directory of one's own; what the dead have left is removed before.

    At the end all its runs are stopped, by one signal after the other without waiting, its runner is sent away, and it
    is removed. What does not end in time is left for the next one to find.

    Raises:
        OSError: there is no place for it.
    """
    _sweep(Path(tempfile.gettempdir()))
    home, fd = _make()
    try:
        yield home / STATE
    finally:
        _remove(home)
        os.close(fd)


def _make() -> tuple[Path, int]:
    """Return a new directory, and its lock, which another one that sweeps may have taken for an instant."""
    while True:
        home = Path(tempfile.mkdtemp(prefix=PREFIX))
        if (fd := _locked(home)) is not None:
            return home, fd


def _sweep(parent: Path) -> None:
    """Remove what others have left that are dead."""
    for home in sorted(parent.glob(f"{PREFIX}*")):
        with suppress(OSError):
            if _is_ours(home) and (home / LOCK).exists() and (fd := _locked(home)) is not None:
                _remove(home)
                os.close(fd)


def _is_ours(home: Path) -> bool:
    """Tell whether the directory, which anybody could have put there under such a name, is this user's own alone."""
    found = home.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _locked(home: Path) -> int | None:
    """Return the lock of the directory; None if somebody has it."""
    directory = os.open(home, os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fd = lock.open_lock(LOCK, dir_fd=directory)
    finally:
        os.close(directory)
    if lock.try_lock(fd):
        return fd
    os.close(fd)
    return None


def _remove(home: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    if (home / STATE).is_dir() and not _ended(home / STATE, deadline):
        return
    while home.exists():
        shutil.rmtree(home, ignore_errors=True)
        if time.monotonic() > deadline:
            return
        readable([], LOOK_S)


def _ended(path: Path, deadline: float) -> bool:
    """End all runs, then the runner; tell whether nothing is left."""
    try:
        state = StateDir(path, create=False)
    except TailraceError:
        return False
    try:
        while state.active() and time.monotonic() < deadline:
            for run_id in state.active():
                _hurry(path, run_id)
            readable([], LOOK_S)
        with suppress(OSError):
            runner_link.ask_once(state, Drain())
        while state.has_runner() and time.monotonic() < deadline:
            readable([], LOOK_S)
        return not state.active() and not state.has_runner()
    finally:
        state.close()


def _hurry(path: Path, run_id: str) -> None:
    """Have the run's next signal sent now; a run whose keeper is dead is settled by being looked at."""
    with suppress(TailraceError):  # it has ended in between
        run = Run(connect(f"disk:{path}"), run_id)
        if not run.info().is_finished:
            run.stop(now=True)
