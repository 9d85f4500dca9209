"""Who watches, and how many may."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tailrace.core.command import Command, Commands
from tailrace.core.limits import Allowance, Limits
from tailrace.engine.disk import DiskEngine
from tailrace.web.audience import Audience, Bounds
from tailrace.web.responses import Response, Visitor

DOCUMENT = msgspec.json.Decoder(dict[str, object])
NOBODY = Commands()
ANN = Visitor("10.0.0.1", "ann", ("run1",), ("build",))
BOB = Visitor("10.0.0.2", "bob", ("run2",), ("build",))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Callable[[], DiskEngine]]:
    """Give what returns an engine; nothing is run."""
    made = DiskEngine(tmp_path / "state")
    yield lambda: made
    made.state.close()


def declared(limits: Limits | None = None, build: int | None = None) -> Commands:
    """Return what is declared: one command."""
    return Commands([Command(name="build", argv=("true",), max_viewers=build)], limits or Limits())


def let_in(audience: Audience, visitor: Visitor, commands: Commands, *, has_begun: bool = False) -> Callable[[], None]:
    """Return what is called when the viewer leaves."""
    entered = audience.enter(visitor, commands, has_begun=has_begun)
    assert not isinstance(entered, Response)
    return entered


def refused(audience: Audience, visitor: Visitor, commands: Commands) -> str:
    """Return by which limit, and see that the answer is one that can be acted upon."""
    answer = audience.enter(visitor, commands, has_begun=False)
    assert isinstance(answer, Response)
    assert isinstance(answer.body, bytes)
    said = DOCUMENT.decode(answer.body)
    assert (answer.status, dict(answer.headers)["Retry-After"], said["retry_after"]) == (429, "10", 10)
    assert said["hint"]
    return str(said["limit"])


@pytest.mark.parametrize(
    ("commands", "also"),
    [
        (declared(Limits(max_viewers=1)), True),
        (declared(build=1), True),
        (declared(Limits(user=Allowance(max_viewers=1))), False),
    ],
    ids=["all", "command", "user"],
)
def test_one_too_many(engine: Callable[[], DiskEngine], commands: Commands, *, also: bool) -> None:
    """Whoever belongs to what is full is refused, also by another process; who leaves makes room for one."""
    here, there = Audience(engine), Audience(engine)
    leave = let_in(here, ANN, commands)
    assert refused(here, ANN, commands) == refused(there, ANN, commands) == "max_viewers"
    if also:
        assert refused(there, BOB, commands) == "max_viewers"
    else:
        let_in(there, BOB, commands)()
    leave()
    again = let_in(there, ANN, commands)
    assert refused(here, ANN, commands) == "max_viewers"
    again()


def test_bounds_are_of_a_process(engine: Callable[[], DiskEngine]) -> None:
    """Those of a run and of an address; who has no address is not counted by it."""
    here, there = (Audience(engine, Bounds(per_run=1, per_address=1)) for _ in range(2))
    leave = let_in(here, ANN, NOBODY)
    assert refused(here, BOB._replace(run_ids=("run1",)), NOBODY) == "max_viewers_per_run"
    assert refused(here, BOB._replace(address=ANN.address), NOBODY) == "max_viewers_per_address"
    let_in(there, ANN, NOBODY)()
    for _ in range(3):
        let_in(here, Visitor(), NOBODY)
    leave()
    let_in(here, ANN, NOBODY)


def test_a_refusal_takes_no_place(engine: Callable[[], DiskEngine]) -> None:
    """Whichever of the limits it was."""
    commands = declared(Limits(max_viewers=3, user=Allowance(max_viewers=1)), build=2)
    audience = Audience(engine, Bounds(per_run=1))
    leave = let_in(audience, ANN, commands)
    for _ in range(5):
        refused(audience, ANN, commands)
        refused(audience, BOB._replace(run_ids=("run1",)), commands)
    other = let_in(audience, BOB, commands)
    leave()
    other()
    let_in(audience, ANN, commands)
    let_in(audience, BOB, commands)


def test_for_whom_a_run_was_started(engine: Callable[[], DiskEngine]) -> None:
    """He is asked before; then only the run's own limit can refuse him."""
    commands, audience = declared(Limits(max_viewers=1)), Audience(engine, Bounds(per_run=2, per_address=1))
    assert audience.refusal(Visitor(ANN.address, "ann", (), ("build",)), commands) is None
    let_in(audience, ANN, commands)
    assert audience.refusal(Visitor("10.0.0.3", "eve", (), ("build",)), commands) is not None
    let_in(audience, ANN, commands, has_begun=True)
    assert isinstance(audience.enter(ANN, commands, has_begun=True), Response)


def test_limits_that_come_later(engine: Callable[[], DiskEngine]) -> None:
    """A file that is read anew counts those who are there already; one that lifts a limit lets more in."""
    here, there = Audience(engine), Audience(engine)
    let_in(here, ANN, declared())
    let_in(here, ANN, declared())
    assert refused(here, ANN, declared(build=2)) == "max_viewers"
    assert refused(there, BOB, declared(build=2)) == "max_viewers"
    let_in(there, BOB, declared())
