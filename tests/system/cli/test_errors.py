"""What goes wrong is told in two lines, with an exit code that says whose fault it is."""

import os
from pathlib import Path

import pytest

from tests.system.cli.conftest import Program


@pytest.mark.parametrize(
    "args",
    [
        ["run"],
        ["run", "--no-such-option", "true"],
        ["run", "--timeout", "soon", "true"],
        ["run", "--timeout", "0", "true"],
        ["run", "--max-output", "lots", "true"],
        ["run", "--env", "NAME", "true"],
        ["run", "--rlimit", "NOSUCH=1", "true"],
        ["run", "--pty", "--merge", "true"],
        ["run", "--label", "a\nb=c", "true"],
        ["run", "--", ""],
        ["follow"],
        ["follow", "last"],
        ["follow", "1k0w1tktqkh4bfcn7kbd49bpv8j"],
        ["follow", "last", "--tail", "1", "--from", "1"],
        ["list", "--state", "nowhere"],
        ["list", "--limit", "0"],
        ["show", "1k0w1tktqkh4bfcn7kbd49bpv8j"],
        ["send", "last", "--signal", "NOSUCH"],
        ["runner", "set"],
        ["nothing"],
        ["--nothing"],
    ],
)
def test_the_callers_mistakes(program: Program, args: list[str]) -> None:
    """Exit 2: what is wrong, and what to do about it."""
    done = program(*args)
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("tailrace: ")
    assert second.startswith("  hint: ")
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("option", ["--share-at=nonsense", "--linger=soon"])
def test_what_cannot_be_shared_is_not_run(program: Program, tmp_path: Path, option: str) -> None:
    """How a run is to be served is looked at before there is one."""
    done = program("run", "--share", option, "--", "touch", str(tmp_path / "ran"))
    assert (done.returncode, (tmp_path / "ran").exists()) == (2, False)


@pytest.mark.parametrize("typed", [b"x" * 5000 + b"\n", b"caf\xe9\n", b"\n", b""])
def test_a_secret_that_is_not_taken_whole_is_not_taken(program: Program, typed: bytes) -> None:
    """A password that is cut or changed would be another one."""
    done = program("user", "add", "ann", stdin=typed)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"hint: " in done.stderr


def test_an_empty_token_file_is_a_mistake(program: Program, tmp_path: Path) -> None:
    """No other token is sent in the place of the one that was meant."""
    (tmp_path / "token").write_text("\n")
    done = program(
        "list", "--on", "http://127.0.0.1:9", "--token-file", str(tmp_path / "token"), TAILRACE_TOKEN="other"
    )
    assert (done.returncode, b"token is empty" in done.stderr) == (2, True)


def test_what_is_missing_is_asked_for(program: Program) -> None:
    """In words, not in the terms of a parser."""
    assert program("run").stderr == b"tailrace: what is to be run?\n  hint: for example: tailrace run -- make test\n"
    assert b"'-1' is not an offset: a number of bytes, 0 or more" in program("follow", "last", "--from", "-1").stderr


@pytest.mark.parametrize(
    ("name", "meant"), [("ls", "list"), ("logs", "follow"), ("kill", "stop"), ("help", "--help"), ("folow", "follow")]
)
def test_a_command_by_another_name(program: Program, name: str, meant: str) -> None:
    """What other programs call it, and a slip of the finger, lead to the right one."""
    done = program(name, "last")
    assert done.returncode == 2
    assert done.stderr.decode() == f"tailrace: there is no command '{name}'\n  hint: did you mean `{meant}`?\n"


def test_a_state_directory_below_a_file(program: Program, tmp_path: Path) -> None:
    """It cannot be made: the engine's fault, 125 in `run`, 1 elsewhere."""
    (tmp_path / "file").touch()
    place = str(tmp_path / "file" / "state")
    for args, code in ((["run", "true"], 125), (["follow", "last"], 125), (["list"], 1)):
        done = program("--state-dir", place, *args)
        assert done.returncode == code
        assert "a part of the path is not a directory" in done.stderr.decode()
        assert "--state-dir" in done.stderr.decode().splitlines()[1]


@pytest.mark.parametrize(
    "args",
    [
        ["list"],
        ["show", "last"],
        ["follow", "last"],
        ["prune", "--keep", "1"],
        ["stop", "last"],
        ["runner"],
        ["runner", "status"],
    ],
)
def test_looking_makes_no_state_directory(program: Program, tmp_path: Path, args: list[str]) -> None:
    """A path that was mistyped is said to be empty, and stays so."""
    place = tmp_path / "mistyped"
    done = program(*args, "--state-dir", str(place))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"tailrace: {place} is not there yet\n  hint: the first run makes it")
    assert not place.exists()


