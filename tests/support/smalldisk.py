"""A state directory on a disk that is soon full."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tailrace.engine.disk import DiskEngine
from tailrace.host import settings
from tailrace.host.settings import Settings
from tests.support.cleanup import end_everything


@pytest.fixture
def small_disk(state_dir: Path) -> Iterator[Path]:
    """Make the state directory a file system of 8 MiB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tailrace", str(state_dir)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr}")
    yield state_dir
    end_everything(state_dir)
    subprocess.run(["umount", "--lazy", str(state_dir)], check=True)


def has_room(disk: Path) -> None:
    """Let runs start there, however little room is left."""
    with closing(DiskEngine(disk)) as engine:
        settings.save(engine.state, Settings(free_floor=0))


def fill(disk: Path, size: int) -> Path:
    """Take room away."""
    filler = disk / "version.filler"
    filler.write_bytes(bytes(size))
    return filler
