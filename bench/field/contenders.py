"""Who takes part: ours, its peers and the floor. Each sets a stage: a server, a gated source, what a viewer asks for.

A plan is the same for all: so many messages of one size, at one pace. Where they come from differs, as the systems do:

- ours: a command prints lines; whoever watches follows its run
- nchan: a publisher posts them
- Starlette, sse-starlette, the epoll floor: the server makes them itself, so its source costs nothing apart
- websocketd, the article's server: each viewer has a command of its own
"""

import fcntl
import http.client
import importlib.util
import json
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.field import nginx
from bench.field.costs import children
from bench.field.message import EXIT
from bench.field.servers import Server, announcing, free_port, listening
from bench.field.viewers import Ask
from bench.serving import state_dir
from tailrace.api import connect
from tailrace.core.run import Live

EVENTS = "text/event-stream"
SPARE_THREADS = 8
MESSAGE = Path(__file__).with_name("message.py")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is sent, and to how many."""

    viewers: int
    count: int
    every_s: float
    size: int = 1024

    def source(self, mode: str, gate: Path, *more: str) -> list[str]:
        """Return the argv of a source that waits at the gate."""
        told = [str(gate), str(self.count), str(self.every_s), str(self.size)]
        return [sys.executable, "-S", str(MESSAGE), mode, *told, *more]

    def target(self) -> str:
        """Return what a server that makes the messages itself is asked for."""
        return f"/go?count={self.count}&every_s={self.every_s}&size={self.size}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A server that waits for viewers, and a source that waits to be let go."""

    ask: Ask
    server: Callable[[], list[int]]
    source: Callable[[], list[int]]
    """its processes, and those that keep it; none, where the server is its own source"""
    go: Callable[[], None]


class Contender(ABC):
    """One system."""

    name: str
    how: str
    """where its messages come from, and on what wire they go"""
    most: int | None = None
    """viewers, where each has a command or a thread"""

    @abstractmethod
    def missing(self) -> str | None:
        """Return what must be installed first, and how; None: nothing."""

    @abstractmethod
    def stage(self, place: Path, plan: Plan) -> AbstractContextManager[Stage]:
        """Start everything; it ends with the block."""


class Tailrace(Contender):
    """Ours: one run, started by the library, that all watch."""

    name = "tailrace serve"
    how = "one command; lines, an id each"

    def missing(self) -> str | None:
        """See the base."""
        return next(
            (told for name in ("uvicorn", "prometheus_client") if (told := _missing_package(name, "server"))), None
        )

    @contextmanager
    def stage(self, place: Path, plan: Plan) -> Iterator[Stage]:
        """See the base."""
        with (
            gate(place) as (path, go),
            state_dir(place, "field") as state,
            closing(connect(f"disk:{state}")) as engine,
        ):
            run = engine.start(plan.source("print", path))
            with self.served(place, state) as server:
                ask = Ask(port=server.port, path=output_path(run.id, "lines"), accept=EVENTS)
                yield Stage(ask=ask, server=server.pids, source=lambda: kept_by(state, run.id), go=go)
            run.stop(now=True)
            run.wait(60)
        shutil.rmtree(state)

    def served(self, place: Path, state: Path) -> AbstractContextManager[Server]:
        """Serve what is in the state directory. This is the one place that knows how ours is started."""
        argv = [sys.executable, "-m", "tailrace", "serve", "--host", "127.0.0.1", "--port", "0"]
        return announcing([*argv, "--state-dir", str(state)], place / "serve.log", {"TAILRACE_AUTH": "none"})


class Flask(Tailrace):
    """Ours under Flask, a thread for each viewer."""

    name = "tailrace.flask"
    how = "one command; lines, an id each; gunicorn gthread"
    most = 100

    def missing(self) -> str | None:
        """See the base."""
        return _missing_package("gunicorn", "dev")

    def served(self, place: Path, state: Path) -> AbstractContextManager[Server]:
        """See the base."""
        return _gunicorn("bench.field.flask_app:app", place, self.most, {"TAILRACE_STATE": str(state)})


class Nchan(Contender):
    """nginx with nchan."""

    name = "nginx + nchan"
    how = "a publisher posts; EventSource, an id each"

    def missing(self) -> str | None:
        """See the base."""
        return nginx.missing()

    @contextmanager
    def stage(self, place: Path, plan: Plan) -> Iterator[Stage]:
        """See the base."""
        with gate(place) as (path, go), nginx.served(place, place) as server:
            ask = Ask(port=server.port, path="/watch", accept=EVENTS)
            with _ended(subprocess.Popen(plan.source("post", path, str(server.port)))) as pid:
                yield Stage(ask=ask, server=server.pids, source=lambda: [pid], go=go)


class Starlette(Contender):
    """Starlette's StreamingResponse under uvicorn."""

    name = "Starlette"
    how = "a task in the server, a queue for each viewer; SSE without ids; uvicorn"
    path = "/starlette"

    def missing(self) -> str | None:
        """See the base."""
        wanted = ("uvicorn", "starlette", "sse_starlette")
        return next((told for name in wanted if (told := _missing_package(name, "bench"))), None)

    @contextmanager
    def stage(self, place: Path, plan: Plan) -> Iterator[Stage]:
        """See the base."""
        port = free_port()
        options = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning"]
        argv = [sys.executable, "-m", "uvicorn", "bench.field.apps:app", *options, "--timeout-graceful-shutdown", "1"]
        with listening([*argv, "--backlog", "4096"], port, place / "uvicorn.log") as server:
            ask = Ask(port=port, path=self.path, accept=EVENTS)
            yield Stage(ask=ask, server=server.pids, source=list, go=lambda: _post(port, plan.target()))


