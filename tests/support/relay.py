"""A stretch of network between a client and a server, which can be held up and cut."""

import socket
import threading
from contextlib import suppress
from typing import Self


class Relay:
    """Passes bytes on to a port of this machine, both ways; use it as a context."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._flows = threading.Event()
        self._flows.set()
        self.asked = bytearray()
        """what clients have sent"""
        self.passed = 0
        """bytes that went to clients"""
        self.accepted = 0
        """connections that clients made"""
        self.cuts: list[int] = []
        """after how many bytes to its client to cut each of the next connections"""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where clients connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def hold(self) -> None:
        """Pass nothing on to clients for now, on any connection."""
        self._flows.clear()

    def flow(self) -> None:
        """Go on."""
        self._flows.set()

    def cut(self) -> None:
        """Reset all connections."""
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flows.set()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self.accepted += 1
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [client, server]
                threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
                threading.Thread(target=self._to_client, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client:
            while data := client.recv(65536):
                self.asked += data
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        sent, limit = 0, self.cuts.pop(0) if self.cuts else None
        with suppress(OSError), server:
            while data := server.recv(4096):
                self._flows.wait()
                if limit is not None and sent + len(data) >= limit:
                    client.sendall(data[: limit - sent])
                    break
                client.sendall(data)
                sent += len(data)
                self.passed += len(data)
            client.shutdown(socket.SHUT_RDWR)
