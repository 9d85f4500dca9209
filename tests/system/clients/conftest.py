"""Clients that no one here wrote, and `tailrace serve`."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest

import tailrace
from tailrace import Engine, Run
from tests.support.wait import wait_for
from tests.system.web.gate import gated
from tests.system.web.server import Server

BEFORE = "".join(f"{number}\n" for number in range(1, 21)).encode() + b"half \xe2\x82\xac\n"
AFTER = "".join(f"{number}\n" for number in range(21, 41)).encode()
HEALTH = ("/healthz", b'{"status":"ok"}')


class Serve(Protocol):
    """Starts a server; it ends with the test."""

    def __call__(self, *settings: str) -> Server:
        """Return one with these lines in its settings."""


@pytest.fixture
def engine(state_dir: Path) -> Iterator[Engine]:
    """Give where the server's runs live."""
    with closing(tailrace.connect(state_dir)) as engine:
        yield engine


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path) -> Iterator[Serve]:
    """Give what starts a server."""
    config = tmp_path / "tailrace.toml"
    command = ("-m", "tailrace", "serve", str(config), "--port", "{port}")
    with ExitStack() as stack:

        def start(*settings: str) -> Server:
            config.write_text("\n".join(["[server]", 'auth = "none"', *settings, ""]))
            server = Server(
                "tailrace", tmp_path / "serve.log", {"TAILRACE_STATE": str(state_dir)}, command, ping=HEALTH
            )
            return stack.enter_context(closing(server))

        yield start


@pytest.fixture
def server(serve: Serve) -> Server:
    """Give a server."""
    return serve()


class Halves:
    """A run that prints `BEFORE`, and the rest when it is let go on."""

    def __init__(self, engine: Engine, gate: Path) -> None:
        self._gate = gate
        self.run: Run = engine.start(gated("seq 20; printf 'half \\342\\202\\254\\n'", gate, "seq 21 40"))
        wait_for(lambda: self.run.info().size == len(BEFORE))

    def go_on(self) -> None:
        """Have it print the rest, and end."""
        self._gate.touch()
        self.run.wait(60)


@pytest.fixture
def halves(engine: Engine, tmp_path: Path) -> Halves:
    """Give a run that waits in its middle."""
    return Halves(engine, tmp_path / "gate")


def output_of(server: Server, run: Run, wire: str) -> str:
    """Return where a run's output is."""
    return f"{server.url}/api/runs/{run.id}/output?format={wire}"
