"""A descriptor that one thread rings and another waits on."""

import os
import posix  # its read and write are those that eventlet leaves alone: where there is nothing, they return
import sys


class Bell:
    """Readable from the first `ring` until `clear`. Ringing never blocks, whatever nobody hears."""

    def __init__(self) -> None:
        """Make the descriptors.

        Raises:
            OSError: this process has too many open.
        """
        if sys.platform == "linux":
            self.fd = self._writing = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        else:
            self.fd, self._writing = os.pipe()
            os.set_blocking(self.fd, False)
            os.set_blocking(self._writing, False)

    def ring(self) -> None:
        """Make the descriptor readable."""
        try:
            posix.write(self._writing, b"\1\0\0\0\0\0\0\0")
        except OSError:
            return  # full: it is readable already; closed: nobody waits any more

    def clear(self) -> None:
        """Make it unreadable; look at what was announced *after* this."""
        try:
            posix.read(self.fd, 4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Let go of the descriptors."""
        for fd in {self.fd, self._writing}:
            if fd >= 0:
                os.close(fd)
        self.fd = self._writing = -1
