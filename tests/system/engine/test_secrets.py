"""Runs that have secrets: these reach the command, and nothing else."""

import base64
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from tailrace.core.command import Command, Commands
from tailrace.core.errors import InvalidInput
from tailrace.core.outcome import Exited, OutputLimit
from tailrace.core.secrets import secret_file
from tailrace.core.timeline import Stream
from tailrace.engine.base import StartOptions
from tailrace.engine.declared import ready
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tests.support.wait import wait_for
from tests.system.kills.conftest import keeper_pid, kill

SECRET = 'gru"nd/stück+7'
PRINTED = [
    SECRET.encode(),
    *(base64.b64encode(b"x" * before + SECRET.encode() + b"yz") for before in range(3)),
    quote(SECRET, safe="").encode(),
    json.dumps(SECRET).encode(),
]
"""forms, each in a line"""
PRINTER = """
import base64, json, os, sys
from urllib.parse import quote
secret, size = os.environ["TOKEN"], int(sys.argv[1])
forms = [secret.encode(), *(base64.b64encode(b"x" * n + secret.encode() + b"yz") for n in range(3)),
         quote(secret, safe="").encode(), json.dumps(secret).encode()]
data = b"".join(b"<" + form + b">\\n" for form in forms)
for at in range(0, len(data), size):
    for fd in range(1, int(sys.argv[2]) + 1):
        os.write(fd, data[at : at + size])
"""
EVERYWHERE = "echo ${#TOKEN}; cat; cat $1; echo at $1"


def bare(script: str, *arguments: str) -> list[str]:
    """Return the argv of a Python program."""
    return [sys.executable, "-I", "-S", "-c", script, *arguments]


def output(run: Run, stream: Stream | None = None) -> bytes:
    """Return all that the run prints."""
    return b"".join(chunk.data for chunk in run.follow() if stream in (None, chunk.stream))


def files_of(state_dir: Path) -> dict[str, bytes]:
    """Return all files of a state directory, by their paths."""
    return {str(path): path.read_bytes() for path in state_dir.rglob("*") if path.is_file()}


def command_lines() -> bytes:
    """Return what `ps` would show of everybody's arguments."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:
            continue
    return b"\n".join(lines)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("options", [{}, {"merge": True}, {"pty": True}], ids=["pipes", "merged", "pty"])
def test_every_form_is_masked_however_it_is_printed(engine: DiskEngine, options: StartOptions, size: int) -> None:
    """A byte at a time, in pieces and at once; on two pipes, on one, and at a terminal."""
    with_secret: StartOptions = {"secrets": {"TOKEN": SECRET}, **options}
    run = engine.start(bare(PRINTER, str(size), "1" if options else "2"), **with_secret)
    info = run.wait(60)
    assert (info.outcome, info.masked, info.dropped) == (Exited(0), True, 0)
    shown = output(run)
    assert not any(form in shown for form in PRINTED)
    for stream in [Stream.STDOUT] if options else [Stream.STDOUT, Stream.STDERR]:
        lines = output(run, stream).replace(b"\r\n", b"\n").split(b"\n")
        assert [lines[0], *lines[4:]] == [b"<***>", b"<***>", b'<"***">', b""]
        assert all(b"***" in line for line in lines[:-1])


def test_a_secret_across_read_borders_is_masked(engine: DiskEngine) -> None:
    """The keeper reads 64 KiB at once; what is no secret is complete, in order, and labelled."""
    script = """
import os
line = b"%07d " + os.environ["TOKEN"].encode() + b" x\\n"
data = memoryview(b"".join(line % n for n in range(40000)))
while data:
    data = data[os.write(1, data[:9973]):]
