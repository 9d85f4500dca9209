"""A connection whose transport is lent: what comes on it besides, what comes after, and who leaves nothing behind."""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from tailrace import Engine, Run
from tailrace.web import broadcast
from tailrace.web.loop import delivery, hall
from tailrace.web.loop.fanout import Fanout
from tests.support.wait import wait_for
from tests.system.web.conftest import served_site
from tests.system.web.served_asgi import App, paths
from tests.system.web.sites import ServedSite

BIG = ["sh", "-c", "head -c 30000000 /dev/zero"]


@pytest.fixture
def app(state_dir: Path) -> Iterator[ServedSite]:
    """Give the application on the server that lends."""
    with closing(served_site(App(state_dir), "lent")) as site:
        yield site


class Peer:
    """A client that says exactly what it is told to."""

    def __init__(self, site: ServedSite, window: int | None = None) -> None:
        self.socket = socket.socket()
        if window is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", site.port))
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_about: object) -> None:
        self._file.close()
        self.socket.close()

    def ask(self, *paths: str, version: str = "1.1", more: str = "") -> None:
        """Send requests, all at once, and what else there is."""
        text = "".join(f"GET {path} HTTP/{version}\r\nHost: localhost\r\n\r\n" for path in paths)
        self.socket.sendall((text + more).encode())

    def until(self, end: bytes) -> bytes:
        """Return what comes, up to this."""
        seen = b""
        while not seen.endswith(end):
            line = self._file.readline()
            assert line, seen
            seen += line
        return seen

    def rest(self) -> bytes:
        """Return what comes until the connection is closed."""
        return self._file.read()


END = b"0\r\n\r\n"


def heads() -> int:
    """Return how many viewers stand at an end, and are sent to by a fanout."""
    return sum(len(shared.bell.heads) for shared in broadcast.going() if isinstance(shared.bell, Fanout))


def test_the_path_is_counted(app: ServedSite, engine: Engine, state_dir: Path) -> None:
    """A GET over HTTP/1.1 gets a lent transport, on this server; HTTP/1.0, and any other server, takes `send`."""
    before = paths()

    def counts() -> tuple[int, ...]:
        after = paths()
        return tuple(after.get(path, 0) - before.get(path, 0) for path in ("lent", "send"))

    run = engine.start(["seq", "3"])
    assert b"data: 3\n" in app.get(f"/watch/{run.id}?format=lines").data
    assert counts() == (1, 0)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}?format=lines", version="1.0")
        peer.rest()
    assert counts() == (1, 1)
    with closing(served_site(App(state_dir), "send")) as plain:
        assert b"data: 3\n" in plain.get(f"/watch/{run.id}?format=lines").data
        assert counts() == (1, 2)


def test_http_1_0_has_no_chunks(app: ServedSite, engine: Engine) -> None:
    """Its body ends with the connection, and has nothing in it but the output."""
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}", version="1.0")
        head = peer.until(b"one\n")
        run.send(b"\n")
        assert b"chunked" not in head.lower()
        assert (head + peer.rest()).partition(b"\r\n\r\n")[2] == b"one\ntwo\n"


def test_http_1_0_that_is_cut_is_reset(app: ServedSite, engine: Engine) -> None:
    """It has no other sign that the body is not whole."""
    run = engine.start(["sh", "-c", "echo begun; read go; kill -9 $PPID; sleep 1000"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}", version="1.0")
        peer.until(b"begun\n")
        with suppress(Exception):
            run.send(b"\n")
        with pytest.raises(ConnectionResetError):
            peer.rest()


@pytest.mark.parametrize("wire", ["text", "lines"])
def test_the_connection_is_used_again(app: ServedSite, engine: Engine, wire: str) -> None:
    """After a stream has ended, the next request on it is answered, and the one after that."""
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}?format={wire}")
        peer.until(b"one\n")
        wait_for(lambda: heads() == 1)
        run.send(b"\n")
        peer.until(END)
        for _ in range(3):
            peer.ask("/ping")
            assert peer.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
            assert peer._file.read(4) == b"pong"
            peer.ask(f"/watch/{run.id}?format={wire}")
            assert b"two" in peer.until(END if wire == "lines" else b"two\n")


@pytest.mark.parametrize("more", ["", "GET /ping HTTP/1.1\r\n"])
def test_a_request_that_came_too_early_is_answered_after_the_end(app: ServedSite, engine: Engine, more: str) -> None:
    """One that came with the first, whole or in part, or while the transport was lent."""
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}", *([] if more else ["/ping"]), more=more)
        peer.until(b"one\n")
        if more:
            peer.socket.sendall(b"Host: localhost\r\n\r\n")
        run.send(b"\n")
        assert b"two" in peer.until(END)
        assert peer.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert peer._file.read(4) == b"pong"


