"""Outputs of 200 MiB through `tailrace serve`: texts go from the file to the socket, the other wires are framed."""

import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.request import urlopen

import pytest

import tailrace
from tailrace import Engine, Run
from tailrace.core.errors import WrongState
from tests.support.wait import wait_for
from tests.system.server.large import PRINTER, UNPACKERS, Fetch, wanted
from tests.system.web.server import Server

SIZE = 200 << 20
PARTIAL_FILE = 18
"""curl: the transfer ended before its end"""
HEALTH = ("/healthz", b'{"status":"ok"}')
MIDDLE = (50_000_001, 150_000_007)


@pytest.fixture
def engine(state_dir: Path) -> Iterator[Engine]:
    """Give where the server's runs live."""
    with closing(tailrace.connect(state_dir)) as engine:
        yield engine


@pytest.fixture
def server(state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give a server."""
    config = tmp_path / "tailrace.toml"
    config.write_text('[server]\nauth = "none"\n')
    command = ("-m", "tailrace", "serve", str(config), "--port", "{port}")
    env = {"TAILRACE_STATE": str(state_dir)}
    with closing(Server("tailrace", tmp_path / "serve.log", env, command, ping=HEALTH)) as server:
        yield server


class Large:
    """A run with 200 MiB of output, of which the server knows."""

    def __init__(self, engine: Engine, server: Server, state_dir: Path) -> None:
        self._server = server
        self.run: Run = engine.start(["python3", "-c", PRINTER], stdin=True)
        self.url = f"{server.url}/api/runs/{self.run.id}/output"
        self.file = state_dir / "runs" / self.run.id / "output"

    def go_on(self) -> None:
        """Have it print everything."""
        self.run.send(b"\n")

    def end(self) -> None:
        """Have it end, when it has printed everything; safe to repeat."""
        with suppress(WrongState):
            self.run.close_input()
        self.run.wait(100)

    def ask(self, *, end: int | None = None) -> "Reading":
        """Ask for the text by a connection that holds little; or, without its end, for the text up to now."""
        return Reading(self._server.port, self.run.id, end)


class Reading:
    """A client that reads when it is told to."""

    def __init__(self, port: int, run_id: str, end: int | None) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.sock = socket.socket()
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        self._connection.sock.settimeout(60)
        self._connection.sock.connect(("127.0.0.1", port))
        headers = {} if end is None else {"Range": f"bytes=0-{end - 1}"}
        self._connection.request("GET", f"/api/runs/{run_id}/output?format=text", headers=headers)
        self.answer: HTTPResponse = self._connection.getresponse()

    def close(self) -> None:
        """Leave."""
        self.answer.close()
        self._connection.close()


@pytest.fixture
def large(engine: Engine, server: Server, state_dir: Path) -> Large:
    """Give a run that is ready to print 200 MiB."""
    return Large(engine, server, state_dir)


def lent(server: Server, wire: str) -> float:
    """Return how many streams of the wire went by a lent transport."""
    with urlopen(f"{server.url}/metrics") as answer:  # noqa: S310
        rows = answer.read().decode().splitlines()
    name = f'tailrace_streams_total{{path="lent",wire="{wire}"}}'
    return sum(float(row.rpartition(" ")[2]) for row in rows if row.startswith(name))


@pytest.mark.timeout(400)
def test_every_wire_brings_every_byte(server: Server, large: Large) -> None:
    """To viewers of a live run, all at once, and of the finished one; a text's length is known then."""
    live = {wire: Fetch(large.url, wire) for wire in UNPACKERS}
    wait_for(lambda: all(lent(server, wire) for wire in UNPACKERS))
    large.go_on()
    large.end()
    assert large.run.info().size >= SIZE
    right = wanted(large.file)
    for wire, fetch in live.items():
        assert fetch.result() == right, wire
    for wire in UNPACKERS:
        assert Fetch(large.url, wire).result() == right, wire
        assert lent(server, wire) >= 2
    assert Fetch(large.url, "text", "--http1.0").result() == right
    begin, end = MIDDLE
    part = Fetch(large.url, "text", "--range", f"{begin}-{end - 1}")
    assert part.result() == wanted(large.file, begin, end)


@pytest.fixture(params=["finished", "live", "part"])
def reading(request: pytest.FixtureRequest, large: Large) -> Iterator[Reading]:
    """Give a client in the middle of a passage: of known length, in chunks, or a part of what a live run has."""
    large.go_on()
    wait_for(lambda: large.run.info().size >= SIZE, 100)
    if request.param == "finished":
        large.end()
    with closing(large.ask(end=SIZE if request.param == "part" else None)) as reading:
        assert len(reading.answer.read(1 << 20)) == 1 << 20
        yield reading


def test_who_stops_reading_and_goes_on_has_everything(reading: Reading, large: Large) -> None:
    """Others get all of it meanwhile; then it gets the rest."""
    large.end()
    right = wanted(large.file)
    assert Fetch(large.url, "text").result() == right
    rest = reading.answer.read()
    size = (1 << 20) + len(rest)
    assert size == (SIZE if reading.answer.status == 206 else right[1])
    assert hashlib.sha256(rest).hexdigest() == wanted(large.file, 1 << 20, size)[2]


def test_who_leaves_leaves_nothing_open(server: Server, reading: Reading, large: Large) -> None:
    """The file, the connection and its duplicate are closed, whatever was on its way."""

    def opened() -> list[str]:
        return [name for name in server.open_files() if name.startswith("socket:") or large.run.id in name]

    many = len(opened())
    assert any("/output" in name for name in opened())
    reading.close()
    wait_for(lambda: len(opened()) <= many - 3)
    assert not any("/output" in name for name in opened())


def test_a_file_that_shrinks_cuts_the_stream(reading: Reading, large: Large) -> None:
    """It is damage: the client is told by a transfer that is not whole, and nobody waits for ever."""
    os.truncate(large.file, SIZE // 2)
    with pytest.raises((IncompleteRead, ConnectionResetError)):
        reading.answer.read()


def test_curl_fails_when_a_file_shrinks(large: Large) -> None:
    """18, in the middle of a passage, and again for whoever asks later."""
    large.go_on()
    large.end()
    curl = subprocess.Popen(["curl", "-sN", "--noproxy", "*", f"{large.url}?format=text"], stdout=subprocess.PIPE)
    assert curl.stdout is not None
    with curl.stdout as body:
        assert len(body.read(1 << 20)) == 1 << 20
        os.truncate(large.file, SIZE // 2)
        while body.read(1 << 20):
            pass
    assert curl.wait(60) == PARTIAL_FILE
    later = Fetch(large.url, "text")
    assert later.result()[0] == PARTIAL_FILE
