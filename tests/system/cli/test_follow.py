"""`tailrace follow`, and `run --detach` before it."""

import json
import os
import pty
from collections.abc import Callable
from pathlib import Path

import pytest

from tailrace import Engine
from tailrace.core import ids
from tests.support.wait import wait_for
from tests.system.cli.conftest import Program

BOTH = "printf 'one\\ntwo\\n'; sleep 0.05; printf 'oops\\n' >&2; sleep 0.05; printf 'three'; exit 9"


def test_detach_prints_the_id_and_nothing_else(program: Program) -> None:
    """The id can be followed, and gives output and exit code."""
    run_id = program.detached("--", "sh", "-c", BOTH)
    assert ids.is_id(run_id)
    done = program("follow", run_id)
    assert (done.returncode, done.stdout, done.stderr) == (9, b"one\ntwo\nthree", b"oops\n")


def test_a_finished_run_is_followed_from_anywhere(program: Program) -> None:
    """From a byte, from the last lines, one stream alone."""
    program("run", "--", "sh", "-c", BOTH)
    assert program("follow", "last", "--from", "4").stdout == b"two\nthree"
    assert program("follow", "last", "--from", "18").stdout == b""
    tail = program("follow", "last", "--tail", "2")
    assert (tail.stdout, tail.stderr) == (b"three", b"oops\n")
    assert program("follow", "last", "--stream", "stderr").stderr == b"oops\n"
    assert program("follow", "last", "--stream", "stdout").stderr == b""


def test_an_offset_beyond_the_end_is_refused(program: Program) -> None:
    """It is the caller's mistake, and says how much there is."""
    program("run", "--", "echo", "hi")
    done = program("follow", "last", "--from", "4")
    assert done.returncode == 2
    assert b"beyond the output, which has 3 bytes" in done.stderr


def test_no_follow_shows_what_there_is(
    program: Program, engine: Engine, until_printed: Callable[[str, bytes], None]
) -> None:
    """It returns at once, with 0, though the run goes on."""
    run_id = program.detached("--", "sh", "-c", "echo begun; exec sleep 600")
    until_printed(run_id, b"begun")
    done = program("follow", "--no-follow", run_id)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"begun\n", b"")
    assert not engine.get(run_id).is_finished


def test_following_ends_with_the_run(program: Program, until_printed: Callable[[str, bytes], None]) -> None:
    """A live viewer gets what comes, and exits as the run does."""
    run_id = program.detached("--input", "--", "sh", "-c", "echo begun; read line; echo $line; exit 7")
    until_printed(run_id, b"begun")
    watching = program.start("follow", run_id)
    assert watching.stdout is not None
    assert watching.stdout.read(6) == b"begun\n"
    assert program("send", run_id, "now").returncode == 0
    assert watching.communicate(timeout=60) == (b"now\n", b"")
    assert watching.returncode == 7


def test_wires_carry_the_output(program: Program) -> None:
    """The forms in which output goes over HTTP come out of standard output, stderr's bytes included."""
    program("run", "--", "sh", "-c", BOTH)
    done = program("follow", "last", "--format", "ndjson")
    assert (done.returncode, done.stderr) == (9, b"")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["type"] == "state"
    assert [(e["stream"], e["text"]) for e in events if e["type"] == "output"] == [
        ("stdout", "one\ntwo\n"),
        ("stderr", "oops\n"),
        ("stdout", "three"),
    ]
    assert events[-1]["outcome"] == {"kind": "exited", "code": 9}
    lines = program("follow", "last", "--format", "lines").stdout.decode()
    assert "data: two\n" in lines
    assert "event: end\n" in lines
    assert "event: output\n" in program("follow", "last", "--format", "sse").stdout.decode()


@pytest.mark.parametrize("option", [[], ["--raw"]])
def test_a_terminal_is_protected(program: Program, option: list[str]) -> None:
    """What could act on the terminal is left out when output goes to one, unless that is asked for."""
    program("run", "--", "printf", "a\\033]0;title\\007b\\033[31mc")
    ours, theirs = pty.openpty()
    assert program.start("follow", *option, "last", stdout=theirs).wait(60) == 0
    os.close(theirs)
    shown = os.read(ours, 4096)
    os.close(ours)
    assert shown == (b"a\x1b]0;title\x07b\x1b[31mc" if option else b"ab\x1b[31mc")


def test_a_beginning_names_a_run(program: Program) -> None:
    """As much of the id as `list` shows is enough; what several share is refused, and so is what none has."""
    runs = [program.detached("--", "true") for _ in range(2)]
    wait_for(lambda: b"exited 0" in program("list").stdout)
    for run_id in runs:
        shown = program("show", run_id[:11])
        assert shown.returncode == 0
        assert run_id.encode() in shown.stdout
    ambiguous = program("follow", runs[0][:2])
    assert ambiguous.returncode == 2
    assert b"is the beginning of several ids" in ambiguous.stderr
    for name in ("zzzz", "no/such", "..", "", "x" * 400):
        done = program("follow", name)
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 2


def test_missing_bytes_never_look_complete(program: Program, state_dir: Path) -> None:
    """An output file that is shorter than recorded gives what there is, 125, and says what is missing."""
    run_id = program("run", "-d", "--", "seq", "1000").stdout.decode().strip()
    wait_for((state_dir / "runs" / run_id / "result.json").exists)
    os.truncate(state_dir / "runs" / run_id / "output", 100)
    done = program("follow", run_id)
    assert done.returncode == 125
    assert len(done.stdout) == 100
    assert b"bytes 100 to 3893 are missing" in done.stderr
