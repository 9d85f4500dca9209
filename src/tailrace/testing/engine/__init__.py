"""The engine contract: what `tailrace.engine.base.Engine` promises, as tests."""

import pytest

from tailrace.engine.base import Engine
from tailrace.testing.engine.activity import ActivityContract
from tailrace.testing.engine.controlling import ControlContract, FullControlContract
from tailrace.testing.engine.following import FollowingContract, RemovedContract
from tailrace.testing.engine.keys import KeyContract
from tailrace.testing.engine.lines import LinesContract
from tailrace.testing.engine.listing import ListingContract
from tailrace.testing.engine.pruning import PruningContract
from tailrace.testing.engine.starting import KnowingContract, StartingContract


class RemoteContract(
    KnowingContract, ListingContract, FollowingContract, LinesContract, ActivityContract, ControlContract
):
    """What an engine must pass whose runs are started and removed elsewhere: it looks, follows, stops and writes.

    Its `engine` has a `start` all the same, with which the tests have runs to look at: give a subclass of your engine
    that has them started at the place in another way. A run with `stdin` that need not wait must be going when that
    returns.
    """

    @pytest.fixture
    def engine(self) -> Engine:
        """Give a new, empty engine; a subclass must."""
        raise NotImplementedError("give the fixture `engine`")

    @pytest.fixture
    def elsewhere(self, engine: Engine) -> Engine:
        """Give another engine of the same place; a subclass must."""
        raise NotImplementedError(f"give the fixture `elsewhere`: one more like {engine!r}")


class EngineContract(
    RemoteContract,
    StartingContract,
    RemovedContract,
    FullControlContract,
    KeyContract,
    PruningContract,
):
    """Every test that an engine must pass; subclass it beside your own tests and give the two fixtures.

        class TestMyEngine(EngineContract):
            @pytest.fixture
            def engine(self, tmp_path):
                engine = MyEngine(tmp_path)
                yield engine
                engine.close()

            @pytest.fixture
            def elsewhere(self, engine, tmp_path):
                other = MyEngine(tmp_path)
                yield other
                other.close()

    `engine` is new and empty for each test, and launches commands on this machine. `elsewhere` is a second engine of
    the same place, as another process would have it. When a test ends, the fixture ends what still runs.

    Commands are run by `sh` and by this interpreter. Nothing sleeps; deadlines are 60 s, for hangs only. The tests use
    plain pytest and no plug-in, so they run under any order and in parallel if the fixtures do.
    """


__all__ = ["EngineContract", "RemoteContract"]
