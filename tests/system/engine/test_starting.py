"""What a command is given: arguments, environment, and what it inherits from who started it."""

import os
import re
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.core.states import State
from tailrace.engine.disk import DiskEngine
from tests.support.wait import wait_for

SHOW = 'umask; ulimit -n; ulimit -Hn; nice; pwd; echo "$MARK"'
STARTER = """
import os, resource, sys, tailrace
os.umask(0o027)
os.nice(5)
resource.setrlimit(resource.RLIMIT_NOFILE, (55, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
os.chdir(sys.argv[1])
os.environ["MARK"] = "of the starter"
run = tailrace.connect(sys.argv[2]).start(["sh", "-c", sys.argv[3]])
print(run.id)
"""
LIBC_OWN = 0b11 << 31
"""glibc's posix_spawn leaves its own two signals, 32 and 33, ignored in every program it starts"""
SECRET = "s3cret-value-" + "q" * 20


def output(engine: DiskEngine, *argv: str, env: dict[str, str | None] | None = None) -> str:
    """Return what a command prints."""
    return b"".join(chunk.data for chunk in engine.start(argv, env=env).follow()).decode()


def whole(state_dir: Path) -> bytes:
    """Return every byte of every file below the directory."""
    return b"".join(path.read_bytes() for path in state_dir.rglob("*") if path.is_file())


def test_arguments_arrive_exactly(engine: DiskEngine) -> None:
    """No shell looks at them: blanks, quotes, globs, newlines, emptiness and bytes that are no text."""
    odd = ["", " ", "a b", "*", "$HOME", "`id`", "'\"\\", "-n", "\n", "é", os.fsdecode(b"\xff\xfe")]
    run = engine.start(
        [sys.executable, "-I", "-S", "-c", "import os, sys; os.write(1, ascii(sys.argv[1:]).encode())", *odd]
    )
    assert b"".join(chunk.data for chunk in run.follow()).decode() == ascii(odd)
    assert run.info().argv[-1] == "\\xff\\xfe"


def test_a_hundred_thousand_arguments(engine: DiskEngine) -> None:
    """As many as the system takes."""
    run = engine.start(["sh", "-c", "echo $#", *["x"] * 100_000])
    assert b"".join(chunk.data for chunk in run.follow()) == b"99999\n"
    assert len(run.info().argv) == 100_003


def test_the_environment_arrives_exactly(engine: DiskEngine) -> None:
    """A value may have `=` and newlines, be empty, or take one away; the caller's own comes along."""
    env: dict[str, str | None] = {"A": "b=c=d", "B": "", "C": "1\n2", "HOME": None}
    shown = output(engine, "env", "-0", env=env).split("\0")
    assert {"A=b=c=d", "B=", "C=1\n2", f"PATH={os.environ['PATH']}"} <= set(shown)
    assert not [row for row in shown if row.startswith("HOME=")]


