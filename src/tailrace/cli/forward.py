"""Our standard input on its way to the command's."""

import os
import select
import threading

from tailrace.core.errors import TailraceError, WrongState
from tailrace.engine.run import Run
from tailrace.host.messages import INPUT_BYTES

STDIN = 0


class Forwarder:
    """Passes standard input on, in a thread of its own: each piece waits until the command has taken it.

    So at most one piece is held; whoever writes to us waits in their pipe meanwhile. The thread ends with the process.
    """

    def __init__(self, run: Run, *, at_terminal: bool) -> None:
        self._run = run
        self._at_terminal = at_terminal
        self._is_from_terminal = os.isatty(STDIN)
        self._begun = threading.Event()
        self.failure: TailraceError | None = None
        threading.Thread(target=self._serve, name="tailrace-input", daemon=True).start()

    def begin(self) -> None:
        """The command is there; may be repeated."""
        self._begun.set()

    def _serve(self) -> None:
        self._begun.wait()
        try:
            self._forward()
        except WrongState:
            return  # it has closed its input, or has ended: what `yes | true` is to yes
        except TailraceError as error:
            self.failure = error

    def _forward(self) -> None:
        last = b"\n"
        while data := _read():
            self._run.send(data)
            last = data[-1:]
        if self._is_from_terminal and _has_hung_up():
            return  # nobody said that the input ends: the terminal was closed, and the run is left as it is
        self._run.close_input()
        if self._at_terminal and last != b"\n":
            self._run.close_input()  # behind half a line, a terminal's first end-of-file only hands over that half


def _has_hung_up() -> bool:
    poll = select.poll()
    poll.register(STDIN, 0)
    return any(events & select.POLLHUP for _fd, events in poll.poll(0))


def _read() -> bytes:
    """Return the next piece of standard input; empty at its end, or when it cannot be read (any more)."""
    while True:
        try:
            return os.read(STDIN, INPUT_BYTES)
        except BlockingIOError:
            select.select([STDIN], [], [])
        except OSError:
            return b""
