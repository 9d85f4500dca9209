"""Running as another user, which only root may ask for."""

import os
import pwd
import re
from pathlib import Path

import pytest

import tailrace
from tailrace.core.errors import InvalidInput
from tailrace.engine.base import StartOptions

SCRIPT = 'id -un; id -g; echo "$HOME $USER $LOGNAME"; cat /proc/self/status | grep -E "^(Uid|Groups)"'


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize("pty", [False, True])
@pytest.mark.other_platform
def test_a_command_runs_as_its_user(state_dir: object, *, pty: bool) -> None:
    """With that one's groups, home and name, and no way back; at a terminal too, which is its own."""
    assert state_dir
    nobody = pwd.getpwnam("nobody")
    script = SCRIPT + ("; stat -c %U $(tty)" if pty else "")
    run = tailrace.connect().start(["sh", "-c", script], user="nobody", cwd="/", pty=pty)
    lines = b"".join(chunk.data for chunk in run.follow()).decode().split("\n")
    assert [line.strip() for line in lines[:3]] == [
        "nobody", str(nobody.pw_gid), f"{nobody.pw_dir} nobody nobody",
    ]  # fmt: skip
    assert lines[3].split()[1:] == [str(nobody.pw_uid)] * 4
    assert "0" not in lines[4].split()[1:]
    assert not pty or lines[5].strip() == "nobody"
    assert run.engine.spec(run.id).user == "nobody"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize("way", [{}, {"merge": True}, {"stdin": True}, {"pty": True}])
@pytest.mark.other_platform
def test_its_streams_can_be_opened_by_name(state_dir: object, way: StartOptions) -> None:
    """As scripts do, which write to /dev/stderr; what is everybody's, /dev/null, stays as it is."""
    assert state_dir
    null = Path(os.devnull).stat()
    script = "echo a >/dev/stdout; echo b >/dev/stderr"
    options: StartOptions = {**way, "user": "nobody", "cwd": "/"}
    run = tailrace.connect().start(["sh", "-c", script], **options)
    assert sorted(b"".join(chunk.data for chunk in run.follow()).split()) == [b"a", b"b"]
    after = Path(os.devnull).stat()
    assert (after.st_uid, after.st_mode) == (null.st_uid, null.st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.other_platform
def test_it_can_be_stopped(state_dir: object) -> None:
    """By those who started it, though it is somebody else's."""
    assert state_dir
    run = tailrace.connect().start(["sh", "-c", "sleep 1000 & exec sleep 1000"], user="nobody", cwd="/")
    run.stop()
    assert str(run.wait().outcome).startswith("Stopped")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.other_platform
def test_what_it_may_not_see(state_dir: Path) -> None:
    """The state directory and the runs' own are their owner's alone; files that it makes are as usual."""
    engine = tailrace.connect()
    other = engine.start(["echo", "private"])
    other.wait()
    script = 'umask; cat "$0/runs/$1/output"; ls "$0"; ls "$0/runs/$1"'
    run = engine.start(["sh", "-c", script, str(state_dir), other.id], user="nobody", cwd="/", merge=True)
    text = b"".join(chunk.data for chunk in run.follow()).decode()
    assert text.startswith("0022\n")
    assert "private" not in text
    assert text.count("Permission denied") == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.other_platform
def test_it_has_a_control_group_as_others_have(state_dir: object) -> None:
    """One of the run's own, where such can be made."""
    assert state_dir
    engine = tailrace.connect()
    seen = set()
    for more in ({}, {"user": "nobody"}):
        run = engine.start(["cat", "/proc/self/cgroup"], cwd="/", **more)  # type: ignore[arg-type]  # a name
        text = b"".join(chunk.data for chunk in run.follow()).decode()
        seen.add(re.sub("tailrace-[0-9a-f]+", "tailrace-ID", text))
    assert len(seen) == 1


@pytest.mark.parametrize("user", ["no-such-user-here", 4_000_000, -1, True, 1.5])
def test_a_user_that_is_not_there(state_dir: object, user: object) -> None:
    """It is refused before anything is made."""
    assert state_dir
    with pytest.raises(InvalidInput):
        tailrace.connect().start(["true"], user=user)  # type: ignore[arg-type]  # what it must not be
