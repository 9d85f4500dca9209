"""How runs end: every kind of outcome, from real commands."""

import signal
from pathlib import Path

import pytest

from tailrace.core.outcome import Exited, FailedToStart, OutputLimit, Signaled, Stopped, TimedOut
from tailrace.core.piece import Chunk, Gap
from tailrace.engine.base import End
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tests.support.wait import wait_for

IGNORED = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
QUICK = [("KILL", 0.0)]


def failure(run: Run) -> FailedToStart:
    """Return why the run did not start."""
    outcome = run.wait(timeout=60).outcome
    assert isinstance(outcome, FailedToStart), outcome
    return outcome


def test_every_exit_code_is_kept(engine: DiskEngine) -> None:
    """All 256, and none is taken for another."""
    runs = {code: engine.start(["sh", "-c", f"exit {code}"]) for code in (0, 1, 2, 126, 127, 128, 130, 143, 255)}
    for code, run in runs.items():
        info = run.wait(timeout=60)
        assert (info.outcome, info.wait_status) == (Exited(code), code << 8)


def test_every_signal_of_its_own_is_kept(engine: DiskEngine) -> None:
    """A command that a signal ended says which; those that end nobody let it go on to its exit."""
    numbers = sorted({int(number) for number in signal.valid_signals()} - {int(number) for number in STOPPING})
    script = "kill -{0} $$; exit 7"
    runs = {number: engine.start(["sh", "-c", script.format(number)], rlimits={"CORE": 0}) for number in numbers}
    for number, run in runs.items():
        info = run.wait(timeout=60)
        assert info.outcome == (Exited(7) if number in IGNORED else Signaled(number)), number
        assert info.ladder == ()


def test_a_command_that_stopped_itself_is_ended(engine: DiskEngine) -> None:
    """A suspended process takes no signal until it goes on; so it is made to."""
    run = engine.start(["sh", "-c", "echo ready; kill -STOP $$; exit 7"], ladder=[("TERM", 30), ("KILL", 0)])
    assert next(run.follow()).data == b"ready\n"
    run.stop()
    info = run.wait(timeout=60)
    assert (info.outcome, info.wait_status) == (Stopped(None), signal.SIGTERM)


def test_the_wall_clock_limit_beats_a_busy_command(engine: DiskEngine) -> None:
    """Output does not put it off."""
    run = engine.start(["yes"], timeout=0.2, ladder=QUICK)
    info = run.wait(timeout=60)
    assert (info.outcome, info.wait_status) == (TimedOut("wall"), signal.SIGKILL)


def test_output_puts_the_idle_limit_off(engine: DiskEngine) -> None:
    """It counts from the last byte: a command that prints all the time reaches another limit first."""
    run = engine.start(["yes"], idle_timeout=0.5, timeout=1.5, ladder=QUICK)
    assert run.wait(timeout=60).outcome == TimedOut("wall")


def test_an_exit_before_the_limit_stays_an_exit(engine: DiskEngine) -> None:
    """What is swept up after the command has no influence on its outcome."""
    script = "trap '' TERM INT; (while :; do sleep 60; done) & exit 3"
    run = engine.start(["sh", "-c", script], timeout=0.5, grace=1, ladder=[("TERM", 0.1), ("KILL", 0)])
    assert run.wait(timeout=60).outcome == Exited(3)


@pytest.mark.parametrize("limit", [0, 1, 65536, 100_001])
def test_the_output_limit_keeps_exactly_so_many_bytes(engine: DiskEngine, limit: int, mover: str) -> None:
    """The head is kept to the byte, the rest counted to the byte, and shown as one gap."""
    del mover
    size = 300_000
    run = engine.start(["head", "-c", str(size), "/dev/zero"], max_output=limit, on_max_output="truncate")
    events = list(run.events())
    end = events[-1]
    assert isinstance(end, End)
    assert (end.run.outcome, end.run.size, end.run.dropped) == (Exited(0), limit, size - limit)
    assert sum(len(event.data) for event in events if isinstance(event, Chunk)) == limit
    assert [event[:2] for event in events if isinstance(event, Gap)] == [(limit, size)]