class SseStarlette(Starlette):
    """sse-starlette under uvicorn."""

    name = "sse-starlette"
    path = "/sse-starlette"


class Epoll(Contender):
    """The floor."""

    name = "epoll floor"
    how = "the server's own loop; SSE without ids, framed once"

    def missing(self) -> str | None:
        """See the base."""
        return None

    @contextmanager
    def stage(self, place: Path, plan: Plan) -> Iterator[Stage]:
        """See the base."""
        with floor(place, MESSAGE) as server:
            ask = Ask(port=server.port, path="/watch", accept=EVENTS)
            yield Stage(ask=ask, server=server.pids, source=list, go=lambda: _post(server.port, plan.target()))


class Websocketd(Contender):
    """websocketd: a command for each viewer, as it always does."""

    name = "websocketd"
    how = "a command for each viewer; a message a line"
    most = 100

    def missing(self) -> str | None:
        """See the base."""
        return None if shutil.which("websocketd") else "websocketd is not here: apt install websocketd"

    @contextmanager
    def stage(self, place: Path, plan: Plan) -> Iterator[Stage]:
        """See the base."""
        with gate(place) as (path, go), self.served(place, plan.source("print", path)) as server:
            ask = Ask(port=server.port, path="/", is_websocket=True)
            yield Stage(ask=ask, server=lambda: [server.pid], source=lambda: children(server.pid), go=go)

    def served(self, place: Path, argv: list[str], *options: str) -> AbstractContextManager[Server]:
        """Serve one command."""
        port = free_port()
        told = ["websocketd", "--address", "127.0.0.1", "--port", str(port), "--loglevel", "error", *options]
        return listening([*told, *argv], port, place / "websocketd.log")


class Article(Contender):
    """The article's server: a thread, a process and a queue for each viewer."""

    name = "the article's server"
    how = "a command for each viewer; SSE without ids; gunicorn gthread"
    most = 100

    def missing(self) -> str | None:
        """See the base."""
        return _missing_package("shelljob", "dev") or _missing_package("gunicorn", "dev")

    @contextmanager
    def stage(self, place: Path, plan: Plan) -> Iterator[Stage]:
        """See the base."""
        with gate(place) as (path, go):
            env = {"BENCH_ARGV_field": json.dumps(plan.source("print", path))}
            with _gunicorn("bench.peers:app", place, self.most, env) as server:
                ask = Ask(port=server.port, path="/article/field", accept=EVENTS)
                yield Stage(ask=ask, server=server.pids, source=lambda: _grandchildren(server.pid), go=go)


OURS, FLASK, NCHAN, EPOLL = Tailrace(), Flask(), Nchan(), Epoll()
STARLETTE, SSE_STARLETTE, WEBSOCKETD, ARTICLE = Starlette(), SseStarlette(), Websocketd(), Article()
_LIVE = msgspec.json.Decoder(Live)


def output_path(run_id: str, wire: str) -> str:
    """Return where our API has a run's output, from its start."""
    return f"/api/runs/{run_id}/output?format={wire}"


def kept_by(state: Path, run_id: str) -> list[int]:
    """Return the processes of a run: its command and its keeper."""
    live = _LIVE.decode((state / "runs" / run_id / "live.json").read_bytes())
    return [process.pid for process in (live.command, live.keeper) if process]


@contextmanager
def floor(place: Path, file: Path) -> Iterator[Server]:
    """Serve messages of its own, and a file by sendfile."""
    port = free_port()
    argv = [sys.executable, "-m", "bench.field.floors", str(port), str(file)]
    with listening(argv, port, place / "floor.log") as server:
        yield server


@contextmanager
def gate(place: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Give a gate, and what opens it; whoever comes later finds it open. With the block sources may end."""
    path = place / "gate"
    with path.open("wb") as file, path.with_name(path.name + EXIT).open("wb") as way_out:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.flock(way_out, fcntl.LOCK_EX)
        yield path, lambda: fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[int]:
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _gunicorn(app: str, place: Path, threads: int | None, env: dict[str, str]) -> AbstractContextManager[Server]:
    port = free_port()
    options = ["--worker-class", "gthread", "--threads", str((threads or 0) + SPARE_THREADS), "--no-control-socket"]
    options += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--graceful-timeout", "1"]
    return listening([sys.executable, "-m", "gunicorn", *options, app], port, place / "gunicorn.log", env)


def _grandchildren(pid: int) -> list[int]:
    return [command for worker in children(pid) for command in children(worker)]


def _post(port: int, target: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as peer:
        peer.request("POST", target)
        assert peer.getresponse().status == 202


def _missing_package(name: str, extra: str) -> str | None:
    if importlib.util.find_spec(name):
        return None
    return f"{name} is not here: pip install -e '.[{extra}]'"
