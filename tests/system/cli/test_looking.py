"""`list`, `show`, `stop`, `pin`, `prune`: looking at runs, and what is done to several."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tailrace import Engine
from tailrace.cli import program as cli_program
from tailrace.engine import catalog
from tests.support.wait import wait_for
from tests.system.cli.conftest import TAILRACE, Program


def test_an_empty_list_says_so(program: Program) -> None:
    """Nothing on stdout, a word on stderr; JSON is complete."""
    done = program("list")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"tailrace: no runs\n")
    assert json.loads(program("list", "--json").stdout) == {"runs": [], "next": None, "total": 0}


def test_list_tells_of_each_run(program: Program) -> None:
    """Newest first, with outcome, who, size and the command as one would type it."""
    program("run", "--by", "ada", "--", "sh", "-c", "echo hi; exit 3")
    program("run", "--", "seqq")
    head, first, second = program("list").stdout.decode().splitlines()
    assert head.split() == ["ID", "STATE", "WHEN", "TOOK", "SIZE", "BY", "COMMAND"]
    assert "failed to start" in first
    assert all(word in second for word in ("exited 3", "ada", "3 B", "sh -c 'echo hi; exit 3'"))


def test_list_chooses(program: Program) -> None:
    """By state, by outcome, by label; page by page."""
    for number in (1, 2, 3):
        program("run", "--label", f"n={number}", "--label", "all=yes", "--", "sh", "-c", f"exit {number - 1}")
    chosen = json.loads(program("list", "--json", "--label", "n=2", "--label", "all=yes").stdout)["runs"]
    assert [run["outcome"] for run in chosen] == [{"kind": "exited", "code": 1}]
    assert json.loads(program("list", "--json", "--state", "running").stdout)["runs"] == []
    page = json.loads(program("list", "--json", "--limit", "2").stdout)
    rest = json.loads(program("list", "--json", "--limit", "2", "--cursor", page["next"]).stdout)
    assert [run["labels"]["n"] for run in page["runs"] + rest["runs"]] == ["3", "2", "1"]
    assert rest["next"] is None
    assert page["total"] == 3
    assert b"--cursor" in program("list", "--limit", "2").stderr
    both = json.loads(program("list", "--json", "--state", "exited", "--state", "lost", "--search", "EXIT 1").stdout)
    assert [run["labels"]["n"] for run in both["runs"]] == ["2"]


def test_list_chooses_by_who_and_when(program: Program) -> None:
    """Who asked; since and until an instant, or so long ago."""
    program("run", "--by", "ada", "--", "true")
    program("run", "--by", "bob", "--", "true")

    def who(*args: str) -> list[str]:
        return [run["by"] for run in json.loads(program("list", "--json", *args).stdout)["runs"]]

    assert who("--by", "ada") == ["ada"]
    assert who("--since", "1h") == who("--since", "2001-01-01", "--until", "9999-01-01T00:00") == ["bob", "ada"]
    assert who("--until", "1h") == []
    wrong = program("list", "--since", "soon")
    assert (wrong.returncode, b"2h for two hours ago" in wrong.stderr) == (2, True)


def test_list_goes_on_until_its_page_is_full(
    state_dir: Path, engine: Engine, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one call of the engine gives up, the next goes on from there."""
    old = engine.start(["echo", "needle"])
    for run in (old, *(engine.start(["true"]) for _ in range(5))):
        run.wait(60)
    monkeypatch.setattr(catalog, "_LOOKED_AT", 2)
    argv = ["--state-dir", str(state_dir), "list", "--json", "--search", "needle"]
    assert cli_program.call("tailrace", lambda: argv) == 0
    page = json.loads(capsysbinary.readouterr().out)
    assert ([run["id"] for run in page["runs"]], page["next"], page["total"]) == ([old.id], None, 1)


def test_list_json_is_the_apis(program: Program, engine: Engine) -> None:
    """`list --json` and `show --json` print what the library gives."""
    program("run", "--", "echo", "hi")
    (run,) = json.loads(program("list", "--json").stdout)["runs"]
    assert run == json.loads(program("show", "last", "--json").stdout)
    assert run == json.loads(msgspec.json.encode(engine.get(run["id"])))


