"""`tailrace check`: what a file declares, or all that is wrong with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.cli.conftest import Program

FILE = """
[server]
root_path = "/ops"
[commands.count]
title = "Count \\u001b[31m"
argv = ["seq", "1", "{n}"]
parameters.n = { type = "integer", default = 100 }
[commands.say]
argv = ["echo", "{text}"]
parameters.text = { type = "text" }
"""


def test_a_file_that_can_be_used(program: Program, tmp_path: Path) -> None:
    """Exit 0, and what it declares on standard output; nothing in it acts on the terminal."""
    path = tmp_path / "tailrace.toml"
    path.write_text(FILE)
    done = program("check", str(path), TAILRACE_PORT="8001")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert "http://127.0.0.1:8001/ops" in text
    assert "2 commands" in text
    assert '["seq","1","{n}"]' in text
    assert "n: integer, default 100" in text
    assert "text: text, required" in text
    assert "\x1b" not in text


def test_all_mistakes_are_told(program: Program, tmp_path: Path) -> None:
    """Exit 2, and two lines for each on standard error."""
    path = tmp_path / "tailrace.toml"
    path.write_text('[server]\nprot = 1\n[commands.a]\nargv = ["sh", "-c", "{x}"]\n')
    done = program("check", str(path), TAILRACE_WORKERS="0")
    assert (done.returncode, done.stdout) == (2, b"")
    lines = done.stderr.decode().splitlines()
    assert lines[:2] == [f"tailrace: {path}:2: server.prot means nothing here", "  hint: did you mean 'port'?"]
    assert lines[-2].startswith("tailrace: TAILRACE_WORKERS cannot be 0")
    assert len([line for line in lines if line.startswith("  hint: ")]) * 2 == len(lines) == 8


def test_mistakes_come_in_the_order_of_their_lines(program: Program, tmp_path: Path) -> None:
    """Whatever is looked at first; those that are not in the file come behind."""
    path = tmp_path / "tailrace.toml"
    path.write_text("[commands.a]\nargv = []\nodd = 1\n[server]\nprot = 1\n[commands.b]\nargv = 7\n[other]\n")
    lines = program("check", str(path), TAILRACE_WORKERS="0").stderr.decode().splitlines()[::2]
    assert [line.removeprefix(f"tailrace: {path}:").partition(":")[0] for line in lines[:-1]] == list("23578")
    assert lines[-1].startswith("tailrace: TAILRACE_WORKERS")


def test_no_file(program: Program, tmp_path: Path) -> None:
    """It is said which one was looked for."""
    done = program.shell(f'cd {tmp_path} && "$@" check')
    assert done.returncode == 2
    assert b"tailrace.toml cannot be read: no such file" in done.stderr


LIMITED = "[commands.a]\nargv = ['true']\n[limits]\nmax_memory = '100M'\nmax_processes = 9\nmax_cpu = '1h'\n"
START = "import tailrace; tailrace.connect().start(['true'], max_processes=9)"


def without(places: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Python's where nothing is to be seen at these places."""
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    script = f'for each in {places}; do mount -t tmpfs none "$each" || exit 9; done; exec "$@"'
    return subprocess.run(
        [*own, "sh", "-c", script, "sh", sys.executable, *command],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def test_limits_where_no_cgroup_can_be_made(tmp_path: Path) -> None:
    """They are enforced, and it is said how."""
    path = tmp_path / "tailrace.toml"
    path.write_text(LIMITED)
    done = without("/sys/fs/cgroup", "-m", "tailrace", "check", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    for limit in ("max_memory", "max_processes"):
        assert f"{limit}: no cgroup can be made: the keeper adds up all processes" in done.stdout


@pytest.mark.parametrize("command", ["check", "serve"])
def test_limits_that_cannot_be_enforced(tmp_path: Path, state_dir: Path, command: str) -> None:
    """Exit 2, with each of them, its line and a cure; nothing is served. A run with one is not started."""
    path = tmp_path / "tailrace.toml"
    path.write_text(LIMITED)
    done = without("/sys/fs/cgroup /proc", "-m", "tailrace", command, str(path))
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    for line, limit in enumerate(("max_memory", "max_processes", "max_cpu"), 4):
        (told,) = [each for each in lines if f"{path}:{line}: limits.{limit} cannot be enforced here" in each]
        assert "/proc" in lines[lines.index(told) + 1]
    assert not (state_dir / "runs").exists() or not list((state_dir / "runs").iterdir())


def test_a_run_whose_limit_cannot_be_enforced(state_dir: Path) -> None:
    """The engine says so before anything is made, and the doctor says it beforehand."""
    done = without("/sys/fs/cgroup /proc", "-c", START)
    assert "tailrace.core.errors.NotEnforceable: max_processes cannot be enforced here" in done.stderr
    assert list((state_dir / "runs").iterdir()) == []
    done = without("/sys/fs/cgroup /proc", "-m", "tailrace", "doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert "max_processes cannot be enforced" in done.stdout
