"""Runs behind a server, for tests: the server, and an engine that has runs started on the server's disk."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Unpack

import pytest

from tailrace.engine.base import StartOptions
from tailrace.engine.disk import DiskEngine
from tailrace.engine.http import HttpEngine
from tailrace.engine.run import Run
from tailrace.host.messages import Input
from tests.system.web.server import Server

PINGS = {"flask": ("/ping", b"pong"), "serve": ("/healthz", b'{"status":"ok"}')}


class Started(HttpEngine):
    """Has runs started on the server's disk, where a server's own commands would be."""

    def __init__(self, url: str, state_dir: Path) -> None:
        super().__init__(url)
        self._disk = DiskEngine(state_dir)

    def start(self, argv: Sequence[str], **options: Unpack[StartOptions]) -> Run:
        """Start it there, and give the handle that goes over HTTP."""
        run = self._disk.start(argv, **options)
        if options.get("stdin") and options.get("when_busy") != "queue":
            self._disk.control(run.id, Input(b""))
        return Run(self, run.id)

    def close(self) -> None:
        """Close both."""
        super().close()
        self._disk.close()


@pytest.fixture(scope="module", params=["flask", "serve"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server in a process of its own, for all tests of a file: Flask's blueprint, and `tailrace serve`."""
    log = tmp_path_factory.mktemp("server") / "log"
    command = ("-m", "tests.support.serving" if request.param == "flask" else "tests.support.serving_loop", "{port}")
    with closing(Server(request.param, log, {}, command, ping=PINGS[request.param])) as server:
        yield server