def test_text_from_elsewhere_is_escaped(program: Program) -> None:
    """Arguments and labels cannot act on the terminal of who lists them."""
    program("run", "--", "printf", "", "\x1b]0;title\x07")
    for done in (program("list"), program("show", "last")):
        assert b"\x1b" not in done.stdout
        assert b"\\x1b]0;title\\x07" in done.stdout


@pytest.mark.parametrize("columns", [40, 60, 80, 132])
@pytest.mark.usefixtures("state_dir")
def test_the_table_fits(program: Program, columns: int) -> None:
    """No line is wider than the terminal, whatever the command."""
    program("run", "--", "echo", "漢字 " * 100)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    env = {**os.environ, "NO_COLOR": "1"}
    subprocess.run([*TAILRACE, "list"], stdout=theirs, env=env, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert len(shown) == 2
    assert all(sum(2 if char in "漢字" else 1 for char in line) <= columns for line in shown)
    assert "\x1b" not in "".join(shown)


def test_show_tells_everything(program: Program) -> None:
    """What was asked, what happened, and what it took."""
    program("run", "--timeout", "0.2", "--label", "a=b", "--pin", "--by", "ada", "--", "sleep", "600")
    shown = program("show", "last").stdout.decode()
    for words in (
        "(pinned)",
        "sleep 600",
        "timed out after 200 ms (--timeout)",
        "ada",
        "a=b",
        "INT to 1 process",
        "of CPU",
    ):
        assert words in shown


def test_show_tells_how_a_run_goes(program: Program, engine: Engine) -> None:
    """What it uses now, when it last printed, and who is stopping it."""
    run = engine.start(
        ["sh", "-c", "trap '' INT; echo up; while :; do sleep 0.1; done"], ladder=[("INT", 100), ("KILL", 0)]
    )
    next(run.follow())
    shown = program("show", "last").stdout.decode()
    assert re.search(r"output +3 bytes, the last (just now|.* ago)\n", shown)
    assert re.search(r"used .* of CPU so far; .* of memory in [12] process(es)? now\n", shown)
    run.stop(by="ada")
    wait_for(lambda: "stopping, as ada asked" in program("show", "last").stdout.decode())
    run.stop(now=True)
    run.wait(60)
    assert "stopped by ada" in program("show", "last").stdout.decode()


def test_show_says_that_nothing_started(program: Program) -> None:
    """The reason alone could be taken for the command's own words."""
    program("run", "--", "nosuch")
    assert b"failed to start: nosuch: command not found\n" in program("show", "last").stdout


def test_stop_ends_several_and_shows_how(program: Program, until_printed: Callable[[str, bytes], None]) -> None:
    """It returns when all have ended, and tells what it took."""
    runs = [program.detached("--", "sh", "-c", "trap '' INT; echo begun; exec sleep 600") for _ in range(2)]
    for run_id in runs:
        until_printed(run_id, b"begun")
    done = program("stop", "--now", "--by", "ada", *runs)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b" in 5 s" not in done.stderr
    for run_id in runs:
        assert f"{run_id[:11]}: sent TERM" in done.stderr.decode()
        assert f"{run_id[:11]}: stopped by ada" in done.stderr.decode()
    again = program("stop", runs[0])
    assert (again.returncode, again.stderr) == (
        0,
        f"tailrace: {runs[0][:11]} was over already: stopped by ada\n".encode(),
    )


def test_prune_removes_what_it_is_told_to(program: Program) -> None:
    """Pinned runs stay; without a word on what is to go, nothing does."""
    for _ in range(3):
        program("run", "--", "echo", "hi")
    assert program("pin", "last").returncode == 0
    refused = program("prune")
    assert refused.returncode == 2
    assert program("prune", "--older-than", "1d").stderr == b"tailrace: nothing to remove\n"
    assert program("prune", "--keep", "0").stderr == b"tailrace: removed 2 runs, 6 bytes of output\n"
    assert program("unpin", "last").returncode == 0
    assert program("prune", "--keep", "0").stderr == b"tailrace: removed 1 run, 3 bytes of output\n"
    assert program("list").stderr == b"tailrace: no runs\n"
