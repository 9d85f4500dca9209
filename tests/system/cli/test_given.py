"""Secrets and files for a declared command: `run --on URL NAME` and `run --file FILE NAME`, as users type them."""

import hashlib
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tailrace import Engine, Query, connect
from tests.support.wait import wait_for
from tests.system.cli.conftest import DEADLINE_S, TAILRACE, Done, Program
from tests.system.web.server import Server

SECRET = "correct horse battery"
FILE = """
[server]
auth = "none"
[commands.login]
argv = ["sh", "-c", 'printf %s "$TOKEN" | wc -c; printf "%s\\n" "$TOKEN" "$1"', "sh", "./{who}"]
parameters.who = { type = "text", default = "ann" }
parameters.token = { type = "secret", variable = "TOKEN", title = "Token" }
[commands.maybe]
argv = ["sh", "-c", 'echo "<$TOKEN>"']
parameters.token = { type = "secret", variable = "TOKEN", required = false }
[commands.digest]
argv = ["sha256sum", "{data}"]
parameters.data = { type = "file", maximum_size = "8M" }
[commands.both]
argv = ["sh", "-c", 'wc -c < "$1"; printf %s "$TOKEN" | wc -c; cat', "sh", "{data}", "{tags}"]
stdin = true
parameters.data = { type = "file" }
parameters.token = { type = "secret", variable = "TOKEN" }
parameters.tags = { type = "choices", choices = ["a", "b", "c"], default = ["a"] }
"""


class Place(NamedTuple):
    """Where commands are declared, and how one names them there."""

    program: Program
    words: tuple[str, ...]
    engine: Engine

    def run(self, *words: str, stdin: bytes = b"", **env: str) -> Done:
        """Run a command of it, without a terminal."""
        return subprocess.run(
            [*TAILRACE, "run", *self.words, *words], input=stdin, capture_output=True, timeout=DEADLINE_S, check=False,
            env={**os.environ, **env}, start_new_session=True,
        )  # fmt: skip

    def has_started_nothing(self) -> bool:
        """Tell whether there is no run."""
        return not self.engine.list(Query()).runs


@pytest.fixture(params=["on", "file"])
def place(request: pytest.FixtureRequest, program: Program, tmp_path: Path) -> Iterator[Place]:
    """Give a server with the commands, and the file with them."""
    path = tmp_path / "tailrace.toml"
    path.write_text(FILE)
    engine = connect(program.state_dir)
    if request.param == "file":
        yield Place(program, ("--file", str(path)), engine)
        return
    env = {"TAILRACE_STATE": str(program.state_dir)}
    command = ("-m", "tailrace", "serve", str(path), "--port", "{port}")
    with closing(Server("serve", tmp_path / "log", env, command, ping=("/healthz", b'{"status":"ok"}'))) as server:
        yield Place(program, ("--on", server.url), engine)


SAID = f"{len(SECRET)}\n***\n./ann\n".encode()


def test_a_secret_comes_from_where_nobody_sees_it(place: Place, tmp_path: Path) -> None:
    """A file, a variable, or standard input; the newline behind it is none of it."""
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    assert place.run("login", f"token=@{path}").stdout == SAID
    assert place.run("login", "token=env:DEPLOY", DEPLOY=SECRET).stdout == SAID
    assert place.run("login", "token=-", "who=ann", stdin=f"{SECRET}\r\n".encode()).stdout == SAID
    assert place.run("maybe").stdout == b"<>\n"
    assert place.run("maybe", "token=env:DEPLOY", DEPLOY=SECRET).stdout == b"<***>\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("login", f"token={SECRET}"), "token is a secret, and an argument is for everybody to see"),
        (("login",), "token is missing, and there is no terminal to ask for it"),
        (("maybe", "token="), "token is missing, and there is no terminal to ask for it"),
        (("login", "token=@/nowhere"), "token cannot be read from /nowhere: no such file"),
        (("login", "token=env:NOTHING_SUCH"), "NOTHING_SUCH says, which is not set"),
        (("login", "token=-"), "token"),
        (("login", "token=@/dev/null", "who=ann"), "token"),
        (("digest", "data=/nowhere"), "data cannot be read from /nowhere: no such file"),
        (("digest", "data=/"), "data is to be a file, and / is none"),
        (("digest",), "data is missing"),
        (("both", "token=-", "data=-"), "standard input"),
        (("digest", "data=/etc/passwd", "data=/etc/passwd"), "twice"),
    ],
    ids=str,
)
def test_what_cannot_be_given(place: Place, words: tuple[str, ...], said: str) -> None:
    """It is said what to do instead, without a word of the secret, and nothing has been started."""
    done = place.run(*words)
    assert done.returncode == 2, done
    assert said in done.stderr.decode()
    assert b"hint: " in done.stderr
    assert b"horse" not in done.stderr
    assert place.has_started_nothing()


