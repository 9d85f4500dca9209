"""What each WSGI server makes of the same application: first byte, streams at once, leaving, freezes, memory."""

import json
import re
import selectors
import socket
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from bench import machine
from bench.report import Figure, Measured, median, spread
from bench.serving import state_dir
from tailrace.api import connect
from tailrace.engine.base import Engine
from tests.system.servers.kinds import KINDS, THREADS, Kind, environment
from tests.system.web.server import Server

VIEWERS = 100
CROWD = 50
AT_ONCE_MS = 50
ENDLESS = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"]
WARM = 4
ASKED = 15
LEFT = 5
ROUNDS = 5
"""of memory, each with a new server: one that had viewers keeps memory for the next"""
STREAM = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.25; done"]
BULK = ["sh", "-c", "head -c 50000000 /dev/zero | tr '\\0' x"]
WANTED_KIB = {"gthread": 40, "gevent": 25}
WANTED_TIMES = 1.25


@dataclass
class Seen:
    """What one server has shown."""

    first_ms: list[float] = field(default_factory=list)
    one_s: float = 0.0
    two_s: float = 0.0
    left_ms: list[float] = field(default_factory=list)
    answered_ms: list[float] = field(default_factory=list)
    frozen_ms: float | None = None
    viewer_kib: list[float] = field(default_factory=list)


def measure(place: Path) -> Measured:
    """Start each server in turn; all of them in the same state of the machine, as far as it goes."""
    figures = []
    for name, kind in KINDS.items():
        with state_dir(place, f"servers-{name}") as state:
            figures += _figures(name, _one(state, replace(kind, command=_roomy(kind.command))))
    return Measured(
        figures=figures,
        details=[
            f"{VIEWERS} idle viewers of one silent run, on the wire `lines`; PSS of all the server's processes",
            "leaving: from before close(2) until the server has closed the run's output, looked for in /proc",
            "freeze: how long a greenlet that ticks each 20 ms could not, at most, during two streams, then 50 MB",
            f"runs kept on {machine.file_system(place)}; viewers are raw sockets of another process",
        ],
    )


