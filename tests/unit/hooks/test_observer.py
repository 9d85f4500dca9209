import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.core.hook import Hook
from tailrace.engine.disk import DiskEngine
from tailrace.hooks.observer import KNOWN, Observer
from tailrace.hooks.outbox import Outbox

HOOKS = (Hook(name="dead", url="https://dead.example"), Hook(name="well", url="https://well.example"))


class Place:
    """A state directory that is looked at."""

    def __init__(self, state_dir: Path, path: Path) -> None:
        self.engine = DiskEngine(str(state_dir))
        self.path = path
        self.outbox = Outbox(str(path / "outbox"))
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def observer(self) -> Observer:
        """Return what looks, as a process has it that has just begun."""
        return Observer(self.engine, HOOKS, self.outbox, self._fd)

    def run(self) -> str:
        """Return a run that has ended."""
        run = self.engine.start(["true"])
        run.wait()
        return run.id

    def waiting(self, hook: str) -> list[str]:
        """Return the runs that wait to be told to the hook."""
        return sorted(
            path.name.partition(".")[0] for path in (self.path / "outbox").iterdir() if path.suffix == f".{hook}"
        )

    def close(self) -> None:
        """Let go of it."""
        self.outbox.close()
        self.engine.close()
        os.close(self._fd)


@pytest.fixture
def place(state_dir: Path, tmp_path: Path) -> Iterator[Place]:
    """Give one."""
    made = Place(state_dir, tmp_path)
    yield made
    made.close()


def test_a_hook_that_is_full_holds_up_no_other(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What finds no room is not told to it, once and for all, which the log says; the others are told."""
    for module in ("observer", "outbox"):
        monkeypatch.setattr(f"tailrace.hooks.{module}.MOST", 2)
    observer = place.observer()
    runs = []
    for _ in range(4):
        runs.append(place.run())
        observer.look()
        place.outbox.remove(f"{runs[-1]}.finished.well")
    assert place.waiting("dead") == runs[:2]
    said = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert said == ["hook dead: 1 more are not told to it: 2 wait for it already"] * 2
    place.outbox.remove(f"{runs[0]}.finished.dead")
    observer.look()
    assert place.waiting("dead") == runs[1:2]
    runs.append(place.run())
    observer.look()
    assert place.waiting("dead") == [runs[1], runs[4]]
    assert place.waiting("well") == [runs[4]]


def test_what_it_knows_is_there_after_a_restart(place: Place) -> None:
    """What was told is not told again, what was not is."""
    observer = place.observer()
    first = place.run()
    observer.look()
    second = place.run()
    place.outbox.remove(f"{first}.finished.well")
    place.observer().look()
    assert place.waiting("well") == [second]


def test_what_cannot_be_read_is_begun_anew_and_told(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Not silently: somebody may wait to hear of an end that is forgotten with it."""
    place.observer()
    (place.path / KNOWN).write_bytes(b"")
    place.run()
    place.observer().look()
    assert place.waiting("well") == []
    assert "known.json of the hooks cannot be read, and is begun anew" in caplog.text
