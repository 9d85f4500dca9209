"""Both servers, each under gunicorn's gthread worker, and the client's process."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tailrace.core.errors import EngineError
from tailrace.host import runner_link
from tailrace.host.messages import Drain
from tailrace.host.statedir import StateDir
from tests.support.cleanup import end_everything

ROOT = Path(__file__).resolve().parents[1]
APPS = {"ours": "bench.app:app", "article": "bench.article_server:app", "peers": "bench.peers:app"}
THREADS = 8
READY_S = 20.0
CLIENT_S = 300.0


@contextmanager
def served(
    state: Path,
    commands: dict[str, Sequence[str]],
    *,
    names: Sequence[str] = ("ours", "article"),
    threads: int = THREADS,
) -> Iterator[dict[str, int]]:
    """Serve the commands, each on the route of its name, by the servers; gives their ports."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_gunicorn(APPS[name], state, commands, threads)) for name in names}


@contextmanager
def state_dir(place: Path, name: str) -> Iterator[Path]:
    """Give a new state directory; afterwards nothing of it is left running."""
    path = place / name
    try:
        yield path
    finally:
        drain_runner(path)
        end_everything(path)


def drain_runner(path: Path) -> None:
    """Send the runner away, if there is one."""
    try:
        state = StateDir(path, create=False)
    except EngineError:
        return
    try:
        runner_link.ask_once(state, Drain())
    except OSError:
        return
    finally:
        state.close()


def tree(port: int) -> list[int]:
    """Return the pids of the server on the port."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and f"127.0.0.1:{port}".encode() in _read(entry / "cmdline")
    ]


def tree_cpu_s(port: int) -> float:
    """Return the seconds of processor time that the server on the port has taken, with the children it has reaped."""
    stats = [_read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split() for pid in tree(port)]
    return sum(sum(map(int, fields[11:15])) for fields in stats) / os.sysconf("SC_CLK_TCK")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def ask_client(*arguments: str) -> object:
    """Run the client to its end, and return what it saw."""
    argv = [sys.executable, str(ROOT / "bench" / "client.py"), *arguments]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=CLIENT_S)
    return json.loads(done.stdout)


class TalkingClient:
    """A client that says something before it is done."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def hear(self) -> str:
        """Return the next line that it says."""
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def result(self) -> object:
        """Return what it saw, when it has ended."""
        told, _ = self._process.communicate(timeout=CLIENT_S)
        assert self._process.returncode == 0
        return json.loads(told)


@contextmanager
def talking_client(*arguments: str) -> Iterator[TalkingClient]:
    """Start the client; it ends with the block."""
    argv = [sys.executable, "-u", str(ROOT / "bench" / "client.py"), *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield TalkingClient(process)
        finally:
            process.kill()


def system_calls(path: Path, work: Callable[[], object]) -> list[str]:
    """Return which system calls took the time of runner, forker, keepers and commands, while the work was done."""
    runner = int((path / "runner.lock").read_text().split()[0])
    argv = ["strace", "-f", "-c", "-w", "-p", str(runner), "-p", str(parent(runner))]
    try:
        tracer = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        return ["strace is not here"]
    time.sleep(0.5)
    work()
    tracer.terminate()
    told = tracer.communicate()[1].splitlines()
    return [line for line in told if not line.startswith("strace:")][:16]


def parent(pid: int) -> int:
    """Return the process's parent."""
    found = re.search(r"^PPid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


@contextmanager
def _gunicorn(app: str, state: Path, commands: dict[str, Sequence[str]], threads: int) -> Iterator[int]:
    port = _free_port()
    options = ["--worker-class", "gthread", "--workers", "1", "--threads", str(threads), "--log-level", "warning"]
    argv = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "--graceful-timeout", "1"]
    routes = {f"BENCH_ARGV_{route}": json.dumps(list(command)) for route, command in commands.items()}
    environ = {**os.environ, **routes, "TAILRACE_STATE": str(state)}
    process = subprocess.Popen([*argv, "--bind", f"127.0.0.1:{port}", app], cwd=ROOT, env=environ)
    try:
        _wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"gunicorn does not serve on {port} (status {process.returncode})")
