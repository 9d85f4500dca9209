"""An engine on a directory of the test's own, and the two ways in which output is moved."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.engine.disk import DiskEngine


@pytest.fixture
def engine(state_dir: Path) -> Iterator[DiskEngine]:
    """Give an engine; what it started ends with the test."""
    engine = DiskEngine(state_dir)
    yield engine
    engine.close()


@pytest.fixture(params=["splice", "copy"])
def mover(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Move the output of what the test starts in either way."""
    way = str(request.param)
    monkeypatch.setenv("TAILRACE_MOVER", way)
    return way
