"""`tailrace check`: what a file declares, or all that is wrong with it."""

from pathlib import Path

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