def test_the_default_directory_is_just_empty(program: Program, tmp_path: Path) -> None:
    """A newcomer's first `list` is no mistake."""
    home = tmp_path / "home"
    done = program("list", TAILRACE_STATE="", XDG_STATE_HOME=str(home))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"tailrace: no runs yet\n")
    done = program("list", "--json", TAILRACE_STATE="", XDG_STATE_HOME=str(home))
    assert done.stdout == b'{"runs":[],"next":null,"total":0}\n'
    assert program("show", "last", TAILRACE_STATE="", XDG_STATE_HOME=str(home)).returncode == 2
    assert not home.exists()


def test_another_versions_state_directory(program: Program, tmp_path: Path) -> None:
    """A newer layout is refused with what to do, and left as it is."""
    place = tmp_path / "state"
    place.mkdir(mode=0o700)
    (place / "version").write_text("99\n")
    done = program("run", "--state-dir", str(place), "true")
    assert done.returncode == 125
    assert "layout '99'" in done.stderr.decode()
    assert "upgrade" in done.stderr.decode()
    assert [entry.name for entry in place.iterdir()] == ["version"]


def test_somebody_elses_directory_is_left_alone(program: Program, tmp_path: Path) -> None:
    """A directory that holds something else does not become a state directory."""
    (tmp_path / "thesis.txt").touch()
    done = program("run", "--state-dir", str(tmp_path), "true")
    assert done.returncode == 125
    assert "not a state directory" in done.stderr.decode()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_long_path_works(program: Program, state_dir: Path) -> None:
    """A state directory whose path no socket's name could hold serves like any other."""
    place = state_dir / ("long" * 30) / ("longer" * 20)
    done = program("--state-dir", str(place), "run", "--input", "--", "cat", stdin=b"hi\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"hi\n", b"")
    assert b"exited 0" in program("list", "--state-dir", str(place)).stdout


def test_the_directory_can_be_said_anywhere(program: Program, state_dir: Path) -> None:
    """Before the command's name or after it; the later one wins; TAILRACE_STATE is the least."""
    place = str(state_dir / "other")
    assert program("--state-dir", place, "run", "echo", "1").returncode == 0
    assert program("run", "--state-dir", place, "echo", "2").returncode == 0
    assert program("--state-dir", "/nowhere", "list", "--state-dir", place).stdout.count(b"exited 0") == 2
    assert program("list", TAILRACE_STATE=place).stdout.count(b"exited 0") == 2


def test_a_bug_is_told_in_two_lines(program: Program, state_dir: Path) -> None:
    """No traceback reaches a user, unless TAILRACE_DEBUG asks for it."""
    (state_dir / "sitecustomize.py").write_text(
        "import tailrace.cli.naming\ndef broken(*_):\n    raise KeyError('x')\ntailrace.cli.naming.find = broken\n"
    )
    path = os.pathsep.join([str(state_dir), os.environ.get("PYTHONPATH", "")])
    (state_dir / "state").mkdir()
    done = program("show", "last", PYTHONPATH=path, TAILRACE_STATE=str(state_dir / "state"))
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[0] == "tailrace: KeyError: 'x'"
    assert "bug" in done.stderr.decode().splitlines()[1]
    debugged = program("show", "last", PYTHONPATH=path, TAILRACE_STATE=str(state_dir / "state"), TAILRACE_DEBUG="1")
    assert b"Traceback" in debugged.stderr


def test_a_closed_reader_is_no_error(program: Program) -> None:
    """Any command whose output nobody reads any more exits 141 without a word."""
    program("run", "--", "true")
    for args in (["list"], ["show", "last"], ["--help"], ["list", "--json"]):
        reading, writing = os.pipe()
        os.close(reading)
        started = program.start(*args, stdout=writing)
        os.close(writing)
        assert started.stderr is not None
        assert (started.wait(60), started.stderr.read()) == (141, b"")


def test_an_output_that_cannot_be_written(program: Program) -> None:
    """A full disk where our output goes does not end the run: 125, and how to resume."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123  a device, not a path to handle
        started = program.start("run", "--", "sh", "-c", "echo hi; exec sleep 600", stdout=full.fileno())
    _out, err = started.communicate(timeout=60)
    assert started.returncode == 125
    assert b"no space left on device" in err
    assert b"tailrace follow" in err
    assert b"running" in program("list").stdout


def test_closed_descriptors_do_not_matter(program: Program) -> None:
    """Without standard input, output and error nothing of ours is mistaken for them."""
    done = program.shell('"$@" run -- echo hi 0<&- 1>&- 2>&-')
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert program("follow", "last").stdout == b"hi\n"
