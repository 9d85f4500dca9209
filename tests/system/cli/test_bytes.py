"""Every byte of the command comes out of `tailrace run`, and nothing else does."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.cli.conftest import TAILRACE, Program

RANDOM = "import random, sys\nr = random.Random(7)\nfor _ in range(200): sys.stdout.buffer.write(r.randbytes(1 << 20))"
LONG_LINE = "import sys\nfor _ in range(300): sys.stdout.buffer.write(b'x' * (1 << 20))"
SINGLE_BYTES = "import os\nfor i in range(2000): os.write(1, b'%d' % (i % 10))"

COMMANDS = {
    "seq": ["seq", "1", "5000000"],
    "random": [sys.executable, "-c", RANDOM],
    "one long line": [sys.executable, "-c", LONG_LINE],
    "single bytes": [sys.executable, "-c", SINGLE_BYTES],
    "unterminated": ["printf", "a\\nb"],
    "empty": ["true"],
    "controls": ["printf", "\\033]0;title\\007\\000\\377\\r\\n\\033[31m"],
}


def digest(command: list[str]) -> tuple[str, int]:
    """Return the SHA-256 of the command's output and its exit code."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        summed = hashlib.sha256()
        while piece := running.stdout.read(1 << 20):
            summed.update(piece)
    return summed.hexdigest(), running.returncode


@pytest.mark.usefixtures("state_dir")
@pytest.mark.parametrize("name", COMMANDS)
def test_output_is_exact(name: str) -> None:
    """The digest is that of the plain command, live and when followed later."""
    command = COMMANDS[name]
    plain = digest(command)
    assert digest([*TAILRACE, "run", "--", *command]) == plain
    assert digest([*TAILRACE, "follow", "last"]) == plain


def test_output_is_exact_into_a_file(program: Program, tmp_path: Path) -> None:
    """A regular file gets the bytes behind what is already in it."""
    with (tmp_path / "out").open("wb") as out:
        out.write(b"before\n")
        out.flush()
        assert program.start("run", "--", "seq", "1", "100000", stdout=out.fileno()).wait(60) == 0
    expected = b"before\n" + b"".join(b"%d\n" % number for number in range(1, 100001))
    assert (tmp_path / "out").read_bytes() == expected


def test_streams_stay_apart(program: Program) -> None:
    """However fast stdout and stderr alternate, each comes out of ours, in order."""
    script = "import os\nfor i in range(20000): os.write(1, b'o%d\\n' % i); os.write(2, b'e%d\\n' % i)"
    done = program("run", "--", sys.executable, "-c", script)
    assert done.returncode == 0
    assert done.stdout == b"".join(b"o%d\n" % i for i in range(20000))
    assert done.stderr == b"".join(b"e%d\n" % i for i in range(20000))


def test_merged_streams_are_in_order(program: Program) -> None:
    """With `--merge` both are one, on stdout."""
    script = "import os\nfor i in range(500): os.write(1, b'o%d\\n' % i); os.write(2, b'e%d\\n' % i)"
    done = program("run", "--merge", "--", sys.executable, "-c", script)
    assert done.stdout == b"".join(b"o%d\ne%d\n" % (i, i) for i in range(500))
    assert done.stderr == b""


def test_a_full_non_blocking_pipe_loses_nothing(program: Program) -> None:
    """Standard output that does not block, and whose reader is slow, gets every byte all the same."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    running = program.start("run", "--", "seq", "1", "300000", stdout=writing)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        taken = b"".join(iter(lambda: pipe.read(4000), b""))
    assert running.wait(60) == 0
    assert hashlib.sha256(taken).hexdigest() == digest(["seq", "1", "300000"])[0]


def test_arguments_are_passed_as_they_are(program: Program) -> None:
    """Options of the command, empty arguments and bytes that are not UTF-8 are the command's."""
    done = program("run", "printf", "<%s>", "--help", "", "-x", "--", b"\xff\xfe", "a b")
    assert done.stdout == b"<--help><><-x><--><\xff\xfe><a b>"
