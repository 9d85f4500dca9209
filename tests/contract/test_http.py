"""The engine behind a server keeps the contract, as far as a server lets it.

What does not apply is what `RemoteContract` leaves out: a server runs declared commands only, so nothing is started
from here (the disk engine of the same directory does that for these tests); it gives no specs away, removes no runs,
takes neither signals nor sizes, and knows by itself who asks.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Unpack

import pytest

from tailrace.core.errors import NotAllowed
from tailrace.engine.base import Engine, Retention, StartOptions
from tailrace.engine.disk import DiskEngine
from tailrace.engine.http import HttpEngine
from tailrace.engine.run import Run
from tailrace.host.messages import Input, Resize, Signal
from tailrace.testing import RemoteContract
from tests.system.web.server import Server


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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    with closing(Server("werkzeug", log, {}, ("-m", "tests.contract.serving", "{port}"))) as server:
        yield server


class TestHttpEngine(RemoteContract):
    @pytest.fixture
    def engine(self, server: Server, state_dir: Path) -> Iterator[Engine]:
        """Give an engine of a directory of this test's own."""
        engine = Started(f"{server.url}/{state_dir.name}/ops", state_dir)
        yield engine
        engine.close()

    @pytest.fixture
    def elsewhere(self, engine: Engine, server: Server, state_dir: Path) -> Iterator[Engine]:
        """Give another on the same directory."""
        assert isinstance(engine, Started)
        other = Started(f"{server.url}/{state_dir.name}/ops", state_dir)
        yield other
        other.close()

    def test_what_a_server_does_not_do_is_refused(self, engine: Engine) -> None:
        """Each with a hint that says what to do instead."""
        run = engine.start(["cat"], stdin=True)
        bare = HttpEngine(f"{engine.url}") if isinstance(engine, HttpEngine) else engine
        for ask in (
            lambda: bare.start(["true"]),
            lambda: bare.spec(run.id),
            lambda: bare.prune(Retention(count=0)),
            lambda: bare.control(run.id, Signal(15)),
            lambda: bare.control(run.id, Resize(10, 10)),
        ):
            with pytest.raises(NotAllowed) as caught:
                ask()
            assert caught.value.hint
        assert bare.get(run.id).outcome is None
