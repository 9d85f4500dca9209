"""Signals as something to read: noted when they come, dealt with by the loop when it looks."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

_Handler = Callable[[int, FrameType | None], object] | int | None


class Signals:
    """Notes the given signals while it is entered; `fd` is readable when there is one. For the main thread.

    What the caller had ignored (nohup, a shell's background job) stays ignored. A signal that comes while two of its
    kind still wait, because something hangs, has its ordinary effect again: the next one ends the process.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = tuple(numbers)
        self._came: deque[int] = deque()
        self._before: dict[int, _Handler] = {}
        self.fd = self._writing = -1

    def __enter__(self) -> Self:
        """Begin to note."""
        self.fd, self._writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in self._numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Have everything as it was."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self.fd)
        os.close(self._writing)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._came.count(number) >= 2:
            signal.signal(number, signal.SIG_DFL)
        self._came.append(number)

    def take(self) -> list[int]:
        """Return the signals that came since the last look, in their order."""
        with suppress(BlockingIOError):  # nothing came, or it was noted between two looks
            os.read(self.fd, 4096)
        taken = []
        while self._came:
            taken.append(self._came.popleft())
        return taken
