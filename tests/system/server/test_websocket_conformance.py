"""RFC 6455, chapter by chapter, on a raw socket: what is sent, and what must come of it.

The command is `cat`, so whatever is taken as input comes back as output. Another connection watches the same run all
the time: behind each case it has seen exactly the input that the case was to give, and it is still served.
"""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
from websockets.sync.client import connect

import tailrace
from tailrace.core.states import State
from tailrace.engine.run import Run
from tests.support.cleanup import end_everything
from tests.support.wait import wait_for
from tests.system.server import conformance
from tests.system.server.conformance import ENDS, HI, OPEN, OPENINGS, Case, Opening
from tests.system.server.rawsocket import ACCEPT, BINARY, CONT, PING, RawSocket, close, frame, handshake
from tests.system.server.serving import Serving, read_all
from tests.system.web.asgi import SUBPROTOCOL, Client

CASES = tuple(conformance.table())
WITNESS = b"<the witness>"
RESET = b"\1\0\0\0\0\0\0\0"
"""SO_LINGER of no time: closing is a reset"""


class Bench:
    """One server, one run of `cat`, and a witness of all that the run gets."""

    def __init__(self, state_dir: Path, serving: Serving, run: Run, witness: Client) -> None:
        self.state_dir = state_dir
        self.serving = serving
        self.run = run
        self._witness = witness
        self._seen_bytes = 0
        self._socket_count = self._log_bytes = 0

    @property
    def path(self) -> str:
        """What is opened, to see what is new from here on."""
        return f"/api/runs/{self.run.id}/socket?from={self.run.info().size}"

    @contextmanager
    def opened(self) -> Iterator[RawSocket]:
        """Give a connection; afterwards, the server has let go of it, and said nothing of an error."""
        self.look()
        made = RawSocket(self.serving.connect(), self.path)
        try:
            yield made
        finally:
            made.end()
        self.check_nothing_is_left()

    def check_nothing_is_left(self) -> None:
        """Wait until only the witness has a socket; look into the log."""
        wait_for(lambda: self._sockets() <= self._socket_count)
        assert "Traceback" not in self.serving.err()[self._log_bytes :]

    def look(self) -> None:
        """Remember how many sockets there are, and what the log has."""
        self._socket_count = self._sockets()
        self._log_bytes = len(self.serving.err())

    def check_input_was(self, expected: bytes) -> None:
        """See, on the other connection, that the run got this since the last time, and nothing else."""
        wait_for(lambda: self.run.info().size >= self._seen_bytes + len(expected))
        self._witness.socket.send(WITNESS)
        self._witness.until_output(WITNESS)
        found, self._witness.output = self._witness.output, b""
        self._seen_bytes += len(found)
        assert found == expected + WITNESS

    def private_bytes(self) -> int:
        """Return the bytes of memory that the server has for itself."""
        rows = Path(f"/proc/{self.serving.process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(row.split()[1]) << 10 for row in rows if row.startswith(("Private_Dirty:", "Private_Clean:")))

    def _sockets(self) -> int:
        names = []
        for entry in Path(f"/proc/{self.serving.process.pid}/fd").iterdir():
            try:
                names.append(str(entry.readlink()))
            except FileNotFoundError:
                continue
        return sum(name.startswith("socket:") for name in names)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give the server and the run, the same for all."""
    directory = tmp_path_factory.mktemp("conformance")
    with tempfile.TemporaryDirectory(prefix="tr-", dir="/tmp") as name, ExitStack() as stack:
        state_dir = Path(name)
        stack.callback(end_everything, state_dir)
        env = {"TAILRACE_STATE": name}
        with closing(Serving(directory, '[server]\nauth = "none"\n', "--port", "0", env=env)) as serving:
            run = tailrace.connect(state_dir).start(["cat"], stdin=True)
            wait_for(lambda: run.info().state is State.RUNNING)
            url = f"ws://127.0.0.1:{serving.port}/api/runs/{run.id}/socket"
            with connect(url, subprotocols=[SUBPROTOCOL], compression=None, proxy=None, max_size=None) as witness:
                yield Bench(state_dir, serving, run, Client(witness))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case(bench: Bench, case: Case) -> None:
    """What must come does, nothing else; the command gets what it should; another connection is served on."""
    with bench.opened() as client:
        client.send(*case.sends)
        if case.code == OPEN:
            while not _has_come(client, case):
                assert client.read() is not None, client.closing
            client.send(close(1000))
        client.read_all()
        assert client.closing[0] == (case.code or 1000)
        assert case.reason in (None, client.closing[1])
        assert tuple(client.pongs) == case.pongs
        assert client.output in (case.output, b"") if case.code else client.output == case.output
    bench.check_input_was(case.output)


def _has_come(client: RawSocket, case: Case) -> bool:
    has_answer = not case.answer or any(set(case.answer) <= set(found.items()) for found in client.objects[1:])
    return has_answer and len(client.output) >= len(case.output) and len(client.pongs) >= len(case.pongs)


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda opening: opening.name)
def test_a_handshake_that_is_refused(bench: Bench, opening: Opening) -> None:
    """With a status and an end, not with silence; and nothing behind it is taken for anything."""
    bench.look()
    with closing(bench.serving.connect()) as connection:
        sent = handshake(bench.path, line=opening.line, without=opening.without, more=opening.more)
        connection.sendall(sent)
        head = _head(connection)
    assert int(head.split()[1]) == opening.status, head
    for header in opening.headers:
        assert f"\r\n{header}\r\n".lower() in head.lower(), head
    bench.check_nothing_is_left()
    bench.check_input_was(b"")


def _head(connection: socket.socket) -> str:
    with connection.makefile("rb") as reader:
        return b"".join(iter(reader.readline, b"\r\n")).decode("latin-1") + "\r\n"


@pytest.mark.parametrize(
    ("without", "more"),
    [
        (("Upgrade",), ("UPGRADE: WebSocket",)),
        (("Connection",), ("connection: keep-alive, Upgrade",)),
        (("Connection",), ("Connection: UPGRADE",)),
        (("Sec-WebSocket-Protocol",), ("Sec-WebSocket-Protocol: chat, tailrace.v1",)),
        (("Sec-WebSocket-Protocol",), ("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: tailrace.v1")),
        ((), ("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-unknown; a=b",)),
    ],
    ids=["case of Upgrade", "list in Connection", "case of Connection", "two protocols", "two headers", "extensions"],
)
def test_a_handshake_that_is_accepted(bench: Bench, without: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Names and tokens in any case, lists in one header or in several; no extension is."""
    bench.look()
    with closing(bench.serving.connect()) as connection:
        connection.sendall(handshake(bench.path, without=without, more=more))
        head = _head(connection).lower()
        assert head.startswith("http/1.1 101 ")
        assert f"\r\nsec-websocket-accept: {ACCEPT}\r\n".lower() in head
        assert "\r\nsec-websocket-protocol: tailrace.v1\r\n" in head
        assert "sec-websocket-extensions" not in head
    bench.check_nothing_is_left()


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("sent", ENDS.values(), ids=ENDS)
def test_an_abrupt_end(bench: Bench, sent: bytes, is_reset: bool) -> None:
    """Wherever it comes, half a message is no input, and the server lets go of the connection."""
    with bench.opened() as client:
        client.send(frame(PING, b"here"))
        while not client.pongs:
            client.read()
        client.send(sent)
        if is_reset:
            client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    bench.check_input_was(b"")


def test_a_close_by_the_server(bench: Bench) -> None:
    """It waits for the client's; what comes before that is answered if it is a ping, and is no input."""
    run = tailrace.connect(bench.state_dir).start(["echo", "all"], stdin=True)
    run.wait(60)
    bench.look()
    client = RawSocket(bench.serving.connect(), f"/api/runs/{run.id}/socket", is_polite=False)
    while client.closing[0] != 1000:
        assert client.read() is not None
    assert client.output == b"all\n"
    client.send(HI, frame(PING, b"still"), close(1000))
    client.read_all()
    client.end()
    bench.check_nothing_is_left()


@pytest.mark.parametrize("is_apart", [False, True], ids=["same segment", "next segment"])
@pytest.mark.parametrize("cut", [0, 3, len(HI)])
def test_what_comes_before_the_handshake_is_over(bench: Bench, cut: int, is_apart: bool) -> None:
    """A client must wait (4.1). If it does not, what it sent still counts."""
    bench.look()
    client = RawSocket(bench.serving.connect(), bench.path, early=frame(PING, b"p") + HI[:cut], is_apart=is_apart)
    client.send(HI[cut:])
    while not (client.output and client.pongs):
        assert client.read() is not None
    client.send(close(1000))
    client.read_all()
    client.end()
    assert (client.output, client.pongs, client.closing[0]) == (b"hi", [b"p"], 1000)
    bench.check_nothing_is_left()
    bench.check_input_was(b"hi")


@pytest.mark.parametrize("is_apart", [False, True], ids=["same segment", "next segment"])
@pytest.mark.parametrize("version", ["13", "8"])
def test_nonsense_before_the_handshake_is_over(bench: Bench, version: str, is_apart: bool) -> None:
    """The handshake is answered, the connection ends, and it is no error of ours."""
    bench.look()
    with closing(bench.serving.connect()) as connection:
        sent = handshake(bench.path, without=("Sec-WebSocket-Version",), more=(f"Sec-WebSocket-Version: {version}",))
        with suppress(ConnectionResetError):  # refused while more was coming
            for segment in (sent, b"\xff" * 100) if is_apart else (sent + b"\xff" * 100,):
                connection.sendall(segment)
            assert _head(connection).startswith("HTTP/1.1 101 " if version == "13" else "HTTP/1.1 426 ")
            read_all(connection)
    bench.check_nothing_is_left()
    bench.check_input_was(b"")


def test_pings_of_a_client_that_reads_nothing(bench: Bench) -> None:
    """The answers to them do not pile up in memory: of those that it does not take, one waits."""
    pings = frame(PING, b"x" * 125) * 8000
    with bench.opened() as client:
        before = bench.private_bytes()
        for _ in range(32):
            client.send(pings)
        client.send(HI)
        bench.check_input_was(b"hi")
        assert bench.private_bytes() - before < 16 << 20
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def test_a_message_of_any_number_of_empty_parts(bench: Bench) -> None:
    """It is as bounded as one that is long: 1009."""
    with bench.opened() as client:
        client.send(frame(BINARY, b"x", fin=False))
        with suppress(OSError):  # it is closed while this is sent
            for _ in range(20):
                client.send(frame(CONT, fin=False) * 10_000)
        client.read_all()
        assert client.closing[0] in (1009, 1006)  # what was sent behind it may cost the close frame
    bench.check_input_was(b"")
