"""What a run may use: who takes more is ended, told so, and nobody else is harmed.

The programs are bounded themselves, in number, size and time, so that a limit that fails harms nobody.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.outcome import Exited, limited
from tailrace.core.run import RunInfo
from tailrace.engine.base import StartOptions
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import cgroup, cputime, runner_link
from tailrace.host.messages import Status
from tests.support.wait import wait_for
from tests.system.engine import hogs
from tests.system.engine.processes import group_of

UNENFORCEABLE = """
import os, resource
from tailrace.core.errors import NotEnforceable
from tailrace.core.limits import Resources
from tailrace.host.enforcement import check_enforceable
resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
if os.geteuid() == 0:
    os.setuid(65534)
check_enforceable(Resources(open_files=500))
try:
    check_enforceable(Resources(open_files=501))
except NotEnforceable as error:
    print(error.subject, bool(error.hint))
"""
LADDER = (("TERM", 0.5), ("KILL", 0.0))


def start(engine: DiskEngine, program: str, **options: object) -> Run:
    """Start one of the programs."""
    every: StartOptions = {"ladder": LADDER, **options}  # type: ignore[typeddict-item]  # a test says which
    return engine.start([sys.executable, "-c", program], **every)


def ended(run: Run) -> RunInfo:
    """Wait for the run's end, and return it."""
    return run.wait(timeout=90)


@pytest.mark.parametrize("name", list(hogs.HOGS))
def test_who_takes_too_much_is_ended(engine: DiskEngine, name: str) -> None:
    """With its whole tree and the outcome that says why; the runner, and a run beside it, notice nothing."""
    beside = engine.start(["cat"], stdin=True)
    wait_for(lambda: beside.info().state == "running")
    runner = runner_link.ask_once(engine.state, Status()).pid
    hog = hogs.HOGS[name]
    info = ended(start(engine, hog.program, **hog.limits))
    assert info.outcome == hog.outcome
    assert info.limit == hog.limit
    assert info.lingering == ()
    wait_for(lambda: not hogs.left_of(info.id))
    beside.send(b"still here\n")
    beside.close_input()
    assert ended(beside).outcome == Exited(0)
    assert b"".join(chunk.data for chunk in beside.follow()) == b"still here\n"
    assert runner_link.ask_once(engine.state, Status()).pid == runner


@pytest.mark.parametrize("name", list(hogs.HOGS))
def test_the_same_where_no_cgroup_can_be_made(state_dir: Path, name: str) -> None:
    """The keeper counts: each hog has the same outcome, and a run that takes less than it may is left alone."""
    assert without_cgroups("tests.system.engine.hogs", str(state_dir), name) == "it ended as it should\n"


def test_processes_that_nobody_waits_for_are_counted(engine: DiskEngine) -> None:
    """Where a control group counts: one short child after another, whose ends are ignored, and the result says it."""
    if cputime.what_counts() is None:
        pytest.skip("no control group counts processor time here")
    info = ended(start(engine, hogs.NOBODYS.program, **hogs.NOBODYS.limits))
    assert (info.outcome, info.limit) == (hogs.NOBODYS.outcome, "cpu")
    assert info.usage is not None
    assert info.usage.cpu_user_s + info.usage.cpu_system_s >= 0.5


@pytest.mark.skipif("cpuacct" not in cgroup.hierarchies(), reason="no such hierarchy of version 1")
@pytest.mark.other_platform
def test_the_same_by_a_group_of_version_1(state_dir: Path) -> None:
    """The run has a group in the hierarchy that counts, and it is removed with the run."""
    told = without_cgroups("tests.system.engine.cpu_of_nobody", str(state_dir), hidden="/sys/fs/cgroup/unified")
    assert told == "cgroup v1, nothing left\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.other_platform
