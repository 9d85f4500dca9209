"""The keeper's control socket: who may speak, and one request at a time from each.

Every buffer is bounded: a connection holds one unfinished message; while its request is being carried out (input that
the command does not take yet) it is not read, and the sender waits in its own socket.
"""

import select
import socket
from collections.abc import Callable

import msgspec

from tailrace.host import messages, unix
from tailrace.host.messages import KEEPER_REQUESTS, KeeperRequest, Reply

CONNECTIONS = 64
Handler = Callable[["Connection", KeeperRequest], Reply | None]


class Connection:
    """Somebody who asks. `answer` ends the request that is being carried out."""

    def __init__(self, peer: socket.socket, poll: select.poll) -> None:
        self.peer = peer
        self.inbox = messages.Inbox()
        self._poll = poll

    def wait(self) -> None:
        """Read nothing more until the answer is given."""
        self._poll.modify(self.peer, 0)

    def answer(self, reply: Reply) -> None:
        """Send the reply, and listen again."""
        try:
            self.peer.send(messages.encode(reply))
            self._poll.modify(self.peer, select.POLLIN)
        except (OSError, KeyError, ValueError):
            pass  # whoever asked has gone; `serve` sees it and closes


class ControlServer:
    """Accepts connections and hands whole requests to the handler, which answers now or later."""

    def __init__(self, listener: socket.socket, poll: select.poll, handler: Handler) -> None:
        """Listen on the socket, within the caller's poll."""
        self._listener = listener
        self._poll = poll
        self._handler = handler
        self._connections: dict[int, Connection] = {}
        poll.register(listener, select.POLLIN)

    def owns(self, fd: int) -> bool:
        """Tell whether the descriptor is one of ours."""
        return fd == self._listener.fileno() or fd in self._connections

    def serve(self, fd: int) -> None:
        """Handle what the poll reported for the descriptor."""
        if fd == self._listener.fileno():
            self._accept()
        elif not self._receive(self._connections[fd]):
            self._drop(fd)

    def close(self) -> None:
        """End all conversations."""
        for fd in list(self._connections):
            self._drop(fd)
        self._poll.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= CONNECTIONS or not unix.is_same_user(peer):
            peer.close()
            return
        peer.setblocking(False)
        self._connections[peer.fileno()] = Connection(peer, self._poll)
        self._poll.register(peer, select.POLLIN)

    def _receive(self, connection: Connection) -> bool:
        try:
            data = connection.peer.recv(65536)
            if not data:
                return False
            connection.inbox.feed(data)
            while (body := connection.inbox.take()) is not None:
                self._handle(connection, body)
        except BlockingIOError:
            return True
        except (OSError, ValueError):
            return False
        return True

    def _handle(self, connection: Connection, body: bytes) -> None:
        try:
            request = KEEPER_REQUESTS.decode(body)
        except msgspec.MsgspecError as error:
            connection.answer(Reply(error=f"not understood: {error}", hint="see that all run the same Tailrace"))
            return
        reply = self._handler(connection, request)
        if reply is not None:
            connection.answer(reply)

    def _drop(self, fd: int) -> None:
        connection = self._connections.pop(fd)
        self._poll.unregister(fd)
        connection.peer.close()
