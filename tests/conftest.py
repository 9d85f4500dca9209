"""What every test may ask for."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.cleanup import end_everything

pytest_plugins = ["tests.support.skips", "tests.support.browser", "tests.support.page"]

# under nohup(1) a hangup is ignored, and so would be by all that the tests start
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# a busy machine makes an example slow, not wrong; each test's own limit of time stands
hypothesis.settings.register_profile("tailrace", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("tailrace")


@pytest.fixture
def state_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an empty state directory of this test's own; whatever still runs on it ends with the test.

    It is private (0700), and its path short, since the sockets in it must fit into 107 bytes. `TAILRACE_STATE` names it
    meanwhile, so that what the test starts uses it too.
    """
    directory = Path(tempfile.mkdtemp(prefix="tr-", dir="/tmp"))
    monkeypatch.setenv("TAILRACE_STATE", str(directory))
    try:
        yield directory
    finally:
        end_everything(directory)
        if directory.exists():
            shutil.rmtree(directory)
