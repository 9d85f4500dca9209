"""A real `tailrace serve`, and how the tests ask it."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tests.support.wait import wait_for

PATIENCE_S = 60.0
FORM = "application/x-www-form-urlencoded"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
"""the headers of a websocket's handshake"""
NOTHING: Mapping[str, str] = MappingProxyType({})
COMMANDS = """
[commands.count]
title = "Count"
argv = ["seq", "1", "{n}"]
[commands.count.parameters.n]
type = "integer"
minimum = 1
maximum = 100000
default = 3
[commands.wait]
argv = ["sh", "-c", "echo begun; exec sleep 1000"]
[commands.echo]
argv = ["sh", "-c", 'while read -r line; do echo "got $line"; done']
stdin = true
"""


class Answer(NamedTuple):
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Serving:
    """`tailrace serve FILE`, which has said where it serves when this is made.

    Args:
        directory: for its file and what it has to say.
        text: the file, besides `COMMANDS`.
        flags: more of the command line.
        env: more of the environment.
        within: a command that runs the one behind it.
    """

    def __init__(
        self,
        directory: Path,
        text: str,
        *flags: str,
        env: Mapping[str, str] = NOTHING,
        within: Sequence[str] = (),
    ) -> None:
        self._out, self._err = directory / "out", directory / "err"
        self.file = directory / "tailrace.toml"
        self.file.write_text(text + COMMANDS)
        argv = [*within, sys.executable, "-m", "tailrace", "serve", str(self.file), *flags]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                argv, cwd=directory, stdout=out, stderr=err, env={**os.environ, **env}, stdin=subprocess.DEVNULL
            )
        wait_for(lambda: self.process.poll() is not None or self._out.read_text().endswith("\n"))
        assert self.process.poll() is None, self.err()
        self.address = self._out.read_text().removeprefix("tailrace serves at ").rstrip("\n")

    @property
    def port(self) -> int:
        """The port that it has said."""
        return int(self.address.split(":")[2].partition("/")[0])

    def err(self) -> str:
        """Return what it has logged."""
        return self._err.read_text()

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    @contextmanager
    def asking(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] = NOTHING
    ) -> Iterator[HTTPResponse]:
        """Give the response, as soon as its headers are there; leaving is closing the connection."""
        with closing(self._connection()) as connection:
            connection.request(method, path, body, dict(headers))
            with connection.getresponse() as response:
                yield response

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] = NOTHING
    ) -> Answer:
        """Return the response, with the names of its headers in lower case."""
        with self.asking(path, method, body, headers) as response:
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    def post(self, path: str, form: str = "", headers: Mapping[str, str] = NOTHING) -> Answer:
        """Send a form."""
        return self.ask(path, "POST", form.encode(), {"Content-Type": FORM, **headers})

    def start(self, command: str, form: str = "") -> str:
        """Start a command, and return its run's id."""
        answer = self.post(f"/api/commands/{command}/runs", form)
        assert answer.status == 201, answer
        return answer.headers["location"].rpartition("/")[2]

    def type(self, run_id: str, text: str, query: str = "") -> None:
        """Send input to a run; with `?close=1` end it."""
        headers = {"Content-Type": "application/octet-stream"}
        answer = self.ask(f"/api/runs/{run_id}/input{query}", "POST", text.encode(), headers)
        assert answer.status in {202, 204}, answer

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to stop, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        print(self.err())  # noqa: T201 (pytest shows it when the test fails)

    def _connection(self) -> HTTPConnection:
        if self.address.startswith("https"):
            context = ssl._create_unverified_context()  # noqa: S323 (a certificate made for the test)
            return HTTPSConnection("localhost", self.port, timeout=PATIENCE_S, context=context)
        if self.address.startswith("unix:"):
            return UnixConnection(self.address.removeprefix("unix:"))
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)


class UnixConnection(HTTPConnection):
    """Over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self._path)


def raw(serving: Serving, request: bytes) -> bytes:
    """Return all that comes for what is sent, until the server closes."""
    with closing(serving.connect()) as connection:
        connection.sendall(request)
        return read_all(connection)


def until(connection: socket.socket, word: bytes) -> bytes:
    """Return what comes, up to the word, or to the connection's end."""
    found = b""
    while word not in found and (data := connection.recv(65536)):
        found += data
    return found


def read_all(connection: socket.socket) -> bytes:
    """Return all that comes until the connection ends, however it does."""
    parts: list[bytes] = []
    while True:
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            break
        if not data:
            break
        parts.append(data)
    return b"".join(parts)