def test_a_request_during_the_loan_is_answered_after_the_end(app: ServedSite, engine: Engine) -> None:
    """The stream goes on meanwhile, and the next one is lent the transport too."""
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    other = engine.start(["sh", "-c", "echo three; read go; echo four"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}")
        peer.until(b"one\n")
        wait_for(lambda: heads() == 1)
        peer.ask(f"/watch/{other.id}")
        run.send(b"\n")
        assert b"two" in peer.until(END)
        peer.until(b"three\n")
        wait_for(lambda: heads() == 1)
        other.send(b"\n")
        assert b"four" in peer.until(END)


def test_a_cut_with_a_request_behind_it_closes_quietly(
    app: ServedSite, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is answered on a connection whose body was cut, and nobody is blamed for it."""
    run = engine.start(["sh", "-c", "echo begun; read go; kill -9 $PPID; sleep 1000"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}")
        peer.until(b"begun\n")
        wait_for(lambda: heads() == 1)
        peer.ask("/ping")
        with suppress(Exception):
            run.send(b"\n")
        rest = peer.rest()
    assert END not in rest
    assert b"pong" not in rest
    assert "ASGI" not in caplog.text


def test_who_leaves_with_a_request_behind_is_let_go(app: ServedSite, engine: Engine) -> None:
    """Also when the command is silent: what was sent does not hide the end of the connection."""
    run = engine.start(["sh", "-c", "echo one; read go"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/watch/{run.id}", "/ping", "/ping", "/ping")
        peer.until(b"one\n")
        wait_for(broadcast.going)
    wait_for(lambda: not broadcast.going())


@pytest.mark.parametrize("kind", ["lent", "send"])
def test_who_takes_nothing_is_closed(
    state_dir: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """After some time without taking anything, with all that was kept for it."""
    monkeypatch.setattr(delivery, "STALL_S", 0.5)
    monkeypatch.setattr(hall, "SWEEP_S", 0.1)
    run = engine.start(BIG)
    run.wait(60)
    with closing(served_site(App(state_dir), kind)) as site, Peer(site, 4096) as peer:  # type: ignore[arg-type]
        peer.ask(f"/watch/{run.id}?stream=stdout")
        wait_for(lambda: opened(state_dir, run) == 1)
        wait_for(lambda: opened(state_dir, run) == 0)
        if kind == "lent":  # uvicorn itself waits for the client to take what it was sent
            wait_for(lambda: not site.connections)


def test_who_takes_little_is_not(app: ServedSite, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow is not stalled."""
    monkeypatch.setattr(delivery, "STALL_S", 1.0)
    monkeypatch.setattr(hall, "SWEEP_S", 0.1)
    run = engine.start(["sh", "-c", "head -c 3000000 /dev/zero"])
    run.wait(60)
    with Peer(app, 4096) as peer:
        peer.ask(f"/watch/{run.id}?stream=stdout")
        seen, pause = 0, threading.Event()
        while seen < 1_500_000:
            data = peer.socket.recv(30_000)
            assert data
            seen += len(data)
            pause.wait(0.03)


def opened(state_dir: Path, run: Run) -> int:
    """Return how often this process has the output open."""
    links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return links.count(state_dir / "runs" / run.id / "output")


def inotifies() -> int:
    """Return how many inotify instances this process has."""
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            names.append(str(entry.readlink()))
    return names.count("anon_inode:inotify")


def test_the_last_viewer_takes_everything_with_it(app: ServedSite, engine: Engine, state_dir: Path) -> None:
    """Descriptors of the run, the watch and the hall; the next viewer finds it as the first did."""
    before = inotifies()
    run = engine.start(["sh", "-c", "echo one; read go"], stdin=True)
    for _ in range(3):
        peers = [Peer(app) for _ in range(5)]
        for peer in peers:
            peer.ask(f"/watch/{run.id}")
            peer.until(b"one\n")
        wait_for(lambda: heads() == 5)
        assert inotifies() == before + 1
        for peer in peers:
            peer.__exit__()
        wait_for(lambda: (opened(state_dir, run), inotifies()) == (0, before))
        assert broadcast.going() == []


def test_who_falls_behind_comes_back(app: ServedSite, engine: Engine) -> None:
    """A head whose client takes nothing for a while reads on by itself, misses nothing, and is a head again."""
    line = b"x" * 1023 + b"\n"
    run = engine.start(["cat"], stdin=True)
    with Peer(app, 4096) as slow, Peer(app) as fast:
        for peer in (slow, fast):
            peer.ask(f"/watch/{run.id}")
            peer.until(b"\r\n\r\n")
        wait_for(lambda: heads() == 2)
        reading = Reader(fast)
        for number in range(1, 65):
            run.send(line * 64)
            wait_for(partial(_has, reading, number * 64 * 1024))
        assert heads() == 1
        catching = Reader(slow)
        wait_for(partial(_has, catching, 64 * 64 * 1024))
        wait_for(lambda: heads() == 2)
        run.send(b"last\n")
        run.close_input()
        assert reading.body() == catching.body() == line * 64 * 64 + b"last\n"


class Reader:
    """Takes the chunks of a text in a thread."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.parts: list[bytes] = []
        self.size = 0
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def body(self) -> bytes:
        """Return all of it, when the last chunk has come."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return b"".join(self.parts)

    def _read(self) -> None:
        while size := int(self._peer._file.readline(), 16):
            self.parts.append(self._peer._file.read(size))
            self.size += size
            self._peer._file.readline()


def _has(reader: Reader, size: int) -> bool:
    return reader.size >= size


def test_who_leaves_while_clogged_is_let_go(app: ServedSite, engine: Engine, state_dir: Path) -> None:
    """One head that takes nothing vanishes; the others notice nothing, and nothing of it stays."""
    run = engine.start(["cat"], stdin=True)
    with Peer(app) as fast:
        with Peer(app, 4096) as stalled:
            for peer in (stalled, fast):
                peer.ask(f"/watch/{run.id}")
                peer.until(b"\r\n\r\n")
            wait_for(lambda: heads() == 2)
            reading = Reader(fast)
            for number in range(1, 40):
                run.send(b"y" * 65536)
                wait_for(partial(_has, reading, number << 16))
            assert heads() == 1
            stalled.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # as if it had died
        wait_for(lambda: opened(state_dir, run) == 1)
        run.close_input()
        assert reading.body() == b"y" * 65536 * 39


def test_each_is_kept_awake_as_it_asked(app: ServedSite, engine: Engine) -> None:
    """Who wants a heartbeat soon gets one, whoever stands at the end besides."""
    run = engine.start(["sh", "-c", "echo one; read go"], stdin=True)
    with Peer(app) as calm, Peer(app) as restless:
        calm.ask(f"/paced/{run.id}?format=lines&heartbeat=60")
        calm.until(b"data: one\n")
        wait_for(lambda: heads() == 1)
        restless.ask(f"/paced/{run.id}?format=lines&heartbeat=0.1")
        restless.until(b"data: one\n")
        for _ in range(3):
            restless.until(b": \n")


def test_two_loops_in_two_threads(app: ServedSite, engine: Engine, state_dir: Path) -> None:
    """Each has its own hall and its own watch, and each viewer gets everything."""
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    with closing(served_site(App(state_dir), "lent")) as other, Peer(app) as here, Peer(other) as there:
        for peer in (here, there):
            peer.ask(f"/watch/{run.id}")
            peer.until(b"one\n")
        wait_for(lambda: heads() == 2)
        assert sum(bool(each.deliveries) for each in hall.halls()) == 2
        run.send(b"\n")
        assert [b"two" in peer.until(END) for peer in (here, there)] == [True, True]


def test_who_leaves_in_the_middle_of_a_flood_is_no_error(
    app: ServedSite, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The write that fails tells first, the connection's end comes after it."""
    run = engine.start(["yes"])
    for _ in range(20):
        with Peer(app) as peer:
            peer.ask(f"/watch/{run.id}?format=sse")
            peer.socket.recv(100_000)
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: not app.connections and not broadcast.going())
    run.stop(now=True)
    run.wait(60)
    assert "ASGI" not in caplog.text


def test_a_number_that_another_viewer_had_brings_nobody_elses_bytes(app: ServedSite, engine: Engine) -> None:
    """A fan-out knows sockets by their descriptors' numbers, which are given anew as soon as somebody has left."""
    runs = {letter: engine.start(["sh", "-c", f"while echo {letter}; do sleep 0.002; done"]) for letter in "XY"}
    for _ in range(15):
        with ExitStack() as stack:
            peers = [(letter, stack.enter_context(Peer(app))) for letter in "XYXYXYXY"]
            for letter, peer in peers:
                peer.ask(f"/watch/{runs[letter].id}?tail=1")
            wait_for(lambda: heads() > 0)
            for letter, peer in peers:
                seen = peer.until(f"{letter}\n".encode()) + peer.socket.recv(10_000)
                assert not ({"X", "Y"} - {letter}) & set(seen.partition(b"\r\n\r\n")[2].decode())
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: not app.connections and not broadcast.going())
    for run in runs.values():
        run.stop(now=True)
        run.wait(60)


def test_a_viewer_holds_nothing_of_its_request(app: ServedSite, engine: Engine) -> None:
    """It may stay for days: what it asked for is let go of as soon as it is served."""
    run = engine.start(["sh", "-c", "echo one; read go"], stdin=True)
    with Peer(app) as peer:
        peer.ask(f"/ops/api/runs/{run.id}/output?format=text&from=0")
        peer.until(b"one\n")
        wait_for(lambda: heads() == 1)
        scopes = [each for each in gc.get_objects() if type(each) is dict and run.id in str(each.get("path"))]
        assert [each for each in scopes if each["root_path"] == "/ops"] == []  # the site itself holds its own
        run.close_input()
        peer.until(END)
