"""The engine contract: what `tailrace.engine.base.Engine` promises, as tests."""

import pytest

from tailrace.engine.base import Engine
from tailrace.testing.engine.controlling import ControlContract
from tailrace.testing.engine.following import FollowingContract
from tailrace.testing.engine.keys import KeyContract
from tailrace.testing.engine.lines import LinesContract
from tailrace.testing.engine.listing import ListingContract
from tailrace.testing.engine.pruning import PruningContract
from tailrace.testing.engine.starting import StartingContract


class EngineContract(
    StartingContract, ListingContract, FollowingContract, LinesContract, ControlContract, KeyContract, PruningContract
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

    @pytest.fixture
    def engine(self) -> Engine:
        """Give a new, empty engine; a subclass must."""
        raise NotImplementedError("give the fixture `engine`")

    @pytest.fixture
    def elsewhere(self, engine: Engine) -> Engine:
        """Give another engine of the same place; a subclass must."""
        raise NotImplementedError(f"give the fixture `elsewhere`: one more like {engine!r}")


__all__ = ["EngineContract"]
