"""The streams of a run's command, as its keeper has them: open descriptors, waited for with everything else."""

import os
import select

from tailrace.core.timeline import Stream


class Streams(dict[int, Stream]):
    """Which stream each descriptor is; whoever puts one in gives it away.

    Args:
        poll: the keeper's.
    """

    def __init__(self, poll: select.poll) -> None:
        super().__init__()
        self._poll = poll

    def listen(self) -> None:
        """Have the poll report what comes, and ends."""
        for fd in self:
            self._poll.register(fd, select.POLLIN)

    def rest(self) -> None:
        """Have it report nothing, until `listen`: the bytes stay with the command."""
        for fd in self:
            self._poll.unregister(fd)

    def forget(self, fd: int) -> None:
        """Close one that is listened to, and has ended."""
        del self[fd]
        self._poll.unregister(fd)
        os.close(fd)
