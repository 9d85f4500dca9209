"""Thousands of viewers of one run: some stall, some crawl, some come and go, and the server is killed under them."""

import os
import resource
import signal
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

import tailrace
from tailrace import Engine, Run
from tests.support.wait import wait_for
from tests.system.server.crowd import Crowd
from tests.system.web.server import Server

VIEWERS = 5_000
BURSTS = 40
LINES = 40
"""a burst"""
PRINTER = f"""
import sys
for burst in range({BURSTS}):
    sys.stdin.readline()
    for line in range({LINES}):
        print(f"{{burst:04}}/{{line:04}} " + "x" * ((burst * 37 + line * 11) % 300))
    sys.stdout.flush()
"""
SERVE = ("-m", "tailrace", "serve", "{config}", "--port", "{{port}}")
ENOUGH_FILES = VIEWERS + 1000
VIEWER_BYTES = 64 << 10
"""a viewer's share of the server's memory, at most, of which most are not even behind"""


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= ENOUGH_FILES, f"raise the limit of open files to {ENOUGH_FILES}: ulimit -Hn is {hard}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, ENOUGH_FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def engine(state_dir: Path) -> Iterator[Engine]:
    """Give where the server's runs live."""
    with closing(tailrace.connect(state_dir)) as engine:
        yield engine


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Give what starts a server; it ends with the test."""
    config = tmp_path / "tailrace.toml"
    config.write_text('[server]\nauth = "none"\naccess_log = false\nmax_viewers_per_address = 0\n')
    command = [part.format(config=config) for part in SERVE]
    with ExitStack() as stack:
        env = {"TAILRACE_STATE": str(state_dir)}
        yield lambda: stack.enter_context(
            closing(Server("tailrace", tmp_path / "serve.log", env, command, ping=("/healthz", b'{"status":"ok"}')))
        )


def _crowd(engine: Engine, server: Server) -> tuple[Run, Crowd]:
    run = engine.start(["python3", "-c", PRINTER], stdin=True)
    crowd = Crowd(server.port, run.id, VIEWERS)
    return run, crowd


def _join(crowd: Crowd) -> None:
    """Have everybody connect, some at a time, so that nobody waits in the listener's queue for long."""
    for begin in range(0, len(crowd.viewers), 250):
        crowd.connect(crowd.viewers[begin : begin + 250])
        crowd.serve(lambda: True, 60, time.monotonic)


def _print(run: Run, crowd: Crowd, bursts: int) -> None:
    """Have so many bursts printed, one after the other, each when all who keep up have had the last."""
    for _ in range(bursts):
        before = run.info().size
        run.send(b"\n")
        after = wait_for(partial(_size_above, run, before))
        crowd.serve(partial(crowd.have, after), 300, time.monotonic)


def _size_above(run: Run, size: int) -> int:
    found = run.info().size
    return found if found > size else 0


def _check(run: Run, crowd: Crowd) -> None:
    output = b"".join(chunk.data for chunk in run.follow())
    assert {(viewer.offset, viewer.crc) for viewer in crowd.viewers} == {(len(output), zlib.crc32(output))}


def _socket_pages() -> int:
    rows = Path("/proc/net/sockstat").read_text().splitlines()
    row = next(row for row in rows if row.startswith("TCP:")).split()
    return int(row[row.index("mem") + 1])


def _metric(server: Server, name: str) -> float:
    with urlopen(f"{server.url}/metrics") as answer:  # noqa: S310
        rows = answer.read().decode().splitlines()
    return sum(float(row.rpartition(" ")[2]) for row in rows if row.startswith(name))


@pytest.mark.timeout(900)
def test_all_get_the_same_bytes_while_some_misbehave(engine: Engine, serve: Callable[[], Server]) -> None:
    """The command waits for nobody; memory is bounded, the kernel's too; the lent transport served them."""
    server = serve()
    run, crowd = _crowd(engine, server)
    with closing(crowd):
        memory, pages = server.private_bytes(), _socket_pages()
        _join(crowd)
        _print(run, crowd, 2)
        assert _metric(server, 'tailrace_viewers{path="lent"') >= VIEWERS * 0.95
        assert _metric(server, 'tailrace_viewers{path="send"') == 0
        crowd.stall()
        _print(run, crowd, BURSTS - 2)
        info = run.wait(60)
        assert info.state == "finished", "though a tenth took nothing"
        assert server.private_bytes() - memory < VIEWERS * VIEWER_BYTES
        assert (_socket_pages() - pages) * resource.getpagesize() < VIEWERS * VIEWER_BYTES
        crowd.go_on()
        crowd.hurry()
        crowd.serve(crowd.are_done, 300, time.monotonic)
        _check(run, crowd)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_all_resume_when_the_server_is_gone(engine: Engine, serve: Callable[[], Server], number: int) -> None:
    """Killed, or told to stop, in the middle: everybody goes on where he was, and no cut text looked whole."""
    server = serve()
    run, crowd = _crowd(engine, server)
    with closing(crowd):
        _join(crowd)
        _print(run, crowd, BURSTS // 2)
        crowd.is_served = False
        os.kill(server.process.pid, number)
        server.process.wait()
        crowd.serve(lambda: all(viewer.socket is None for viewer in crowd.viewers), 120, time.monotonic)
        assert not any(viewer.is_done for viewer in crowd.viewers), "nobody took it for the end"
        assert all(viewer.cuts for viewer in crowd.viewers if viewer.wire == "text")
        run.send(b"\n")
        server.restart()
        crowd.is_served = True
        crowd.come_back()
        _print(run, crowd, BURSTS - BURSTS // 2 - 1)
        run.wait(60)
        crowd.hurry()
        crowd.serve(crowd.are_done, 300, time.monotonic)
        _check(run, crowd)
