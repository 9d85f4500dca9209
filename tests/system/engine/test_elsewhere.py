"""Following in an event loop, where opening and reading may take long."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from tailrace import Run
from tailrace.core.errors import UnknownRun
from tailrace.engine.disk import DiskCursor, DiskEngine
from tests.support.wait import wait_for


class Gate:
    """What a thread waits at until it may go on."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()
        self.is_open = threading.Event()

    def passed(self) -> None:
        """Wait here."""
        self.is_reached.set()
        assert self.is_open.wait(60)


class Hold(Protocol):
    """Has a call wait at a gate."""

    def __call__(self, of: type, name: str) -> Gate:
        """Return the gate."""


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Hold:
    """Give what has a call wait at a gate."""

    def held(of: type, name: str) -> Gate:
        gate, call = Gate(), getattr(of, name)

        def waiting(*args: object, **options: object) -> object:
            gate.passed()
            return call(*args, **options)

        monkeypatch.setattr(of, name, waiting)
        return gate

    return held


def opened(run: Run) -> list[str]:
    """Return the names of this run's files that this process has open."""
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return [name for name in names if run.id in name]


async def gather(run: Run) -> bytes:
    """Return the whole output."""
    return b"".join([chunk.data async for chunk in run.afollow()])


async def until(condition: Callable[[], bool]) -> None:
    """Wait in the loop, which goes round meanwhile."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  (a thread makes it true)
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("of", "name"), [(DiskEngine, "cursor"), (DiskCursor, "look")])
def test_the_loop_goes_on_meanwhile(engine: DiskEngine, hold: Hold, of: type, name: str) -> None:
    """While a cursor is opened, or reads, everybody else in the loop is served."""
    run = engine.start(["echo", "hi"])
    run.wait(60)
    gate = hold(of, name)

    async def main() -> bytes:
        following = asyncio.create_task(gather(run))
        await until(gate.is_reached.is_set)
        assert not following.done()
        gate.is_open.set()
        return await following

    assert asyncio.run(main()) == b"hi\n"
    assert opened(run) == []


@pytest.mark.parametrize(("of", "name"), [(DiskEngine, "cursor"), (DiskCursor, "look")])
def test_who_is_cancelled_meanwhile_leaves_nothing(engine: DiskEngine, hold: Hold, of: type, name: str) -> None:
    """It ends at once; the files are closed when the thread is done with them."""
    run = engine.start(["echo", "hi"])
    run.wait(60)
    gate = hold(of, name)

    async def main() -> None:
        following = asyncio.create_task(gather(run))
        await until(gate.is_reached.is_set)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        assert not gate.is_open.is_set()
        gate.is_open.set()

    asyncio.run(main())
    wait_for(lambda: opened(run) == [])


def test_what_is_wrong_is_raised_at_the_first_step(engine: DiskEngine) -> None:
    """As it is by `follow`."""
    with pytest.raises(UnknownRun):
        asyncio.run(gather(Run(engine, "0" * 27)))
