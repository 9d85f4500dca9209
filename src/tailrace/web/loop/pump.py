"""Bytes that go from a file to a client as they are, without passing through here: sendfile(2).

The loop's transport has no such call, and lets nobody wait for its descriptor; so the pump has a duplicate of that. The
transport's own buffer must be empty before it begins, and nobody may write to it until it is done. While the client
takes, the pump goes on at each writable moment with as much as the socket holds, and all others are served in between.
"""

import asyncio
import os
from collections.abc import Callable

AT_ONCE_BYTES = 512 << 10


class Pump:
    """One passage from a file to a socket. Give it to nobody else, and `close` it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket_fd: int, file_fd: int, begin: int, end: int) -> None:
        """Prepare to send the bytes of [begin, end).

        Raises:
            OSError: this process has too many files open.
        """
        self._loop = loop
        self._socket = os.dup(socket_fd)
        self._file = file_fd
        self._at, self._end = begin, end
        self._done: asyncio.Future[None] = loop.create_future()

    async def run(self, on_taken: Callable[[int], None]) -> None:
        """Send everything.

        Args:
            on_taken: told how many bytes the socket has taken, each time.

        Raises:
            ConnectionError: the client has left.
            EOFError: the file ends before that.
            OSError: it cannot be read.
        """
        self._send(on_taken)
        if not self._done.done():
            self._loop.add_writer(self._socket, self._send, on_taken)
        await self._done

    def stop(self, error: Exception) -> None:
        """Send no more, and have `run` raise this."""
        if not self._done.done():
            self._done.set_exception(error)

    def close(self) -> None:
        """Let go of the duplicate. Safe to repeat."""
        if self._socket >= 0:
            self._loop.remove_writer(self._socket)
            os.close(self._socket)
            self._socket = -1

    def _send(self, on_taken: Callable[[int], None]) -> None:
        if self._done.done():
            return
        try:
            count = os.sendfile(self._socket, self._file, self._at, min(AT_ONCE_BYTES, self._end - self._at))
        except BlockingIOError:
            return
        except OSError as error:
            self.stop(error)
            return
        if not count:
            self.stop(EOFError(f"the file ends at byte {self._at}"))
            return
        self._at += count
        on_taken(count)
        if self._at == self._end:
            self._loop.remove_writer(self._socket)
            self._done.set_result(None)