def _roomy(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command with threads for all the viewers."""
    return tuple(str(VIEWERS + 28) if word == THREADS else word for word in command)


def _one(state: Path, kind: Kind) -> Seen:
    seen = Seen()
    env = {"TAILRACE_STATE": str(state), **environment(kind)}
    with closing(connect(f"disk:{state}")) as engine, closing(_server(state, kind, env)) as server:
        _ask(server, _start(["true"]))
        for _ in range(ASKED):
            seen.first_ms.append(_first_byte_ms(server))
            time.sleep(0.03)
        seen.one_s = _streams_s(server, 1)
        if kind.is_green:
            _ask(server, "/ticker")
        seen.two_s = _streams_s(server, 2)
        if kind.is_green:
            _ask(server, _start(BULK))
            body = _ask(server, "/ticker").partition(b"\r\n\r\n")[2]
            found = re.search(rb"\{.*\}", body, re.DOTALL)
            assert found, body
            seen.frozen_ms = json.loads(found[0])["longest_s"] * 1000
        seen.left_ms = [_left_ms(server, engine, state) for _ in range(LEFT)]
        if kind.is_concurrent:
            seen.answered_ms = _answered_ms(server, engine)
    for _ in range(ROUNDS if kind.is_concurrent else 0):
        with closing(connect(f"disk:{state}")) as engine, closing(_server(state, kind, env)) as server:
            seen.viewer_kib.append(_viewer_kib(server, engine))
    return seen


def _server(state: Path, kind: Kind, env: dict[str, str]) -> Server:
    return _Quiet("bench", state.with_suffix(".log"), env, kind.command)


class _Quiet(Server):
    """One whose log is nobody's business."""

    def log(self) -> str:
        return ""


def _start(argv: list[str]) -> str:
    return f"/start?format=text&argv={quote(json.dumps(argv))}"


def _open(server: Server, path: str) -> socket.socket:
    peer = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
    return peer


def _ask(server: Server, path: str) -> bytes:
    with _open(server, path) as peer:
        return b"".join(iter(lambda: peer.recv(1 << 20), b""))


def _until(peer: socket.socket, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        part = peer.recv(65536)
        assert part, data
        data += part
    return data


def _first_byte_ms(server: Server) -> float:
    begun = time.monotonic_ns()
    with _open(server, _start(["echo", "hi"])) as peer:
        _until(peer, b"hi\n")
        return (time.monotonic_ns() - begun) / 1e6


def _streams_s(server: Server, count: int) -> float:
    begun = time.monotonic()
    viewers = [threading.Thread(target=_ask, args=(server, _start(STREAM))) for _ in range(count)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    return time.monotonic() - begun


def _left_ms(server: Server, engine: Engine, state: Path) -> float:
    run = engine.start(["sh", "-c", "echo one; exec sleep 1000"])
    output = str(state / "runs" / run.id / "output")
    with _open(server, f"/watch/{run.id}?format=text") as peer:
        _until(peer, b"one\n")
        time.sleep(0.3)  # it waits now, and has nothing else to do
        assert output in server.open_files()
        begun = time.monotonic_ns()
    while output in server.open_files():
        assert time.monotonic_ns() - begun < 30e9, "never noticed"
    taken_ms = (time.monotonic_ns() - begun) / 1e6
    run.stop(now=True)
    run.wait(60)
    return taken_ms


def _answered_ms(server: Server, engine: Engine) -> list[float]:
    """Return how long another request takes beside viewers of one endless run."""
    run, is_over, taken = engine.start(ENDLESS), threading.Event(), []
    with ExitStack() as stack:
        peers = [stack.enter_context(_open(server, f"/watch/{run.id}?format=lines")) for _ in range(CROWD)]
        reader = threading.Thread(target=_drain, args=(peers, is_over))
        reader.start()
        for _ in range(ASKED):
            time.sleep(0.1)
            begun = time.monotonic_ns()
            assert _ask(server, "/ping").endswith(b"pong")
            taken.append((time.monotonic_ns() - begun) / 1e6)
        is_over.set()
        reader.join()
    run.stop(now=True)
    run.wait(60)
    return taken


def _drain(peers: list[socket.socket], is_over: threading.Event) -> None:
    with selectors.DefaultSelector() as selector:
        for peer in peers:
            selector.register(peer, selectors.EVENT_READ, peer)
        while not is_over.is_set():
            for key, _events in selector.select(0.1):
                assert key.data.recv(65536)


def _viewer_kib(server: Server, engine: Engine) -> float:
    """Return what each viewer beyond the first few costs."""
    run = engine.start(["sh", "-c", "echo one; exec sleep 1000"])
    with ExitStack() as stack:

        def view(count: int) -> int:
            for _ in range(count):
                peer = stack.enter_context(_open(server, f"/watch/{run.id}?format=lines"))
                _until(peer, b"data: one\n")
            time.sleep(1)
            return sum(_pss_kib(pid) for pid in server.pids())

        few = view(WARM)
        taken = (view(VIEWERS) - few) / VIEWERS
    run.stop(now=True)
    run.wait(60)
    return taken


def _pss_kib(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def _figures(name: str, seen: Seen) -> list[Figure]:
    def row(what: str, measured: str, *, wanted: str = "", is_met: bool | None = None, more: str = "") -> Figure:
        return Figure(
            what=f"{name}: {what}", wanted=wanted, measured=measured, spread=more, is_met=is_met, conditions=""
        )

    def at_once(what: str, times_ms: list[float], *, is_asked: bool = True) -> Figure:
        taken = median(times_ms)
        wanted, is_met = (f"≤ {AT_ONCE_MS} ms", taken <= AT_ONCE_MS) if is_asked else ("", None)
        return row(what, f"{taken:.1f} ms", more=spread(times_ms, "ms", 1), wanted=wanted, is_met=is_met)

    is_concurrent = KINDS[name].is_concurrent
    times = seen.two_s / seen.one_s
    rows = [
        at_once("first byte of `echo hi`, p50", seen.first_ms),
        row(
            "two streams of 2 s at once",
            f"{seen.two_s:.2f} s ({times:.2f} x one)",
            wanted=f"≤ {WANTED_TIMES:g} x" if is_concurrent else "",
            is_met=times <= WANTED_TIMES if is_concurrent else None,
        ),
        at_once("a viewer leaves a silent run", seen.left_ms, is_asked=name != "waitress"),
    ]
    if seen.answered_ms:
        rows.append(at_once(f"another request beside {CROWD} viewers of an endless run", seen.answered_ms))
    if seen.frozen_ms is not None:
        rows.append(at_once("longest freeze of another greenlet", [seen.frozen_ms]))
    if seen.viewer_kib:
        kib = median(seen.viewer_kib)
        wanted = WANTED_KIB.get(name)
        rows.append(
            row(
                "an idle viewer's memory",
                f"{kib:.1f} KiB",
                more=spread(seen.viewer_kib, "KiB", 1),
                wanted=f"≤ {wanted} KiB" if wanted else "",
                is_met=kib <= wanted if wanted else None,
            )
        )
    return rows
