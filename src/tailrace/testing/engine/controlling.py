"""Control: input, terminal size, signals, and the ladder that ends a run."""
# ruff: noqa: S101  (these are tests)

import signal
import threading

import pytest

from tailrace.core.errors import UnknownRun, WrongState
from tailrace.core.outcome import Cancelled, Exited, Signaled, Stopped
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.engine.base import Engine, Pin
from tailrace.host.messages import CloseInput, Input, Resize, Signal, Stop
from tailrace.testing.engine.viewer import cat, ended, python, shell, watch, watch_until

STUBBORN = """
import os, signal
for n in (2, 15): signal.signal(n, lambda n, f: os.write(1, b'got %d\\n' % n))
os.write(1, b'ready\\n')
while 1: signal.pause()
"""
OBEDIENT = """
import os, signal, sys
signal.signal(2, lambda n, f: sys.exit(os.write(1, b'bye\\n') + 3))
os.write(1, b'ready\\n')
while 1: signal.pause()
"""
SIZES = """
import os, signal
signal.signal(signal.SIGWINCH, lambda n, f: os.write(1, str(os.get_terminal_size()).encode()))
os.write(1, b'ready\\n')
while 1: signal.pause()
"""
NOBODY = "0" * 27


def sizes_of(info: RunInfo) -> tuple[int | None, int | None]:
    """Return the size that the run's terminal has, or had."""
    return info.rows, info.columns


class ControlContract:
    """`control`, by way of the handle: input, stop, pin."""

    def test_input_arrives_whole_and_ends(self, engine: Engine) -> None:
        """Every byte in order, more than any pipe holds; then end of file."""
        run = cat(engine)
        data = bytes(range(256)) * 2000

        def send() -> None:
            run.send(data)
            run.close_input()

        sender = threading.Thread(target=send)
        sender.start()
        assert watch(engine, run.id).data == data
        sender.join()
        assert ended(run).outcome == Exited(0)

    def test_input_needs_somebody_who_reads(self, engine: Engine) -> None:
        """A run without input, one that closed it, and one whose input was ended say so."""
        plain = shell(engine, "echo ready; read line; exec cat <&3", stdin=False)
        with pytest.raises(WrongState):
            plain.send(b"x")
        ended(plain)
        twice = python(engine, "import signal; print('ready'); signal.pause()", stdin=True, ladder=[("KILL", 0)])
        watch_until(engine, twice.id, b"ready")
        twice.close_input()
        for call in (twice.close_input, lambda: twice.send(b"x")):
            with pytest.raises(WrongState) as caught:
                call()
            assert caught.value.hint
        twice.stop()

    def test_input_at_a_terminal_is_typed(self, engine: Engine) -> None:
        """The terminal echoes, ^C is a signal, and the end of input is its own character."""
        run = engine.start(["cat"], pty=True, ladder=[("KILL", 0)])
        run.send(b"hello\n")
        watch_until(engine, run.id, b"hello\r\nhello\r\n")
        run.close_input()
        assert ended(run).outcome == Exited(0)
        other = engine.start(["cat"], pty=True)
        other.send(b"\x03")
        assert ended(other).outcome == Signaled(signal.SIGINT)

    def test_stop_climbs_its_ladder(self, engine: Engine) -> None:
        """Each rung is sent in order and recorded; who ignores all of them is killed."""
        run = python(engine, STUBBORN, ladder=[("INT", 0.1), ("TERM", 0.1), ("KILL", 0)])
        watch_until(engine, run.id, b"ready")
        run.stop()
        info = ended(run)
        assert isinstance(info.outcome, Stopped)
        assert [step.signal for step in info.ladder] == ["INT", "TERM", "KILL"]
        assert all(step.processes == 1 for step in info.ladder)
        assert watch(engine, run.id).data == b"ready\ngot 2\ngot 15\n"
        assert info.wait_status == signal.SIGKILL

    def test_stop_ends_at_the_first_rung_that_works(self, engine: Engine) -> None:
        """A command that obeys gets nothing more, and what it says on its way out is kept."""
        run = python(engine, OBEDIENT, ladder=[("INT", 60), ("KILL", 0)])
        watch_until(engine, run.id, b"ready")
        run.stop()
        info = ended(run)
        assert isinstance(info.outcome, Stopped)
        assert info.wait_status == 7 << 8
        assert [step.signal for step in info.ladder] == ["INT"]
        assert watch(engine, run.id).data.endswith(b"bye\n")

    def test_stop_can_be_watched_and_hurried(self, engine: Engine) -> None:
        """A run on its ladder says so, and goes to the next rung at once when asked again with `now`."""
        run = python(engine, STUBBORN, ladder=[("INT", 300), ("TERM", 300), ("KILL", 0)])
        watch_until(engine, run.id, b"ready")
        run.stop(now=True)
        watch_until(engine, run.id, b"got 2\n")
        assert run.info().state is State.STOPPING
        run.stop()
        assert [step.signal for step in run.info().ladder] == ["INT"]
        run.stop(now=True)
        watch_until(engine, run.id, b"got 15\n")
        run.stop(now=True)
        assert isinstance(ended(run).outcome, Stopped)

    def test_a_waiting_run_is_cancelled(self, engine: Engine) -> None:
        """It never runs, has an outcome of its own, and no output."""
        going = cat(engine, key="k")
        waiting = shell(engine, "echo never", key="k", when_busy="queue")
        assert waiting.info().state is State.QUEUED
        waiting.stop()
        info = ended(waiting)
        assert isinstance(info.outcome, Cancelled)
        assert (info.started, info.size) == (None, 0)
        assert going.info().state is State.RUNNING

    def test_a_finished_run_takes_nothing_more(self, engine: Engine) -> None:
        """Stop leaves it as it is; everything else is an error."""
        run = shell(engine, "exit 4")
        before = ended(run)
        run.stop()
        assert run.info() == before
        for request in (Input(b"x"), CloseInput()):
            with pytest.raises(WrongState) as caught:
                engine.control(run.id, request)
            assert caught.value.hint

    def test_nobody_can_be_asked_nothing(self, engine: Engine) -> None:
        """A run that does not exist is unknown to every request."""
        for request in (Stop(), Input(b"x"), Pin(True)):
            with pytest.raises(UnknownRun):
                engine.control(NOBODY, request)


