import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.host.statedir import StateDir
from tailrace.host.uploads import place, sweep


@pytest.fixture
def state(state_dir: Path) -> Iterator[StateDir]:
    """Give one of this test's own."""
    made = StateDir(str(state_dir))
    yield made
    made.close()


def left(state: StateDir) -> list[str]:
    """Return what is there."""
    return sorted(path.name for path in (Path(state.path) / "uploads").iterdir())


def test_it_is_gone_afterwards(state: StateDir) -> None:
    """With all that is in it; it is for its owner alone."""
    with place(state) as path:
        assert Path(path).stat().st_mode & 0o777 == 0o700
        (Path(path) / "0.bin").write_bytes(b"content")
    assert left(state) == []


def test_what_a_killed_process_left_is_removed(state: StateDir) -> None:
    """By the next one; what somebody still has, stays."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        with place(state) as path:
            (Path(path) / "0.bin").write_bytes(b"content")
            os.write(theirs, b"x")
            signal.pause()
    assert os.read(ours, 1) == b"x"
    assert sweep(state) == 0
    with place(state) as path:
        assert len(left(state)) == 2
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert sweep(state) == 1
        assert left(state) == [Path(path).name]
    os.close(ours)
    os.close(theirs)
