"""At most one run of a key at a time: join, queue, reject."""

import subprocess

from tailrace import Engine, Query
from tests.support.wait import wait_for
from tests.system.cli.conftest import Program


def begin(program: Program) -> subprocess.Popen[bytes]:
    """Start a run of the key that waits for a line."""
    script = "echo begun; read line; echo $line; exit 6"
    running = program.start("run", "--key", "k", "--input", "--", "sh", "-c", script, stdin=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdout.read(6) == b"begun\n"
    return running


def first_id(engine: Engine) -> str:
    """Return the id of the oldest run."""
    return engine.list(Query()).runs[-1].id


def test_join_watches_the_one_that_goes(program: Program, engine: Engine) -> None:
    """The second caller sees the first one's output from its beginning and exits alike; nothing else is run."""
    begin(program)
    second = program.start("run", "--key", "k", "--", "echo", "never")
    assert second.stdout is not None
    assert second.stdout.read(6) == b"begun\n"
    assert program("send", "last", "go").returncode == 0
    out, err = second.communicate(timeout=60)
    assert (second.returncode, out) == (6, b"go\n")
    assert f"joined {first_id(engine)} (sh -c 'echo begun;" in err.decode()
    assert b"already running under key k; ^C only stops watching" in err
    assert len(engine.list(Query()).runs) == 1


def test_leaving_a_joined_run_does_not_stop_it(program: Program, engine: Engine) -> None:
    """^C of the second caller is not the first one's."""
    begin(program)
    second = program.start("run", "--key", "k", "--", "true")
    assert second.stdout is not None
    assert second.stdout.read(6) == b"begun\n"
    second.send_signal(2)
    assert second.wait(60) == 130
    assert not engine.list(Query()).runs[0].is_finished


def test_reject_fails(program: Program) -> None:
    """It is the caller's mistake: 2, and which run is in the way."""
    begin(program)
    done = program("run", "--key", "k", "--when-busy", "reject", "--", "true")
    assert done.returncode == 2
    assert b"with key 'k' is going" in done.stderr


def test_queue_waits_its_turn_and_says_so(program: Program, engine: Engine) -> None:
    """The place in the queue is told on stderr, and the command runs when the first has ended."""
    begin(program)
    second = program.start("run", "--key", "k", "--when-busy", "queue", "--", "echo", "mine")
    assert second.stderr is not None
    assert second.stderr.read(29) == b"tailrace: queued, at place 1\n"
    wait_for(lambda: b"queued #1" in program("list").stdout)
    assert program("send", first_id(engine), "go").returncode == 0
    assert second.stdout is not None
    assert second.stdout.read() == b"mine\n"
    assert second.wait(60) == 0
