"""Commands that take too much, at a server: each ends as it should, and nobody else notices.

The programs are bounded themselves (`tests.system.engine.hogs`), so that a limit that fails harms nobody.
"""

import os
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import pytest

from tests.support.wait import wait_for
from tests.system.engine import hogs
from tests.system.server.serving import Serving

OBJECT = msgspec.json.Decoder(dict[str, object])
UNSHARE = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
WITHOUT = (*UNSHARE, "sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"', "sh")
KINDS = {"output": "output_limit", "idle": "timed_out"}
NAMES = ("processes", "daemons", "memory of many", "cpu of many", "output", "idle")


def declared(directory: Path) -> str:
    """Return the part of the file that declares some of the hogs."""
    text = '[server]\nauth = "none"\n'
    for name in NAMES:
        hog = hogs.HOGS[name]
        program = directory / f"{command_of(name)}.py"
        program.write_text(hog.program)
        limits = "".join(f"{key} = {value}\n" for key, value in hog.limits.items())
        text += f'[commands.{command_of(name)}]\nargv = ["python3", "{program}"]\n{limits}'
    return text


def command_of(name: str) -> str:
    """Return a name that a command can have."""
    return name.replace(" ", "-")


def info_of(serving: Serving, run_id: str) -> dict[str, object]:
    """Return what is told of a run; whoever asks is answered."""
    answer = serving.ask(f"/api/runs/{run_id}")
    assert answer.status == 200
    return OBJECT.decode(answer.body)


def has_answered(serving: Serving, run_id: str, line: bytes) -> bool:
    """Tell whether the run has printed the line."""
    return line in serving.ask(f"/api/runs/{run_id}/output?follow=0").body


@pytest.mark.parametrize("within", [(), WITHOUT], ids=["as it is", "without cgroups"])
def test_all_at_once(state_dir: Path, tmp_path: Path, within: tuple[str, ...]) -> None:
    """While they go on, requests are answered, and another run takes input and gives output."""
    assert state_dir.is_dir()
    with closing(Serving(tmp_path, declared(tmp_path), "--port", "0", within=within)) as serving:
        beside = serving.start("echo")
        runs = {name: serving.start(command_of(name)) for name in NAMES}
        rounds = 0
        left = dict(runs)
        while left:
            rounds += 1
            serving.type(beside, f"{rounds}\n")
            wait_for(partial(has_answered, serving, beside, f"got {rounds}\n".encode()))
            assert serving.ask("/healthz").status == 200
            left = {name: run for name, run in left.items() if info_of(serving, run)["state"] != "finished"}
        for name, run_id in runs.items():
            info = info_of(serving, run_id)
            kind = cast("dict[str, object]", info["outcome"])["kind"]
            assert (info["limit"], kind) == (hogs.HOGS[name].limit, KINDS.get(name, "stopped")), (name, info)
        wait_for(lambda: not any(map(hogs.left_of, runs.values())))
        assert info_of(serving, beside)["state"] == "running"