class FullControlContract:
    """`control`: what needs the machine where the run is."""

    def test_who_asked_is_known(self, engine: Engine) -> None:
        """Who stopped a run, or cancelled it, stands in its outcome."""
        going = cat(engine, key="k")
        waiting = shell(engine, "echo never", key="k", when_busy="queue")
        waiting.stop(by="ann")
        assert ended(waiting).outcome == Cancelled("ann")
        going.stop(by="bob")
        assert ended(going).outcome == Stopped("bob")

    def test_a_terminal_has_the_size_it_was_given(self, engine: Engine) -> None:
        """At the start, and after each resize, of which the command is told."""
        run = python(engine, "import os; print(os.get_terminal_size())", pty=True, rows=40, columns=132)
        assert b"columns=132, lines=40" in watch(engine, run.id).data
        sized = python(engine, SIZES, pty=True, ladder=[("KILL", 0)])
        watch_until(engine, sized.id, b"ready")
        sized.resize(50, 100)
        watch_until(engine, sized.id, b"columns=100, lines=50")
        assert sizes_of(engine.get(sized.id)) == (50, 100)
        sized.stop()

    def test_everybody_is_told_the_size(self, engine: Engine) -> None:
        """Who looks at the run, then and when it is over, and who reads: a piece has the size it was written for."""
        sized = python(engine, SIZES, pty=True, rows=24, columns=80, ladder=[("KILL", 0)])
        watch_until(engine, sized.id, b"ready")
        assert sizes_of(engine.get(sized.id)) == (24, 80)
        sized.resize(50, 100)
        watch_until(engine, sized.id, b"lines=50")
        sized.resize(10, 20)
        watch_until(engine, sized.id, b"lines=10")
        sized.stop()
        assert sizes_of(ended(sized)) == (10, 20)
        chunks = watch(engine, sized.id).chunks
        for mark, size in ((b"ready", (24, 80)), (b"lines=50", (50, 100)), (b"lines=10", (10, 20))):
            assert next(chunk.terminal for chunk in chunks if mark in chunk.data) == size

    def test_without_a_terminal_there_is_no_size(self, engine: Engine) -> None:
        """Neither with pipes nor in numbers that no terminal has."""
        run = cat(engine)
        with pytest.raises(WrongState):
            run.resize(10, 10)
        sized = cat(engine, pty=True)
        for size in ((0, 80), (24, 65536)):
            with pytest.raises(WrongState):
                sized.resize(*size)

    def test_one_signal_is_one_signal(self, engine: Engine) -> None:
        """It reaches the command, is no stop, and the outcome is the command's own."""
        run = cat(engine)
        run.signal(signal.SIGUSR1)
        info = ended(run)
        assert info.outcome == Signaled(signal.SIGUSR1)
        assert info.ladder == ()

    def test_a_finished_run_takes_no_signal(self, engine: Engine) -> None:
        """Nor a size."""
        run = shell(engine, "exit 4")
        ended(run)
        for request in (Resize(10, 10), Signal(15)):
            with pytest.raises(WrongState) as caught:
                engine.control(run.id, request)
            assert caught.value.hint