def test_python_prints_at_once_unless_told_otherwise(engine: DiskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTHONUNBUFFERED is 1 by default; the caller's own value, and what was asked for, go before."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    assert output(engine, "sh", "-c", 'echo "$PYTHONUNBUFFERED"') == "1\n"
    assert output(engine, "sh", "-c", 'echo "${PYTHONUNBUFFERED-none}"', env={"PYTHONUNBUFFERED": None}) == "none\n"
    monkeypatch.setenv("PYTHONUNBUFFERED", "")
    assert output(engine, "sh", "-c", 'echo "<$PYTHONUNBUFFERED>"') == "<>\n"


def test_every_process_of_a_run_knows_its_run(engine: DiskEngine) -> None:
    """`TAILRACE_RUN` is the run's id, and nobody can ask for another."""
    run = engine.start(["sh", "-c", "sh -c 'echo $TAILRACE_RUN'"], env={"TAILRACE_RUN": "mine"})
    assert b"".join(chunk.data for chunk in run.follow()).decode() == f"{run.id}\n"


def test_what_the_caller_is_travels(engine: DiskEngine, state_dir: Path, tmp_path: Path) -> None:
    """Umask, limits, niceness, directory and environment are those of whoever asks, not of who asked first."""
    soft, hard = (str(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    command = [sys.executable, "-c", STARTER, str(tmp_path), str(state_dir), SHOW]
    first = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    shown = b"".join(chunk.data for chunk in type(engine.start(["true"]))(engine, first).follow()).decode()
    assert shown.split("\n") == ["0027", "55", hard, "5", str(tmp_path), "of the starter", ""]
    here = output(engine, "sh", "-c", SHOW).split("\n")
    umask = os.umask(0o077)
    os.umask(umask)
    assert here == [f"{umask:04o}", soft, hard, str(os.nice(0)), str(Path.cwd()), "", ""]


def test_a_command_inherits_no_descriptor_and_no_odd_signal(engine: DiskEngine) -> None:
    """Three descriptors; nothing ignored, nothing blocked; its own session; /dev/null as input."""
    script = "ls -l /proc/self/fd; grep ^Sig /proc/self/status; cut -d' ' -f1,5,6 /proc/$$/stat; cat; wait"
    with (
        Path("/dev/null").open() as held,
    ):
        os.set_inheritable(held.fileno(), True)
        shown = output(engine, "sh", "-c", script)
    assert re.findall(r" (\d+) -> ", shown) == ["0", "1", "2", "3"]  # 3 is what ls itself has opened
    assert re.search(r"0 -> /dev/null", shown)
    masks = dict(re.findall(r"(Sig\w+):\s+([0-9a-f]+)\n", shown))
    assert int(masks["SigBlk"], 16) == 0
    assert int(masks["SigIgn"], 16) & ~LIBC_OWN == 0
    assert len(set(shown.splitlines()[-1].split())) == 1


def test_a_broken_pipe_ends_a_command_as_in_a_shell(engine: DiskEngine) -> None:
    """Python ignores SIGPIPE; what it starts must not."""
    run = engine.start(["bash", "-c", "yes | head -n 1; echo ${PIPESTATUS[0]}"])
    assert b"".join(chunk.data for chunk in run.follow()) == b"y\n141\n"


def test_no_new_privileges_where_asked(engine: DiskEngine) -> None:
    """Not by default, since commands use sudo."""
    script = "grep NoNewPrivs /proc/self/status"
    for asked in (False, True):
        run = engine.start(["sh", "-c", script], no_new_privileges=asked)
        assert b"".join(chunk.data for chunk in run.follow()).split()[-1] == b"%d" % asked


def test_unbuffer_makes_a_program_flush_its_lines(engine: DiskEngine) -> None:
    """A C program that goes on without printing more has said what it had to say."""
    script = "exec 3<&0; (echo hello; cat <&3) | cut -c 2-"
    run = engine.start(["sh", "-c", script], stdin=True, ladder=[("KILL", 0)])
    quick = engine.start(["sh", "-c", script], stdin=True, unbuffer=True, ladder=[("KILL", 0)])
    assert next(quick.follow()).data == b"ello\n"
    assert run.info().size == 0
    run.stop()
    quick.stop()


def test_values_of_the_environment_do_not_stay_on_disk(engine: DiskEngine, state_dir: Path) -> None:
    """Once the command has them, no file below the state directory holds them; the names are recorded."""
    run = engine.start(["sh", "-c", 'test -n "$TOKEN"; echo "ready $?"; cat'], env={"TOKEN": SECRET}, stdin=True)
    assert next(run.follow()).data == b"ready 0\n"
    wait_for(lambda: run.info().state is State.RUNNING)
    wait_for(lambda: not (state_dir / "runs" / run.id / "launch").exists())
    assert SECRET.encode() not in whole(state_dir)
    assert "TOKEN" in engine.spec(run.id).env
    run.close_input()
    run.wait(timeout=60)
    assert SECRET.encode() not in whole(state_dir)


@pytest.mark.parametrize("end", ["cancelled", "failed to start"])
def test_values_of_the_environment_go_with_a_run_that_never_ran(engine: DiskEngine, state_dir: Path, end: str) -> None:
    """While it waits they lie in a file for its user alone; then nowhere."""
    if end == "cancelled":
        engine.start(["cat"], stdin=True, key="k")
        run = engine.start(["true"], key="k", when_busy="queue", env={"TOKEN": SECRET})
        launch = state_dir / "runs" / run.id / "launch"
        assert stat.S_IMODE(launch.stat().st_mode) == 0o600
        run.stop()
    else:
        run = engine.start(["/no/such/program"], env={"TOKEN": SECRET})
    run.wait(timeout=60)
    wait_for(lambda: SECRET.encode() not in whole(state_dir))


def test_everything_on_disk_is_for_its_user_alone(engine: DiskEngine, state_dir: Path) -> None:
    """Directories 0700, files 0600, whatever the caller's umask."""
    umask = os.umask(0)
    try:
        run = engine.start(["echo", "x"])
    finally:
        os.umask(umask)
    run.wait(timeout=60)
    wait_for(lambda: not (state_dir / "runs" / run.id / "live.json").exists())  # the keeper's last step
    for path in [state_dir, *state_dir.rglob("*")]:
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0 or path.name.startswith("catalog"), path
