"""`tailrace check`: what a file declares, or all that is wrong with it."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tailrace.audit.journal import journal_of
from tailrace.core.audit import Entry
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


NASTY = """\
include = ["b.toml", "none/*.toml", "gone.toml", "latin.toml", "secret.toml"]
[server]
auth = "users"
prot = 1
[access]
rules = [{ commands = ["buidl"], allow = ["user:ann"] }, { allow = [] }, { grant = ["team:x"] }]
[commands.build]
argv = ["sh", "-c", 'echo "$1"', "sh", "./{wat}"]
user = "no-such-user"
cwd = "nowhere"
parameters.what = { type = "text" }
parameters.bad = { type = "text", pattern = "(" }
parameters.slow = { type = "text", pattern = '(a+)\\1' }
[commands.path]
argv = ["ls", "{p}"]
allow = ["group:nobody-is-in-it"]
parameters.p = { type = "path", root = "not-here" }
[commands.lost]
argv = ["no-such-program-at-all"]
timeout = "soon"
titel = "x"
"""
"""a mistake in nearly every line"""
SECOND = """\
include = ["main.toml"]
[commands.build]
argv = 5
[commands.odd]
argv = ["true", "{n}"]
parameters.n = { type = "intger" }
"""
TWICE = '[commands.a]\nargv = ["a"]\n\n[commands.a]\nargv = ["b"]\n'


def told(program: Program, path: Path) -> list[str]:
    """Return what is wrong with a file, without the directory; each has a hint."""
    done = program("check", str(path))
    assert (done.returncode, done.stdout) == (2, b""), done
    lines = done.stderr.decode().splitlines()
    assert len([line for line in lines if line.startswith("  hint: ") and len(line) > 12]) * 2 == len(lines)
    return [line.removeprefix("tailrace: ").replace(f"{path.parent}/", "") for line in lines[::2]]


def test_nasty_files(program: Program, tmp_path: Path) -> None:
    """Every mistake in every file, with its file and its line, in their order."""
    (tmp_path / "b.toml").write_text(SECOND)
    (tmp_path / "latin.toml").write_bytes('[commands.c]\n# k\xf6ln\nargv = ["c"]\n'.encode("latin-1"))
    (tmp_path / "secret.toml").mkdir()
    path = tmp_path / "main.toml"
    path.write_text(NASTY)
    found = told(program, path)
    for wanted in (
        "main.toml:1: include[2] cannot be: gone.toml cannot be read: no such file",
        "main.toml:1: include[4] cannot be: secret.toml cannot be read: is a directory",
        "main.toml:4: server.prot means nothing here",
        "main.toml:6: access.rules[0].commands names 'buidl', which is declared nowhere",
        "main.toml:6: access.rules[1].allow names nobody",
        "main.toml:6: access.rules[2].grant[0] cannot be 'team:x'",
        "main.toml:8: commands.build.argv has {wat}, which is no parameter of it",
        "main.toml:11: commands.build.parameters.what is not used",
        "main.toml:12: commands.build.parameters.bad.pattern is no regular expression",
        "main.toml:13: commands.build.parameters.slow.pattern cannot be matched in linear time",
        "main.toml:16: commands.path.allow[0] names 'group:nobody-is-in-it', whom nobody is",
        "main.toml:17: commands.path.parameters.p.root is not-here, which is no directory here",
        "main.toml:20: commands.lost.timeout cannot be so: 'soon' is not a duration",
        "main.toml:21: commands.lost.titel means nothing here",
        "b.toml:1: include[0] names main.toml, which is read already",
        "b.toml:2: commands.build is declared twice, first at main.toml:7",
        "b.toml:3: commands.build.argv must be a list, not a whole number",
        "b.toml:6: commands.odd.parameters.n.type cannot be 'intger'",
        "latin.toml:2: is not UTF-8",
    ):
        assert [line for line in found if line.startswith(wanted)], (wanted, found)
    numbers = [int(line.split(":")[1]) for line in found if line.startswith("main.toml:")]
    assert numbers == sorted(numbers)


def test_what_is_not_on_this_machine(program: Program, tmp_path: Path) -> None:
    """A user, a directory, a program: each at its line; what is there, and may be run, is none."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "run.sh").write_text("#!/bin/sh\n")
    path = tmp_path / "main.toml"
    path.write_text(
        '[commands.a]\nargv = ["no-such-program-at-all"]\nuser = "no-such-user"\n'
        '[commands.b]\nargv = ["./run.sh"]\ncwd = "scripts"\n'
        '[commands.c]\nargv = ["./gone.sh"]\ncwd = "scripts"\n'
        '[commands.d]\nargv = ["true"]\ncwd = "gone"\nallow = ["user:ann"]\n'
    )
    found = told(program, path)
    assert [line.partition(", which is no program")[0] for line in found] == [
        "main.toml:2: commands.a.argv begins with 'no-such-program-at-all'",
        "main.toml:3: commands.a.user cannot be: there is no user 'no-such-user' on this machine",
        "main.toml:5: commands.b.argv begins with './run.sh', and scripts/run.sh cannot be run",
        "main.toml:8: commands.c.argv begins with './gone.sh', and scripts/gone.sh is not there",
        "main.toml:12: commands.d.cwd is gone, which is no directory here",
        "main.toml:13: commands.d.allow[0] names 'user:ann', whom nobody is",
    ]
    assert not (program.state_dir / "auth").exists()


