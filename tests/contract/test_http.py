"""The engine behind a server keeps the contract, as far as a server lets it.

What does not apply is what `RemoteContract` leaves out: a server runs declared commands only, so nothing is started
from here (the disk engine of the same directory does that for these tests); it gives no specs away, removes no runs,
takes neither signals nor sizes, and knows by itself who asks.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tailrace.core.errors import NotAllowed
from tailrace.engine.base import Engine, Retention
from tailrace.engine.http import HttpEngine
from tailrace.host.messages import Resize, Signal
from tailrace.testing import RemoteContract
from tests.support.remote import Started, server
from tests.system.web.server import Server

__all__ = ["server"]  # a fixture, by its name here


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
        assert isinstance(engine, HttpEngine)
        with closing(HttpEngine(engine.url)) as bare:
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
