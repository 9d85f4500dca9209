"""What a keeper has ready before it knows its run: a poll, waking by signals, a process that becomes the command."""

import os
import select
import signal
from typing import NamedTuple

from tailrace.host import spawn
from tailrace.host.spawn import Blank
from tailrace.host.statedir import StateDir

_is_told_to_go = False


class Stage(NamedTuple):
    """What any run needs, made before it is known which."""

    state: StateDir
    poll: select.poll
    wakeup: int
    wakeup_end: int
    blank: Blank | None
    """None: the system had no process to give"""


def set_stage(state: StateDir) -> Stage:
    """Make everything that a run needs and can be made before there is one."""
    poll = select.poll()
    reading, writing = _wake_on_signals()
    poll.register(reading, select.POLLIN)
    try:
        blank = spawn.prepare(state)
    except OSError:
        blank = None
    return Stage(state, poll, reading, writing, blank)


def prepare_signals() -> None:
    """Set what keepers do on signals, in the process that forks them: doing it in each would cost 0.2 MiB each."""
    signal.signal(signal.SIGCHLD, _note_signal)
    signal.signal(signal.SIGTERM, _note_signal)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def is_told_to_go() -> bool:
    """Tell whether SIGTERM has come, as a machine sends it when it goes down."""
    return _is_told_to_go


def forget_signals() -> None:
    """Begin anew, in a fresh fork: what came was for the forker, if for anybody."""
    global _is_told_to_go  # noqa: PLW0603
    _is_told_to_go = False


def _note_signal(number: int, _frame: object) -> None:
    """Note SIGTERM; a child's end is seen by its waking us."""
    global _is_told_to_go  # noqa: PLW0603 (a signal belongs to the process)
    if number == signal.SIGTERM:
        _is_told_to_go = True


def _wake_on_signals() -> tuple[int, int]:
    """Return the ends of a pipe that becomes readable when a signal has come."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading, writing
