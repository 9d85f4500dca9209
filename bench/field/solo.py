"""One viewer that takes everything, of a live run or a finished one: how fast each contender is."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.content import Content
from bench.field.contenders import WEBSOCKETD, Tailrace, output_path
from bench.field.servers import ROOT, Server
from bench.field.viewers import Ask
from bench.serving import state_dir
from tailrace.api import connect
from tailrace.engine.base import Engine

END_S = 300.0
SPARE_BYTES = 8 << 20
ACCEPT = {"text": "text/plain", "lines": "text/event-stream", "sse": "text/event-stream"}
KIND = {"text": "bytes", "lines": "lines", "sse": "objects"}
BLOAT = {"text": 1.05, "lines": 10.0, "sse": 1.6}
"""bytes on the wire for each of a text, at most"""


@dataclass(frozen=True)
class Taken:
    """What the viewer got, and in how many seconds."""

    seconds: float
    messages: int
    size: int

    @property
    def mb_s(self) -> float:
        """Return millions of bytes of the text a second."""
        return self.size / self.seconds / 1e6

    @property
    def messages_s(self) -> float:
        """Return messages a second."""
        return self.messages / self.seconds


class Drain:
    """The viewer's process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def take(self, ask: Ask, content: Content, begun_ns: int | None = None) -> Taken:
        """Have it take everything; the clock runs from `begun_ns`, or from its connecting on."""
        told, _ = self._process.communicate(json.dumps(asdict(ask)) + "\n", timeout=END_S)
        assert self._process.returncode == 0
        seen = json.loads(told)
        size, sha256 = seen["bytes"], seen["sha256"]
        assert (size, sha256) == (content.size, content.sha256), f"{size} bytes, not {content.size} with the digest"
        return Taken((seen["ended_ns"] - (begun_ns or seen["begun_ns"])) / 1e9, seen["messages"], size)


@contextmanager
def drain(room_bytes: float, kind: str) -> Iterator[Drain]:
    """Start a viewer; it has its memory, and waits to be told."""
    argv = [sys.executable, "-m", "bench.field.drain", str(int(room_bytes) + SPARE_BYTES), kind]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield Drain(process)
        finally:
            process.kill()


@contextmanager
def warm(contender: Tailrace, place: Path) -> Iterator[tuple[Engine, Path, Server]]:
    """Serve a state directory in which a run has ended already; afterwards it is gone."""
    with state_dir(place, "solo") as state, closing(connect(f"disk:{state}")) as engine:
        engine.start(["true"]).wait(60)
        with contender.served(place, state) as server:
            yield engine, state, server


def live(contender: Tailrace, place: Path, argv: list[str], content: Content, wire: str) -> Taken:
    """Start a run and watch it, from before its start to its end."""
    with warm(contender, place) as (engine, state, server), drain(content.size * BLOAT[wire], KIND[wire]) as viewer:
        begun_ns = time.monotonic_ns()
        run = engine.start(argv)
        taken = viewer.take(_ask(server, run.id, wire), content, begun_ns)
        run.wait(60)
        forget(state)
    return taken


def finished(server: Server, run_id: str, content: Content) -> Taken:
    """Take the text of a run that has ended."""
    with drain(content.size * BLOAT["text"], "bytes") as viewer:
        return viewer.take(_ask(server, run_id, "text"), content)


def by_websocketd(place: Path, argv: list[str], content: Content, kind: str, bloat: float) -> Taken:
    """Have websocketd run it for a viewer who connects; a kind of `frames` is its `--binary`."""
    options = ("--binary",) if kind == "frames" else ()
    with WEBSOCKETD.served(place, argv, *options) as server, drain(content.size * bloat, kind) as viewer:
        return viewer.take(Ask(port=server.port, path="/", is_websocket=True), content)


def forget(state: Path) -> None:
    """Make room: outputs of rounds before would be written back during the next one."""
    for output in state.glob("runs/*/output"):
        output.write_bytes(b"")


def numbers(count: int) -> Content:
    """Return what `seq 1 COUNT` prints."""
    text = b"".join(b"%d\n" % number for number in range(1, count + 1))
    return Content(Path("/dev/null"), len(text), hashlib.sha256(text).hexdigest())


def _ask(server: Server, run_id: str, wire: str) -> Ask:
    return Ask(port=server.port, path=output_path(run_id, wire), accept=ACCEPT[wire], is_closing=True)