def test_an_output_as_long_as_the_limit_has_no_gap(engine: DiskEngine, mover: str) -> None:
    """The limit is reached by the first byte too many, not by the last that fits."""
    del mover
    run = engine.start(["head", "-c", "1000", "/dev/zero"], max_output=1000)
    info = run.wait(timeout=60)
    assert (info.outcome, info.size, info.dropped) == (Exited(0), 1000, 0)
    assert not any(isinstance(event, Gap) for event in run.events())


def test_the_output_limit_stops(engine: DiskEngine, mover: str) -> None:
    """With `stop` the command is ended, and what is kept is exact all the same."""
    del mover
    run = engine.start(["yes"], max_output=100_001, ladder=QUICK)
    info = run.wait(timeout=60)
    assert (info.outcome, info.size) == (OutputLimit(), 100_001)
    assert info.dropped > 0
    assert b"".join(chunk.data for chunk in run.follow()) == b"y\n" * 50_000 + b"y"


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./no-such-program", "/etc/passwd/x"])
def test_what_is_not_there_is_not_found(engine: DiskEngine, program: str) -> None:
    """As a shell: 127."""
    outcome = failure(engine.start([program]))
    assert outcome.exit_code == 127
    assert program in outcome.error


def test_what_cannot_be_executed_is_refused(engine: DiskEngine, tmp_path: Path) -> None:
    """As a shell: 126, for a plain file, a directory, and a script that does not say what runs it."""
    plain, script = tmp_path / "plain", tmp_path / "script"
    plain.write_text("echo no\n")
    script.write_text("echo no\n")
    script.chmod(0o755)
    for path in (plain, script, tmp_path):
        run = engine.start([str(path)])
        outcome = failure(run)
        assert outcome.exit_code == 126
        assert str(path) in outcome.error
        assert run.info().size == 0


def test_the_path_is_the_commands_own(engine: DiskEngine, tmp_path: Path) -> None:
    """Programs are looked for in the PATH that the command gets; what cannot be executed there is passed over."""
    for name, mode in (("first", 0o644), ("second", 0o755)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tool").write_text("#!/bin/sh\necho found\n")
        (tmp_path / name / "tool").chmod(mode)
    path = f"{tmp_path}/first:{tmp_path}/none:{tmp_path}/second"
    assert b"".join(chunk.data for chunk in engine.start(["tool"], env={"PATH": path}).follow()) == b"found\n"
    only_first = engine.start(["tool"], env={"PATH": f"{tmp_path}/first"})
    assert failure(only_first).exit_code == 126
    assert failure(engine.start(["tool"], env={"PATH": str(tmp_path)})).exit_code == 127
    assert engine.start(["true"], env={"PATH": None}).wait(timeout=60).outcome == Exited(0)


@pytest.mark.parametrize("directory", ["/no/such/directory", "/etc/passwd"])
def test_a_directory_that_cannot_be_entered(engine: DiskEngine, directory: str) -> None:
    """The run fails to start, and the program is not blamed for it."""
    outcome = failure(engine.start(["true"], cwd=directory))
    assert outcome.exit_code == 125
    assert directory in outcome.error


def test_more_arguments_than_the_system_takes(engine: DiskEngine) -> None:
    """One that is too long, and all together: the system's refusal is the outcome."""
    for argv in (["true", "x" * (1 << 20)], ["true", *["x" * 100_000] * 200]):
        outcome = failure(engine.start(argv))
        assert outcome.exit_code == 126
        assert "too long" in outcome.error


def test_a_resource_limit_above_the_hard_one_is_an_error(engine: DiskEngine) -> None:
    """Limits that were asked for hold exactly, or the command does not run."""
    limited = engine.start(["sh", "-c", "ulimit -n; ulimit -Hn"], rlimits={"NOFILE": 77})
    assert b"".join(chunk.data for chunk in limited.follow()) == b"77\n77\n"
    assert failure(engine.start(["true"], rlimits={"RLIMIT_NOFILE": 1 << 40})).exit_code == 125


def test_nothing_is_left_of_a_run_that_failed_to_start(engine: DiskEngine, state_dir: Path) -> None:
    """Neither its launch, nor its entry among the unfinished."""
    run = engine.start(["/no/such/program"])
    failure(run)
    directory = state_dir / "runs" / run.id
    wait_for(lambda: sorted(path.name for path in directory.iterdir()) == SEALED)
    assert list((state_dir / "active").iterdir()) == []


SEALED = ["lock", "output", "result.json", "spec.json", "timeline"]