def test_a_user_of_its_own_is_bounded_by_the_kernel_too(state_dir: Path) -> None:
    """RLIMIT_NPROC, where the keeper counts: above the limit, so that it is seen, and above what the user has."""
    told = without_cgroups("tests.system.engine.own_user", str(state_dir)).split()
    assert told[0] == "processes"
    assert int(told[1]) >= 2 * 20
    assert told[2] != told[1]


def without_cgroups(module: str, *arguments: str, hidden: str = "/sys/fs/cgroup") -> str:
    """Run a module of the tests where no cgroup can be made, or none below a directory; return what it prints."""
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    script = f'mount -t tmpfs none {hidden} && exec "$0" -m {module} "$@"'
    done = subprocess.run(
        [*own, "sh", "-c", script, sys.executable, *arguments],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_who_takes_less_is_left_alone(engine: DiskEngine) -> None:
    """A run below all its limits ends by itself, and no limit is named."""
    info = ended(start(engine, "print('x')", **hogs.ROOMY))
    assert (info.outcome, info.limit) == (Exited(0), None)


def test_a_limit_that_was_borne_changes_nothing(engine: DiskEngine) -> None:
    """A program that was refused files, and goes on to exit with 0, has exited with 0."""
    program = f"try:\n    exec({hogs.FILES!r})\nexcept OSError:\n    pass"
    assert ended(start(engine, program, max_open_files=64)).outcome == Exited(0)


def test_no_group_is_left(engine: DiskEngine) -> None:
    """What limited the run is removed with it."""
    run = engine.start(["cat"], stdin=True, max_memory=200 << 20, max_processes=50)
    wait_for(lambda: run.info().state == "running")
    group = group_of(engine, run.id)
    limiting = [place for name, place in cgroup.hierarchies().items() if name in ("memory", "pids")]
    places = [Path(place, group.name) for place in limiting] if group else []
    assert all(place.is_dir() for place in places)
    run.close_input()
    ended(run)
    wait_for(lambda: not any(place.exists() for place in places))


TREE = ("sleep 30 & sleep 30 & sleep 30 & wait", {"max_processes": 2}, "processes")
LOOP = ("while :; do :; done", {"max_cpu": 0.3, "timeout": 60.0}, "cpu")


@pytest.mark.parametrize(("script", "limits", "limit"), [TREE, LOOP], ids=["processes", "cpu"])
@pytest.mark.parametrize(
    "more",
    [
        pytest.param(
            {"user": "nobody"},
            id="user",
            marks=[
                pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else"),
                pytest.mark.other_platform,
            ],
        ),
        pytest.param({"secrets": {"TOKEN": "correct horse"}}, id="secrets"),
    ],
)
def test_whoever_it_runs_as_and_whatever_it_hides(
    engine: DiskEngine, script: str, limits: StartOptions, limit: str, more: StartOptions
) -> None:
    """A run of another user, and one whose output is masked, are held to their limits like any other."""
    options: StartOptions = {"cwd": "/", "ladder": LADDER, **limits, **more}
    info = ended(engine.start(["sh", "-c", script], **options))
    assert (info.limit, info.lingering) == (limit, ())


def test_what_makes_no_sense_is_refused(engine: DiskEngine) -> None:
    """Nothing is started, and the name of the limit is in the message."""
    for name, number in (("max_cpu", 0), ("max_memory", 5), ("max_processes", 0), ("max_open_files", 1)):
        with pytest.raises(InvalidInput, match=name):
            start(engine, "pass", **{name: number})


def test_what_cannot_be_enforced_is_refused() -> None:
    """More open files than the hard limit, for who may not raise that: an error before anything is started."""
    done = subprocess.run(
        [sys.executable, "-c", UNENFORCEABLE], check=False, capture_output=True, text=True, cwd="/", timeout=60
    )
    assert (done.stdout, done.stderr) == ("max_open_files True\n", "")


def test_the_outcome_says_which() -> None:
    """As an object it names the limit, and who only knows `by` is told, too."""
    assert limited("memory").by == "limit: memory"
