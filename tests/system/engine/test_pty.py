"""Runs at a terminal."""

import random
import signal
import sys

from tailrace.core.outcome import Exited, Signaled
from tailrace.core.timeline import Stream
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tests.support.wait import wait_for

ROWS = """
import os, signal
show = lambda *_: os.write(1, b"%d x %d\\n" % os.get_terminal_size()[::-1])
signal.signal(signal.SIGWINCH, show)
show()
while True:
    signal.pause()
"""


def output(run: Run) -> bytes:
    """Return all that the run prints."""
    return b"".join(chunk.data for chunk in run.follow())


def test_it_is_a_terminal(engine: DiskEngine) -> None:
    """Input, output and errors are one terminal, which is the controlling one, of the size asked for."""
    script = "test -t 0 && test -t 1 && test -t 2 && stty size >/dev/tty && ps -o tty= -p $$ && echo err >&2"
    run = engine.start(["sh", "-c", script], pty=True, rows=43, columns=132)
    lines = output(run).split(b"\r\n")
    assert lines[0] == b"43 132"
    assert lines[1].strip().startswith(b"pts/")
    assert lines[2:] == [b"err", b""]
    assert run.info().outcome == Exited(0)


def test_a_long_output_is_complete(engine: DiskEngine) -> None:
    """To the last byte, each line ended by the line discipline; all of it labelled stdout."""
    run = engine.start(["seq", "100000"], pty=True)
    chunks = list(run.follow())
    assert b"".join(chunk.data for chunk in chunks) == b"".join(b"%d\r\n" % n for n in range(1, 100001))
    assert {chunk.stream for chunk in chunks} == {Stream.STDOUT}


def test_raw_bytes_are_complete(engine: DiskEngine) -> None:
    """Without the line discipline's help, 3 MB of anything arrive as they were written."""
    script = (
        "import os, random, sys, tty\ntty.setraw(1)\ndata = memoryview(random.Random(3).randbytes(3000000))\n"
        "while data: data = data[os.write(1, data[:4000]):]"
    )
    run = engine.start([sys.executable, "-I", "-S", "-c", script], pty=True)
    assert output(run) == random.Random(3).randbytes(3_000_000)


def test_short_outputs_lose_nothing(engine: DiskEngine) -> None:
    """The end of a terminal is no loss: 200 commands that print and are gone."""
    runs = [engine.start(["sh", "-c", f"echo a{n}; printf b{n}"], pty=True) for n in range(200)]
    assert [output(run) for run in runs] == [b"a%d\r\nb%d" % (n, n) for n in range(200)]


def test_a_new_size_is_told(engine: DiskEngine) -> None:
    """Each resize comes as SIGWINCH, and is what the command then finds."""
    run = engine.start([sys.executable, "-I", "-S", "-c", ROWS], pty=True, rows=10, columns=20, ladder=[("KILL", 0)])
    seen = b""
    for chunk in run.follow():
        seen += chunk.data
        if seen.endswith(b"10 x 20\r\n"):
            run.resize(11, 22)
        elif seen.endswith(b"11 x 22\r\n"):
            run.resize(65535, 65535)
        elif seen.endswith(b"65535 x 65535\r\n"):
            run.stop()
    assert seen == b"10 x 20\r\n11 x 22\r\n65535 x 65535\r\n"


def test_what_is_typed_is_echoed_and_taken_by_lines(engine: DiskEngine) -> None:
    """A rubbed-out character never arrives; end of file is its own key."""
    run = engine.start(["cat"], pty=True)
    run.send(b"helloo\x7f\n")
    seen = b""
    for chunk in run.follow():
        seen += chunk.data
        if seen.endswith(b"\r\nhello\r\n"):
            run.close_input()
    assert seen.startswith(b"helloo\b \b\r\nhello\r\n")
    assert run.info().outcome == Exited(0)


def test_control_c_is_a_key(engine: DiskEngine) -> None:
    """It interrupts what is in the foreground, which is the command's own end, not our stop."""
    run = engine.start(["cat"], pty=True)
    run.send(b"\x03")
    info = run.wait(timeout=60)
    assert (info.outcome, info.ladder) == (Signaled(signal.SIGINT), ())
    assert output(run) == b"^C"


def test_much_typing_waits_for_its_reader(engine: DiskEngine) -> None:
    """More than a terminal holds: the sender waits, and every line arrives."""
    run = engine.start(["sh", "-c", "stty -echo -icanon min 1; echo ready; exec head -c 200000"], pty=True)
    seen = 0
    for chunk in run.follow():
        if chunk.data.startswith(b"ready"):
            run.send(b"x" * 200_000)
        seen += chunk.data.count(b"x")
    assert seen == 200_000


def test_a_background_child_holds_the_terminal(engine: DiskEngine) -> None:
    """The session leader's end hangs the terminal up; what ignores that is swept after the grace, and named."""
    script = "trap '' HUP; sleep 1000 & echo started; exit 3"
    run = engine.start(["sh", "-c", script], pty=True, grace=0.2)
    info = run.wait(timeout=60)
    assert info.outcome == Exited(3)
    assert [child.argv for child in info.lingering] == ["sleep 1000"]
    assert output(run) == b"started\r\n"


def test_all_that_was_written_before_the_end_is_there(engine: DiskEngine) -> None:
    """The terminal is drained after the exit, even when the viewer came first and reads slowly."""
    run = engine.start(["sh", "-c", "seq 20000; printf done"], pty=True)
    wait_for(lambda: run.info().is_finished)
    assert output(run).endswith(b"20000\r\ndone")
