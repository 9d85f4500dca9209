"""What attacks may ask for."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.support.cleanup import end_everything
from tests.system.security.town import MakeTown, Town


@contextmanager
def begun(text: str = "", auth: str = "users", **env: str) -> Iterator[Town]:
    """Give a town, which is gone afterwards, with all that runs there."""
    with tempfile.TemporaryDirectory(prefix="tailrace-town-", dir="/tmp") as directory:
        state = Path(tempfile.mkdtemp(prefix="tr-", dir="/tmp"))
        try:
            town = Town(state, Path(directory), text, auth, env)
            with closing(town.serving):
                yield town
        finally:
            end_everything(state)
            shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """Give the town of a file of tests, where everybody may see every run."""
    with begun() as made:
        yield made


@pytest.fixture
def unmoved(town: Town) -> Iterator[None]:
    """See that nothing comes of what the test tries."""
    with town.unmoved():
        yield


@pytest.fixture
def make_town() -> Iterator[MakeTown]:
    """Give what makes a town of a test's own."""
    with ExitStack() as stack:

        def make(text: str = "", auth: str = "users", **env: str) -> Town:
            return stack.enter_context(begun(text, auth, **env))

        yield make