"""
    run = engine.start(bare(script), secrets={"TOKEN": SECRET})
    chunks = list(run.follow())
    assert b"".join(chunk.data for chunk in chunks) == b"".join(b"%07d *** x\n" % n for n in range(40000))
    assert {chunk.stream for chunk in chunks} == {Stream.STDOUT}
    times = [chunk.time_s for chunk in chunks if chunk.time_s is not None]
    assert all(before <= after for before, after in pairwise(times))


def test_it_comes_by_environment_input_and_file_and_is_nowhere_else(engine: DiskEngine, state_dir: Path) -> None:
    """Not in any file of the state directory once the command has it, nor in anybody's arguments."""
    values = (b"hunter2hunter", b"line of input", b"content of a file")
    script = EVERYWHERE + "; stat -c %a $1; read go < $2; kill -9 $$"
    gate = state_dir / "version.gate"
    os.mkfifo(gate)
    run = engine.start(
        ["sh", "-c", script, "sh", secret_file("key"), str(gate)],
        env={"KEY_FILE": f"{secret_file('key')}"},
        secrets={"TOKEN": "hunter2hunter"},
        secret_files={"key": "content of a file"},
        secret_input=["line of input"],
    )
    place = state_dir / "runs" / run.id / "secrets" / "key"
    wait_for(lambda: run.info().size > len(f"13\n***\n***at {place}\n"))
    gate.write_bytes(b"")
    shown = output(run)
    assert shown.startswith(b"13\n***\n***at ")
    assert f"at {place}\n600\n".encode() in shown
    assert not place.parent.exists()
    assert not any(value in data for data in files_of(state_dir).values() for value in values)
    assert str(place) in run.info().argv


def test_while_it_runs_only_its_file_has_a_secret(engine: DiskEngine, state_dir: Path) -> None:
    """The launch is gone, and the file is private; what `ps` shows and what is told of the run have none."""
    run = engine.start(
        ["sh", "-c", 'echo "<$TOKEN>"; cat "$1"; exec sleep 1000', "sh", secret_file("key")],
        secrets={"TOKEN": "hunter2hunter"},
        secret_files={"key": "content of a file\n"},
    )
    wait_for(lambda: run.info().size >= len("<***>\n***"))
    found = [path for path, data in files_of(state_dir).items() if b"hunter2hunter" in data or b"content of" in data]
    assert found == [str(state_dir / "runs" / run.id / "secrets" / "key")]
    assert b"hunter2hunter" not in command_lines()
    assert b"content of a file" not in command_lines()
    assert "hunter2hunter" not in repr((run.info(), engine.spec(run.id)))
    run.stop(now=True)


def test_what_is_held_back_comes_with_the_end(engine: DiskEngine) -> None:
    """The beginning of a secret is shown when it is known to be no more; also when children keep the pipe open."""
    begun = "printf 'a hunter'"
    assert output(engine.start(["sh", "-c", begun], secrets={"TOKEN": "hunter2hunter"})) == b"a hunter"
    script = f"{begun}; sleep 1000 & exit 0"
    run = engine.start(["sh", "-c", script], secrets={"TOKEN": "hunter2hunter"}, grace=0.1, leave_children=True)
    assert run.wait(60).outcome == Exited(0)
    assert output(run) == b"a hunter"


def test_typing_goes_behind_the_secrets(engine: DiskEngine) -> None:
    """The input begins with the secrets; then viewers write to it, unmasked."""
    run = engine.start(["sh", "-c", "read a; read b; echo $b; echo $a"], secret_input=["line of input"], stdin=True)
    wait_for(lambda: run.info().state == "running")
    run.send(b"typed\n")
    assert output(run) == b"typed\n***\n"


def test_more_secret_input_than_a_pipe_holds_is_handed_over(engine: DiskEngine) -> None:
    """While the command does not read yet."""
    lines = [f"{n:02d}" + "x" * 16000 for n in range(20)]
    run = engine.start(["sh", "-c", "sleep 0.2; wc -c"], secret_input=lines)
    assert output(run).strip() == b"320060"


def test_the_output_limit_counts_what_is_stored(engine: DiskEngine) -> None:
    """A secret counts for three bytes."""
    script = ["sh", "-c", "for i in 1 2 3 4; do echo $TOKEN; done"]
    whole = engine.start(script, secrets={"TOKEN": "hunter2hunter"}, max_output=16)
    assert (whole.wait(60).outcome, output(whole)) == (Exited(0), b"***\n" * 4)
    cut = engine.start(script, secrets={"TOKEN": "hunter2hunter"}, max_output=10, on_max_output="truncate")
    info = cut.wait(60)
    assert (output(cut), info.size, info.size + info.dropped >= 16) == (b"***\n***\n**", 10, True)
    stopped = engine.start(["yes"], secrets={"TOKEN": "hunter2hunter"}, max_output=1000)
    assert (stopped.wait(60).outcome, len(output(stopped))) == (OutputLimit(), 1000)


