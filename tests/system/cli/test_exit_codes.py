"""What `tailrace run` exits with, and what it says about it."""

import signal
from pathlib import Path

import pytest

from tests.system.cli.conftest import Program


@pytest.mark.parametrize("code", [0, 1, 3, 126, 255])
def test_exits_with_the_commands_code(program: Program, code: int) -> None:
    """A command's own code is ours, and there is nothing to say about it."""
    done = program("run", "--", "sh", "-c", f"exit {code}")
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


@pytest.mark.parametrize("name", ["SEGV", "KILL", "TERM", "INT"])
def test_a_signal_gives_128_and_its_number(program: Program, name: str) -> None:
    """A command that a signal ended gives what a shell would give, and a line that says so."""
    done = program("run", "--", "sh", "-c", f"ulimit -c 0; kill -{name} $$")
    number = signal.Signals[f"SIG{name}"].value
    assert done.returncode == 128 + number
    assert done.stderr.decode() == f"tailrace: ended by signal {number} (SIG{name})\n"


def test_a_command_that_is_not_there_gives_127(program: Program) -> None:
    """One line says what is missing."""
    done = program("run", "--", "seqq", "3")
    assert (done.returncode, done.stdout, done.stderr) == (127, b"", b"tailrace: seqq: command not found\n")


@pytest.mark.parametrize(
    ("argv", "said", "hint"),
    [
        (["ls -l"], "ls -l: command not found", "that is one word to us; write `tailrace run -- ls -l`"),
        (["cd", "/"], "cd: command not found", "--cwd"),
        (["export", "A=b c"], "export: command not found", "sh -c 'export '\"'\"'A=b c'\"'\"''"),
        (["A=b", "make"], "A=b: command not found", "set variables with -e/--env NAME=value"),
        (["./x.sh"], "./x.sh: no such file", ""),
    ],
)
def test_what_a_shell_would_have_known(program: Program, argv: list[str], said: str, hint: str) -> None:
    """There is no shell between: what was meant is guessed, and said how to do it."""
    done = program("run", "--", *argv)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, lines[0]) == (127, f"tailrace: {said}")
    assert hint in (lines[1] if hint else "")
    assert len(lines) == (2 if hint else 1)


def test_a_file_that_is_no_program_gives_126(program: Program, tmp_path: Path) -> None:
    """A file without the right to execute it, and a directory."""
    (tmp_path / "text").write_text("hello\n")
    for name in (tmp_path / "text", tmp_path):
        done = program("run", "--", str(name))
        assert done.returncode == 126
        assert done.stderr.count(b"\n") == 1


def test_a_directory_that_is_not_there_gives_125(program: Program) -> None:
    """The command never ran, and its directory is named."""
    done = program("run", "--cwd", "/no/such/place", "--", "true")
    assert done.returncode == 125
    assert done.stderr == b"tailrace: directory /no/such/place: no such file or directory\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--timeout", "0.3"], "timed out after 300 ms (--timeout)"),
        (["--idle-timeout", "300ms"], "timed out after 300 ms without output (--idle-timeout)"),
    ],
)
def test_a_limit_of_time_gives_124(program: Program, options: list[str], words: str) -> None:
    """Both kinds of timeout say which one it was."""
    done = program("run", *options, "--", "sh", "-c", "echo begun; exec sleep 600")
    assert (done.returncode, done.stdout) == (124, b"begun\n")
    assert done.stderr.decode() == f"tailrace: {words}\n"


def test_the_output_limit_gives_122(program: Program) -> None:
    """What is within the limit comes out; the rest is told of."""
    done = program("run", "--max-output", "1k", "--", "sh", "-c", "yes | head -c 5000; exec sleep 600")
    assert done.returncode == 122
    assert done.stdout == (b"y\n" * 512)
    assert b"tailrace: stopped at its output limit of 1.0 KiB\n" in done.stderr


def test_truncated_output_keeps_the_commands_code(program: Program) -> None:
    """With `truncate` the command goes on; how much is missing is said."""
    done = program(
        "run", "--max-output", "10", "--on-max-output", "truncate", "--", "sh", "-c", "yes | head -c 5000; exit 7"
    )
    assert (done.returncode, done.stdout) == (7, b"y\n" * 5)
    assert done.stderr == b"tailrace: bytes 10 to 5000 are missing: not kept: the output limit was reached\n"


def test_a_run_that_somebody_else_stops_gives_143(program: Program) -> None:
    """It says who stopped it."""
    running = program.start("run", "--", "sh", "-c", "echo begun; exec sleep 600")
    assert running.stdout is not None
    assert running.stdout.read(6) == b"begun\n"
    assert program("stop", "last", "--by", "ada").returncode == 0
    _out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (143, b"tailrace: stopped by ada\n")


def test_what_a_command_left_behind_is_named(program: Program) -> None:
    """A background child that is ended with the run does not vanish without a word."""
    done = program("run", "--", "sh", "-c", "sleep 613 >/dev/null 2>&1 & exit 0")
    assert done.returncode == 0
    assert b"sleep 613" in done.stderr
