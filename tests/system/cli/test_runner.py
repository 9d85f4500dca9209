"""`tailrace runner`: the process that launches runs."""

import json
import signal
from collections.abc import Callable

from tailrace import Engine
from tests.support.wait import wait_for
from tests.system.cli.conftest import Program


def status(program: Program) -> dict[str, object]:
    """Return what `runner status --json` says."""
    told: dict[str, object] = json.loads(program("runner", "status", "--json").stdout)
    return told


def test_status(program: Program) -> None:
    """Not there before the first run, there afterwards; looking does not start it."""
    assert status(program)["pid"] is None
    assert b"not there" in program("runner").stdout
    program.detached("--", "sleep", "600")
    wait_for(lambda: status(program)["running"] == 1)
    assert f"process {status(program)['pid']}".encode() in program("runner").stdout


def test_a_runner_that_is_sent_away_leaves_runs_alone(
    program: Program, engine: Engine, until_printed: Callable[[str, bytes], None]
) -> None:
    """The run goes on, and ends as ever."""
    run_id = program.detached("--input", "--", "sh", "-c", "echo begun; read line; exit 4")
    until_printed(run_id, b"begun")
    assert program("runner", "stop").returncode == 0
    assert status(program)["pid"] is None
    assert program("send", run_id, "go").returncode == 0
    assert program("follow", run_id).returncode == 4
    assert engine.get(run_id).is_finished
    assert program("runner", "stop").stderr == b"tailrace: no runner is there\n"


def test_settings_hold_at_once(program: Program) -> None:
    """A limit that is set while the runner is there makes the next run wait."""
    program.detached("--", "sleep", "600")
    assert program("runner", "set", "--max-running", "1", "--keep-age", "30d", "--keep-bytes", "1G").returncode == 0
    program.detached("--", "sleep", "600")
    wait_for(lambda: len(json.loads(program("list", "--json", "--state", "queued").stdout)["runs"]) == 1)
    shown = program("runner").stdout.decode()
    assert "1 of at most 1, 1 in the queue" in shown
    assert "the last 30 d, 1.0 GiB of output" in shown
    assert program("runner", "set", "--unset", "max-running").returncode == 0
    wait_for(lambda: status(program)["running"] == 2)


def test_in_the_foreground(program: Program, until_printed: Callable[[str, bytes], None]) -> None:
    """It takes over from the one that is there; SIGTERM ends it with 0, and runs go on."""
    run_id = program.detached("--input", "--", "sh", "-c", "echo begun; read line; exit 4")
    until_printed(run_id, b"begun")
    before = status(program)["pid"]
    serving = program.start("runner", "--foreground")
    wait_for(lambda: status(program)["pid"] not in (before, None))
    assert program("run", "--", "echo", "hi").stdout == b"hi\n"
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(60) == 0
    assert program("send", run_id, "go").returncode == 0
    assert program("follow", run_id).returncode == 4
