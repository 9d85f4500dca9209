"""Input from ours to the command's, and terminals."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator

import pytest

from tailrace import Engine, Query
from tests.support.wait import wait_for
from tests.system.cli.conftest import TAILRACE, Program


class Terminal:
    """A terminal with `tailrace` at it."""

    def __init__(self, *args: str, rows: int, columns: int) -> None:
        self.ours, theirs = pty.openpty()
        self.slave = os.dup(theirs)
        self.resize(rows, columns)
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [*TAILRACE, *args], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.shown = b""

    def resize(self, rows: int, columns: int) -> None:
        """Change the size, as a window does."""
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.ours, keys)

    def has_shown(self, text: bytes) -> bool:
        """Tell whether the text has been shown by now."""
        while select.select([self.ours], [], [], 0)[0]:
            self.shown += os.read(self.ours, 65536)
        return text in self.shown

    def is_as_before(self) -> bool:
        """Tell whether the terminal's modes are what they were."""
        return termios.tcgetattr(self.slave) == self.before

    def hang_up(self) -> None:
        """Close the window: the terminal ends, and whoever sits at it is told."""
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, self.ours)
        os.close(null)
        self.process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        """End everything."""
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.slave)


@pytest.fixture
def at_terminal(state_dir: object) -> Iterator[Terminal]:  # noqa: ARG001  the state directory must be there
    """Give a shell run at a terminal, with input."""
    terminal = Terminal("run", "-it", "--", "sh", rows=33, columns=101)
    yield terminal
    terminal.close()


def test_input_is_forwarded_to_its_end(program: Program) -> None:
    """Every byte, more than a pipe holds, and then the end."""
    data = os.urandom(1 << 20)
    done = program("run", "--input", "--", "cat", stdin=data)
    assert done.returncode == 0
    assert done.stdout == data


def test_without_input_there_is_none(program: Program) -> None:
    """Standard input is not read unless that is asked for."""
    done = program("run", "--", "cat", stdin=b"secret")
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_command_that_does_not_read_ends_all_the_same(program: Program) -> None:
    """Input that nobody takes holds nothing up."""
    done = program("run", "--input", "--", "true", stdin=b"x" * (4 << 20))
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminals_input_ends_behind_half_a_line(program: Program) -> None:
    """A pipe into a run at a terminal ends there too, also when its last line has no newline."""
    done = program("run", "-it", "--", "sh", "-c", "stty -echo; cat; echo END", stdin=b"a\nb")
    assert done.returncode == 0
    assert done.stdout.endswith(b"a\r\nbEND\r\n")


def test_send(program: Program) -> None:
    """Text with and without its newline, standard input, the end, and a signal."""
    running = program.start("run", "--", "sh", "-c", "cat; echo END")
    assert running.communicate(timeout=60)[0] == b"END\n"
    run_id = program.detached("--input", "--", "cat")
    assert program("send", run_id, "one").returncode == 0
    assert program("send", run_id, "--no-newline", "two").returncode == 0
    assert program("send", run_id, stdin=b"\0three\n").returncode == 0
    assert program("send", run_id, "-", "--close", stdin=b"four").returncode == 0
    assert program("follow", run_id).stdout == b"one\ntwo\0three\nfour"
    late = program("send", run_id, "five")
    assert late.returncode == 2
    assert b"is finished" in late.stderr


def test_a_run_without_input_takes_none(program: Program) -> None:
    """Two lines say why, and what would help."""
    run_id = program.detached("--", "sleep", "600")
    done = program("send", run_id, "text")
    assert done.returncode == 2
    assert b"started without input" in done.stderr
    assert b"--input" in done.stderr


def test_a_terminal_has_our_size(at_terminal: Terminal) -> None:
    """At its start, and whenever ours changes."""
    at_terminal.type(b"stty size\r")
    wait_for(lambda: at_terminal.has_shown(b"33 101"))
    at_terminal.resize(20, 70)
    at_terminal.process.send_signal(signal.SIGWINCH)
    at_terminal.type(b"while [ \"$(stty size)\" != '20 70' ]; do :; done; echo re''sized\r")
    wait_for(lambda: at_terminal.has_shown(b"resized"))
    at_terminal.type(b"exit 5\r")
    assert at_terminal.process.wait(60) == 5
    assert at_terminal.is_as_before()


def test_keys_reach_the_command(state_dir: object) -> None:  # noqa: ARG001  as above
    """^C is the command's while our terminal is raw."""
    terminal = Terminal("run", "-it", "--", "sh", "-c", "trap 'exit 7' INT; echo ready; cat", rows=24, columns=80)
    try:
        wait_for(lambda: terminal.has_shown(b"ready"))
        terminal.type(b"\x03")
        assert terminal.process.wait(60) == 7
    finally:
        terminal.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_given_back(at_terminal: Terminal, number: signal.Signals) -> None:
    """Whatever ends us: modes as before, and what the command had switched on is off."""
    at_terminal.type(b"printf '\\033[?1049h\\033[?25l'; echo re''ady\r")
    wait_for(lambda: at_terminal.has_shown(b"ready"))
    assert not at_terminal.is_as_before()
    at_terminal.process.send_signal(number)
    assert at_terminal.process.wait(60) == 128 + number
    assert at_terminal.is_as_before()
    assert at_terminal.has_shown(b"\x1b[?25h\x1b[?1049l")


def test_a_closed_terminal_leaves_the_run(program: Program, engine: Engine, state_dir: object) -> None:  # noqa: ARG001  as above
    """A window that is closed is no end of input: the command goes on, and still reads."""
    terminal = Terminal("run", "-it", "--", "sh", "-c", "echo ready; cat", rows=24, columns=80)
    try:
        wait_for(lambda: terminal.has_shown(b"ready"))
        terminal.hang_up()
        assert terminal.process.wait(60) == 128 + signal.SIGHUP
        assert program("send", "last", "after").returncode == 0
        assert not engine.list(Query(limit=1)).runs[0].is_finished
    finally:
        terminal.close()


def test_interrupt_at_a_terminal_stops_the_run(state_dir: object, engine: Engine) -> None:  # noqa: ARG001  as above
    """Without `--input`, the ^C key ends the run, and its messages stand on lines of their own."""
    terminal = Terminal("run", "--", "sh", "-c", "printf 'name? '; exec sleep 600", rows=24, columns=80)
    try:
        wait_for(lambda: terminal.has_shown(b"name? "))
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.process.wait(60) == 130
        assert terminal.has_shown(b"name? \r\n")
        assert engine.list(Query(limit=1)).runs[0].is_finished
    finally:
        terminal.close()
