"""Input for the command: what somebody offers, written as fast as the command takes it.

At most one piece is held, at most one message long; whoever offered it gets the answer when the command's pipe has
taken all of it, and waits in the meantime.
"""

import os
import select

from tailrace.host.control import Connection
from tailrace.host.messages import SENDING, Reply

END_OF_FILE = b"\x04"
"""what a terminal takes for the end of input (VEOF)"""
_CLOSED = Reply(error="the command takes no more input", hint="it has closed its standard input, or has ended")
_NONE = Reply(error="the command was started without input", hint="start it with --input (stdin=True), or with a pty")
_BUSY = Reply(error=SENDING, hint="try again when that is done")


class Feeder:
    """Writes to the command's standard input; `fd` is -1 when there is none (any more)."""

    def __init__(self, fd: int, poll: select.poll, *, is_terminal: bool) -> None:
        self.fd = fd
        self._poll = poll
        self._is_terminal = is_terminal
        self._missing = _NONE if fd < 0 else _CLOSED
        self._held = b""
        self._waiting: Connection | None = None
        self._is_beginning = False
        """whether what is held is what the input begins with, and nobody waits for that"""
        self._closes = False

    def begin(self, data: bytes, *, closes: bool) -> None:
        """Write what the input begins with, before anybody's; end it behind that where it `closes`."""
        self._held, self._closes = data, closes
        self._is_beginning = not self._write()
        if self._is_beginning:
            self._poll.register(self.fd, select.POLLOUT)
        elif closes:
            self.close()

    def offer(self, connection: Connection, data: bytes) -> Reply | None:
        """Take the data; the answer comes later if the command is slow."""
        if self.fd < 0:
            return self._missing
        if self._is_busy:
            return _BUSY
        self._held = data
        if self._write():
            return Reply() if self.fd >= 0 else self._missing
        self._waiting = connection
        connection.wait()
        self._poll.register(self.fd, select.POLLOUT)
        return None

    def finish(self, connection: Connection) -> Reply | None:
        """End the input: close the pipe, or type the terminal's end-of-file character."""
        if self._is_terminal:
            return self.offer(connection, END_OF_FILE)
        if self.fd < 0:
            return self._missing
        if self._is_busy:
            return _BUSY
        self.close()
        return Reply()

    def feed(self) -> None:
        """Go on writing; the poll says that there is room, or that nobody reads any more."""
        if not self._write():
            return
        if self._is_beginning:
            self._end_beginning()
        else:
            self._answer(Reply() if self.fd >= 0 else self._missing)

    def close(self) -> None:
        """Let go of the input."""
        self._answer(self._missing)
        if self.fd >= 0:
            if self._is_beginning:
                self._poll.unregister(self.fd)
                self._is_beginning = False
            os.close(self.fd)
            self.fd = -1

    @property
    def _is_busy(self) -> bool:
        return self._waiting is not None or self._is_beginning

    def _end_beginning(self) -> None:
        """Let others write, or end the input."""
        if self._closes:
            self.close()
        elif self.fd >= 0:
            self._poll.unregister(self.fd)
        self._is_beginning = False

    def _write(self) -> bool:
        """Write what is held; True when nothing is left to write, also because nobody reads."""
        while self._held:
            try:
                self._held = self._held[os.write(self.fd, self._held) :]
            except BlockingIOError:
                return False
            except OSError:
                self._held = b""
                self.close()
        return True

    def _answer(self, reply: Reply) -> None:
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        if self.fd >= 0:
            self._poll.unregister(self.fd)
        waiting.answer(reply)
