"""Starting servers for a contest, each on its own processor, and ending them by their process."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.field import cores, costs

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30.0
END_S = 10.0
ADDRESS = re.compile(rb"https?://(?:127\.0\.0\.1|localhost):([0-9]+)")


@dataclass(frozen=True)
class Server:
    """One that serves."""

    port: int
    pid: int

    def pids(self) -> list[int]:
        """Return its processes: master and workers, not the commands."""
        return costs.family(self.pid)


@contextmanager
def listening(argv: Sequence[str], port: int, log: Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server that was told its port; give it when it answers."""
    with log.open("wb") as file, _process(argv, env, stdout=file, stderr=file) as process:
        deadline = time.monotonic() + READY_S
        while not _accepts(port):
            _assert_alive(process, deadline, log)
            time.sleep(0.02)
        yield Server(port, process.pid)


@contextmanager
def announcing(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server that prints its address; give it when it has."""
    with log.open("wb") as file, _process(argv, env, stdout=file, stderr=file) as process:
        deadline = time.monotonic() + READY_S
        while not (found := ADDRESS.search(log.read_bytes())):
            _assert_alive(process, deadline, log)
            time.sleep(0.02)
        yield Server(int(found[1]), process.pid)


def free_port() -> int:
    """Return a port that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def _process(
    argv: Sequence[str], env: Mapping[str, str] | None, **streams: object
) -> Iterator["subprocess.Popen[bytes]"]:
    with cores.kept_to(cores.server()):
        process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **(env or {})}, **streams)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _assert_alive(process: "subprocess.Popen[bytes]", deadline: float, log: Path) -> None:
    is_alive = process.poll() is None and time.monotonic() < deadline
    assert is_alive, f"{process.args!r} does not serve; it said:\n{log.read_text()[-2000:]}"