def test_a_killed_keeper_leaks_nothing(engine: DiskEngine, state_dir: Path) -> None:
    """What it held back is lost; and whoever settles the run removes the secret's file."""
    script = 'while :; do printf "%s" "$TOKEN"; cat "$1"; done'
    run = engine.start(
        ["sh", "-c", script, "sh", secret_file("key")],
        secrets={"TOKEN": "hunter2hunter"},
        secret_files={"key": "content of a file\n"},
    )
    wait_for(lambda: run.info().size > 2)
    assert kill(keeper_pid(engine, run.id))
    wait_for(lambda: run.info().is_finished)
    assert set(output(run)) <= set(b"*")
    wait_for(lambda: not any(b"hunter2" in data or b"content of" in data for data in files_of(state_dir).values()))


def test_the_keepers_memory_is_not_dumped() -> None:
    """A process that has called `forbid_dumps` is not dumpable (prctl(2), PR_GET_DUMPABLE)."""
    script = "from tailrace.host import linux; linux.forbid_dumps(); print(linux._libc.prctl(3, 0, 0, 0, 0))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "0\n"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"secrets": {"TOKEN": "short"}}, "5 bytes"),
        ({"secrets": {"TOKEN": 12345678}}, "must be text"),
        ({"secrets": ["hunter2hunter"]}, "dictionary"),
        ({"secret_files": {"../key": "hunter2hunter"}}, "file's"),
        ({"secret_input": ["hunter2\nhunter"]}, "several lines"),
        ({"secret_input": "hunter2hunter"}, "list"),
        ({"secret_input": ["hunter2hunter"], "pty": True}, "pty"),
        ({"secrets": {"TOKEN": "of the argv"}}, "arguments"),
        ({"secrets": {"TOKEN": "hunter2hunter"}, "labels": {"a": "hunter2hunter"}}, "label"),
        ({"secrets": {"TOKEN": "hunter2hunter"}, "labels": {"hunter2hunter": "a"}}, "label"),
        ({"secrets": {"TOKEN": "hunter2hunter"}, "cwd": "/tmp/hunter2hunter"}, "directory"),
        ({"secrets": {"A=B": "hunter2hunter"}}, "environment variable"),
        ({"secrets": {"TOKEN": "hunter2\0hunter"}}, "NUL"),
    ],
)
def test_what_cannot_be_kept_secret_is_refused(engine: DiskEngine, options: StartOptions, word: str) -> None:
    """With words that have nothing of it."""
    with pytest.raises(InvalidInput) as caught:
        engine.start(["echo", "part of the argv"], **options)
    said = f"{caught.value} {caught.value.hint}"
    assert word in said
    assert "hunter2" not in said


def test_a_files_place_cannot_be_made_up(engine: DiskEngine) -> None:
    """What stands for the path has NULs in it, so only who gives a file of this name can use it."""
    with pytest.raises(InvalidInput):
        engine.start(["cat", secret_file("other")], secret_files={"key": "content of a file"})


def test_the_secrets_of_other_commands_are_theirs(engine: DiskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command has no variable that another, or a hook, has as a secret: it would show it unmasked."""
    monkeypatch.setenv("OWN_TOKEN", SECRET)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    knowing = Command(name="knowing", argv=("env",), secret_env=("OWN_TOKEN",))
    other = Command(name="other", argv=("env",))
    plain = Command(name="plain", argv=("env",), env={"OWN_TOKEN": "of my own"})
    commands = Commands([knowing, other, plain], private=["HOOK_SECRET"])
    shown = []
    for command in (knowing, other, plain):
        argv, options = ready(command, {}, commands.only(lambda each: each.name != "knowing"))
        lines = output(engine.start(argv, **options)).decode().splitlines()
        shown.append([line for line in lines if line.startswith(("OWN_", "HOOK_"))])
    assert shown == [["OWN_TOKEN=***"], [], ["OWN_TOKEN=of my own"]]
