"""What each WSGI server makes of the same application: first byte, streams at once, leaving, freezes, memory."""

import json
import re
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

    is_concurrent = KINDS[name].is_concurrent
    times = seen.two_s / seen.one_s
    rows = [
        row("first byte of `echo hi`, p50", f"{median(seen.first_ms):.1f} ms", more=spread(seen.first_ms, "ms", 1)),
        row(
            "two streams of 2 s at once",
            f"{seen.two_s:.2f} s ({times:.2f} x one)",
            wanted=f"≤ {WANTED_TIMES:g} x" if is_concurrent else "",
            is_met=times <= WANTED_TIMES if is_concurrent else None,
        ),
        row("a viewer leaves a silent run", f"{median(seen.left_ms):.1f} ms", more=spread(seen.left_ms, "ms", 1)),
    ]
    if seen.frozen_ms is not None:
        rows.append(row("longest freeze of another greenlet", f"{seen.frozen_ms:.0f} ms"))
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
