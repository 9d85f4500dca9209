"""The served ASGI application, and clients of its websockets that nobody here wrote."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import cast

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.system.web.server import Server

KINDS = ("plain", "lending")
"""uvicorn's own protocol, and ours"""
SUBPROTOCOL = Subprotocol("tailrace.v1")
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""what makes a request the handshake of a websocket (RFC 6455, 4.1)"""


def start(kind: str, state_dir: Path, tmp_path: Path) -> Server:
    """Return a server of this kind."""
    command = ("-m", "tests.system.web.served_sockets", "{port}", kind)
    return Server(kind, tmp_path / f"{kind}.log", {"TAILRACE_STATE": str(state_dir)}, command)


class Client:
    """One websocket, and what has come of it."""

    def __init__(self, socket: ClientConnection, offset: int = 0) -> None:
        self.socket = socket
        self.offset = offset
        self.output = b""
        self.stdout = b""
        self.objects: list[dict[str, object]] = []

    def send(self, **fields: object) -> None:
        """Send a text message."""
        self.socket.send(json.dumps(fields))

    def read(self) -> dict[str, object] | None:
        """Read one message; return it if it is an object."""
        message = self.socket.recv(60)
        if isinstance(message, str):
            found = cast("dict[str, object]", json.loads(message))
            self.objects.append(found)
            if found["type"] == "gap":
                assert found["from"] == self.offset
                self.offset = cast("int", found["to"])
            return found
        kind, stream, offset = message[0], message[1], int.from_bytes(message[2:10])
        assert (kind, offset) == (1, self.offset)
        data = message[18:]
        self.offset += len(data)
        self.output += data
        self.stdout += data if stream == 1 else b""
        return None

    def until(self, **fields: object) -> dict[str, object]:
        """Read until there is an object with these fields, and return it."""
        while True:
            found = self.read()
            if found is not None and fields.items() <= found.items():
                return found

    def until_output(self, data: bytes) -> None:
        """Read until the output has this in it."""
        while data not in self.output:
            self.read()

    def closed(self) -> tuple[int, str]:
        """Read to the end; return how it was closed."""
        try:
            while True:
                self.read()
        except ConnectionClosed as error:
            close = error.rcvd
            return (1006, "") if close is None else (close.code, close.reason)


@contextmanager
def opened(
    server: Server, run_id: str, query: str = "", *, at: str = "/open", user: str | None = None, offset: int = 0
) -> Iterator[Client]:
    """Open a websocket on a run."""
    url = f"ws://127.0.0.1:{server.port}{at}/api/runs/{run_id}/socket{query}"
    headers = {} if user is None else {"X-User": user}
    with connect(
        url, subprotocols=[SUBPROTOCOL], additional_headers=headers, max_size=None, compression=None, proxy=None
    ) as socket:  # fmt: skip
        assert socket.subprotocol == SUBPROTOCOL
        yield Client(socket, offset)


def asked(server: Server, path: str, headers: dict[str, str] | None = None) -> tuple[HTTPResponse, bytes]:
    """Return the answer to a GET, and its body."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response, response.read() if response.status != 101 else b""
    finally:
        connection.close()
