"""The disk engine keeps the contract of engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.engine.base import Engine
from tailrace.engine.disk import DiskEngine
from tailrace.testing import EngineContract


class TestDiskEngine(EngineContract):
    @pytest.fixture
    def engine(self, state_dir: Path) -> Iterator[Engine]:
        """Give an engine on a directory of this test's own."""
        engine = DiskEngine(state_dir)
        yield engine
        engine.close()

    @pytest.fixture
    def elsewhere(self, engine: Engine, state_dir: Path) -> Iterator[Engine]:
        """Give another on the same directory."""
        assert isinstance(engine, DiskEngine)
        other = DiskEngine(state_dir)
        yield other
        other.close()
