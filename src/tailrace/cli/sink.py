"""A descriptor of ours that output goes to, written to without ever being stuck in it.

Whoever reads our output may stop reading (a pager, a terminal after ^S) while ^C must still work. Setting O_NONBLOCK
on a descriptor that other programs share would break those, so pipes and terminals are opened a second time, by way of
/proc, with flags of their own. Where that cannot be had, small pieces are written when poll(2) says that there is room.
"""

import os
import select
import stat

from tailrace.core.terminal import TerminalFilter


class Sink:
    """Standard output or standard error. What goes to a terminal is filtered, unless `raw`."""

    def __init__(self, fd: int, *, raw: bool = False) -> None:
        self.is_terminal = os.isatty(fd)
        self.is_at_line_start = True
        """whether a message of ours, on the same terminal, would begin a line"""
        self._filter = TerminalFilter() if self.is_terminal and not raw else None
        mode = os.fstat(fd).st_mode
        is_slow = not (stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not self.is_terminal))
        own = _reopened(fd) if is_slow and not stat.S_ISSOCK(mode) else -1
        self.fd = fd if own < 0 else own
        self._asks_first = is_slow and own < 0

    def fit(self, data: bytes) -> bytes:
        """Return what of the output is to be written here."""
        return data if self._filter is None else self._filter.feed(data)

    def rest(self) -> bytes:
        """Return what the end of the output leaves to be written."""
        return b"" if self._filter is None else self._filter.finish()

    def write(self, data: memoryview) -> int:
        """Write some of the data, and return how many bytes; 0: nothing now, poll `fd` for room.

        Raises:
            BrokenPipeError: nobody reads any more.
            OSError: it cannot be written to.
        """
        if self._asks_first:
            if not _has_room(self.fd):
                return 0
            data = data[: select.PIPE_BUF]
        try:
            written = os.write(self.fd, data)
        except BlockingIOError:
            return 0
        if written:
            self.is_at_line_start = data[written - 1] == 0x0A
        return written


def _reopened(fd: int) -> int:
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return -1  # no /proc, or somebody else's terminal


def _has_room(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))