def test_a_table_that_is_there_twice(program: Program, tmp_path: Path) -> None:
    """TOML has none; it is told where."""
    path = tmp_path / "main.toml"
    path.write_text(TWICE)
    (found,) = told(program, path)
    assert found.startswith("main.toml:4: cannot declare")


def test_known_people_may_be_named(program: Program, tmp_path: Path) -> None:
    """Users of the file and their groups, tokens by their names, and roles."""
    path = tmp_path / "tailrace.toml"
    path.write_text(
        '[server]\nauth = "users"\n[commands.a]\nargv = ["true"]\n'
        'allow = ["user:ann", "group:ops", "user:token:CI", "role:operator", "*"]\n'
    )
    config = ("--config", str(path))
    assert program("user", "add", "ann", "--group", "ops", *config, stdin=b"a long password\n").returncode == 0
    assert program("token", "create", "--name", "CI", *config).returncode == 0
    done = program("check", str(path))
    assert (done.returncode, done.stderr) == (0, b"")


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


def test_users_are_looked_after_whatever_is_wrong_with_a_command(program: Program, tmp_path: Path) -> None:
    """The server goes on with what it had: whoever is to be out must not stay in until the file is mended."""
    path = tmp_path / "tailrace.toml"
    path.write_text('[server]\nauth = "users"\n[commands.a]\nargv = "true"\n')
    config = ("--config", str(path))
    assert program("user", "add", "ann", *config, stdin=b"a long password\n").returncode == 0
    assert program("token", "create", "--name", "CI", *config).returncode == 0
    done = program("user", "remove", "ann", *config)
    assert (done.returncode, done.stderr) == (0, b"")
    path.write_text('[server]\nauth = "user"\n')
    done = program("user", "list", *config)
    assert done.returncode == 2
    assert b"server.auth cannot be" in done.stderr


def test_the_audit_is_read_whatever_is_wrong_with_a_command(program: Program, tmp_path: Path) -> None:
    """It is wanted most when something is."""
    path = tmp_path / "tailrace.toml"
    path.write_text(
        '[server]\nhost = "0.0.0.0"\nauth = "none"\n[audit]\nfile = "a.jsonl"\n[commands.a]\nargv = "true"\n'
    )
    journal = journal_of(tmp_path / "a.jsonl")
    assert journal is not None
    journal.write(Entry(time=datetime.now(UTC), request="r", who="ann", action="start", allowed=True, status=201))
    done = program("audit", str(path))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ann" in done.stdout


@pytest.mark.parametrize("where", ["port = 0", 'uds = "/run/tailrace.sock"'])
def test_no_link_is_made_that_leads_nowhere(program: Program, tmp_path: Path, where: str) -> None:
    """Where nobody can tell the server's address, it is asked for."""
    path = tmp_path / "tailrace.toml"
    path.write_text(f"[server]\n{where}\n")
    done = program("token", "--link", "--config", str(path))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"its address is not known here" in done.stderr
    assert program("token", "--config", str(path)).returncode == 0