def test_standard_input_is_for_one(place: Place) -> None:
    """A command that is given it leaves none for a secret."""
    done = place.run("--input", "both", "token=-", "data=/etc/hostname", stdin=b"x")
    assert done.returncode == 2
    assert b"which is for the command, by --input, already" in done.stderr
    assert place.has_started_nothing()


def test_a_secret_is_asked_for(place: Place) -> None:
    """At the terminal, which does not show it."""
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", *TAILRACE, "run", *place.words, "login"]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = bytearray()

    def has_asked() -> bool:
        shown.extend(os.read(ours, 4096))
        return b"token" in shown

    wait_for(has_asked)
    os.write(ours, f"{SECRET}\n".encode())
    out, _ = process.communicate(timeout=DEADLINE_S)
    os.set_blocking(ours, False)
    with suppress(OSError):  # nobody has it open any more
        shown.extend(os.read(ours, 65536))
    os.close(ours)
    assert (process.returncode, out) == (0, SAID)
    assert b"horse" not in shown


def test_a_file_is_sent_along(place: Place, tmp_path: Path) -> None:
    """By its path, with or without an `@`, or from standard input; byte for byte, however large."""
    path = tmp_path / 'odd "name" é.bin'
    path.write_bytes(os.urandom(3 << 20))
    digest = hashlib.sha256(path.read_bytes()).hexdigest().encode()
    for word in (f"data={path}", f"data=@{path}"):
        done = place.run("digest", word)
        assert (done.returncode, done.stdout[:64]) == (0, digest), done
    assert place.run("digest", "data=-", stdin=path.read_bytes()).stdout[:64] == digest
    empty = tmp_path / "empty"
    empty.touch()
    assert place.run("digest", f"data={empty}").stdout[:64] == hashlib.sha256().hexdigest().encode()


def test_a_file_that_is_too_large(place: Place, tmp_path: Path) -> None:
    """It is not even sent."""
    path = tmp_path / "large"
    path.write_bytes(bytes((8 << 20) + 1))
    for word, stdin in ((f"data={path}", b""), ("data=-", path.read_bytes())):
        done = place.run("digest", word, stdin=stdin)
        assert done.returncode == 2, done
        assert b"data takes up to 8388608 bytes" in done.stderr
    assert place.has_started_nothing()


def test_everything_at_once(place: Place, tmp_path: Path) -> None:
    """A file, a secret, a list, and input for the command itself."""
    path = tmp_path / "data"
    path.write_bytes(b"12345")
    words = ("--input", "both", f"data={path}", "token=env:T", "tags=c", "tags=b")
    done = place.run(*words, stdin=b"from here\n", T=SECRET)
    assert (done.returncode, done.stdout) == (0, f"5\n{len(SECRET)}\nfrom here\n".encode()), done
    (info,) = place.engine.list(Query()).runs
    assert list(info.argv)[-2:] == ["c", "b"]


def test_input_for_a_command_that_takes_none(place: Place) -> None:
    """It is refused, wherever the command is declared: what is typed would go nowhere, without a word."""
    done = place.run("--input", "maybe", stdin=b"x")
    assert done.returncode == 2
    assert b"the command maybe takes no input" in done.stderr
    assert b"hint: leave out --input" in done.stderr
    assert place.has_started_nothing()


def test_help_says_how(place: Place) -> None:
    """Of a secret and of a file."""
    text = place.run("both", "--help").stdout.decode()
    assert "NAME=@FILE, NAME=env:VARIABLE or NAME=-" in text
    assert "A file is given by its path" in text
    assert "token=<secret>" in text
