"""What `run` and `follow` do when they are interrupted, hung up, or lose their reader."""

import os
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tailrace import Engine, Query
from tailrace.core.outcome import Exited, Stopped
from tailrace.core.run import RunInfo
from tests.support.wait import wait_for
from tests.system.cli.conftest import Program

STUBBORN = "trap '' INT TERM; echo begun; while :; do sleep 600; done"
POLITE = "echo begun; exec sleep 600"


def begin(program: Program, *options: str, script: str = POLITE) -> subprocess.Popen[bytes]:
    """Start a run, and return when its command has printed its first line."""
    running = program.start("run", *options, "--", "sh", "-c", script)
    assert running.stdout is not None
    assert running.stdout.read(6) == b"begun\n"
    return running


def newest(engine: Engine) -> RunInfo:
    """Return the newest run."""
    return engine.list(Query(limit=1)).runs[0]


def has_rungs(engine: Engine, least: int) -> bool:
    """Tell whether the newest run has been sent so many signals."""
    return len(newest(engine).ladder) >= least


def ended(engine: Engine) -> RunInfo:
    """Return the newest run, once it has ended."""
    wait_for(lambda: newest(engine).is_finished)
    return newest(engine)


def test_interrupt_stops_the_run_and_shows_how(program: Program, engine: Engine) -> None:
    """^C at the terminal, which signals the whole process group, ends the run with 130 and tells of each rung."""
    running = begin(program)
    os.killpg(running.pid, signal.SIGINT)
    _out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    lines = err.decode().splitlines()
    assert lines[0] == "tailrace: stopping; ^C again hurries"
    assert lines[1].startswith("tailrace: sent INT to 1 process")
    assert lines[-1].startswith("tailrace: stopped by ")
    assert isinstance(newest(engine).outcome, Stopped)


def test_a_second_interrupt_hurries(program: Program, engine: Engine) -> None:
    """A command that ignores INT and TERM is killed at the third ^C, without waiting for the ladder's pauses."""
    running = begin(program, script=STUBBORN)
    for rungs in (1, 2, 3):
        os.kill(running.pid, signal.SIGINT)
        wait_for(partial(has_rungs, engine, rungs))
    _out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert [name for name in ("sent INT", "sent TERM", "sent KILL") if name in err.decode()] == [
        "sent INT",
        "sent TERM",
        "sent KILL",
    ]
    first, *_rest, last = newest(engine).ladder
    assert (last.time - first.time).total_seconds() < 9


def test_terminate_stops_the_run(program: Program, engine: Engine) -> None:
    """SIGTERM to us ends the run, and gives 143."""
    running = begin(program)
    running.terminate()
    assert running.wait(60) == 143
    assert isinstance(newest(engine).outcome, Stopped)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_hangup_leaves_the_run(program: Program, engine: Engine, number: signal.Signals) -> None:
    """A lost terminal, or ^\\, ends only the watching; it is said how to resume."""
    running = begin(program)
    running.send_signal(number)
    _out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    info = newest(engine)
    assert not info.is_finished
    assert f"tailrace follow {info.id} --from 6" in err.decode()


def test_the_directory_is_part_of_how_to_resume(program: Program, state_dir: Path) -> None:
    """What was said as an option is needed again, quoted for a shell; what a variable says is there anyway."""
    place = str(state_dir / "my runs")
    running = begin(program, "--state-dir", place)
    running.send_signal(signal.SIGHUP)
    _out, err = running.communicate(timeout=60)
    assert f"--from 6 --state-dir '{place}'\n" in err.decode()
    assert program("stop", "last", "--now", "--state-dir", place).returncode == 0


def test_a_killed_viewer_leaves_the_run(program: Program, engine: Engine) -> None:
    """SIGKILL to us changes nothing for the command."""
    running = begin(program, "--input", script="echo begun; read line; echo got $line")
    running.kill()
    running.wait(60)
    assert program("send", "last", "on").returncode == 0
    assert isinstance(ended(engine).outcome, Exited)
    assert program("follow", "last").stdout == b"begun\ngot on\n"


def test_a_closed_output_stops_the_run_quietly(program: Program, engine: Engine) -> None:
    """`| head` ends the run: 141, and not a word."""
    running = program.start("run", "--", "yes")
    assert running.stdout is not None
    assert running.stdout.read(4) == b"y\ny\n"
    running.stdout.close()
    assert running.wait(60) == 141
    assert running.stderr is not None
    assert running.stderr.read() == b""
    assert isinstance(ended(engine).outcome, Stopped)


def test_interrupt_works_while_nobody_reads(program: Program, engine: Engine) -> None:
    """A full pipe does not keep ^C from the run."""
    running = program.start("run", "--", "yes")
    wait_for(lambda: (runs := engine.list(Query(limit=1)).runs) and runs[0].size > 1 << 20)
    running.send_signal(signal.SIGINT)
    assert ended(engine).is_finished
    running.send_signal(signal.SIGINT)
    _out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"--from" in err


def test_an_ignored_interrupt_stays_ignored(program: Program, engine: Engine) -> None:
    """What the shell told us to ignore, as for a job in the background, does nothing."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        running = begin(program)
    finally:
        signal.signal(signal.SIGINT, before)
    running.send_signal(signal.SIGINT)
    assert program("send", "last", "--signal", "USR1").returncode == 0
    assert running.wait(60) == 128 + signal.SIGUSR1
    assert ended(engine).ladder == ()


def test_follow_only_stops_watching(
    program: Program, engine: Engine, until_printed: Callable[[str, bytes], None]
) -> None:
    """^C in `follow` leaves the run alone, and says where to resume."""
    run_id = program.detached("--", "sh", "-c", POLITE)
    until_printed(run_id, b"begun")
    watching = program.start("follow", run_id)
    assert watching.stdout is not None
    assert watching.stdout.read(6) == b"begun\n"
    watching.send_signal(signal.SIGINT)
    _out, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert f"tailrace follow {run_id} --from 6\n" in err.decode()
    assert not engine.get(run_id).is_finished


def test_interrupting_a_queued_run_cancels_it(program: Program, engine: Engine) -> None:
    """^C in the queue: 130, and the run never starts."""
    begin(program, "--key", "k")
    waiting = program.start("run", "--key", "k", "--when-busy", "queue", "--", "echo", "never")
    assert waiting.stderr is not None
    assert waiting.stderr.read(32).startswith(b"tailrace: queued, at place 1")
    waiting.send_signal(signal.SIGINT)
    out, _err = waiting.communicate(timeout=60)
    assert (waiting.returncode, out) == (130, b"")
    assert newest(engine).started is None
