import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol
from urllib.error import URLError

import msgspec
import pytest

from tailrace.cli.catalogue import commands
from tailrace.core.command import Command
from tests.support.cleanup import end_everything, find_processes
from tests.support.wait import wait_for

Demo = subprocess.Popen[str]


class Begin(Protocol):
    """What starts a demonstration with these options."""

    def __call__(self, *flags: str) -> Demo:
        """Start it."""


_RUN = msgspec.json.Decoder(dict[str, object])
GOING = ("ask", "silent", "stubborn")
"""that are still going when the demonstration is ended"""


@pytest.fixture
def temporary(state_dir: Path) -> Iterator[Path]:
    """Give a directory for temporary files; whatever is left in it ends with the test."""
    yield state_dir
    for left in state_dir.glob("tailrace-demo-*"):
        end_everything(left)


@pytest.fixture
def demo(temporary: Path) -> Iterator[Begin]:
    """Give what starts a demonstration; it ends with the test."""
    with ExitStack() as stack:

        def begin(*flags: str) -> Demo:
            argv = [sys.executable, "-m", "tailrace", "demo", *(flags or ("--port", "0"))]
            env = {**os.environ, "TMPDIR": str(temporary)}
            process = stack.enter_context(
                subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            )
            stack.callback(process.kill)
            return process

        yield begin


def _address(process: Demo) -> str:
    """Return where it serves, once it does."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found is not None, line + process.stdout.read()
    return found[0]


def _start(address: str, name: str) -> str:
    request = urllib.request.Request(f"{address}api/commands/{name}/runs", method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return str(_RUN.decode(response.read())["id"])


def _run(address: str, run_id: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{address}api/runs/{run_id}", timeout=60) as response:  # noqa: S310
        return _RUN.decode(response.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left(demo: Begin, temporary: Path, number: signal.Signals) -> None:
    """Neither runs, whatever they ignore, nor their runner, nor a file; a second signal does not cut that short."""
    process = demo()
    address = _address(process)
    ids = [_start(address, name) for name in GOING]
    wait_for(lambda: all(_run(address, run_id)["state"] == "running" for run_id in ids))
    [home] = temporary.glob("tailrace-demo-*")
    assert home.stat().st_mode & 0o077 == 0
    process.send_signal(number)
    wait_for(lambda: not _is_served(address))
    process.send_signal(number)
    assert process.wait(60) == 0
    assert not home.exists()
    wait_for(lambda: not find_processes(home))


def test_the_next_one_removes_what_a_killed_one_left(demo: Begin, temporary: Path) -> None:
    """And leaves alone those that live, and what only looks like one."""
    killed, living = demo(), demo()
    addresses = [_address(killed), _address(living)]
    for address in addresses:
        _start(address, "stubborn")
    homes = {home: bool(find_processes(home / "state")) for home in temporary.glob("tailrace-demo-*")}
    other = temporary / "tailrace-demo-other"
    other.mkdir(mode=0o755)
    (other / "demo.lock").touch()
    killed.kill()
    killed.wait()
    _address(demo())
    assert all(homes.values())
    assert other.is_dir()
    assert _is_served(addresses[1])
    left = [home for home in homes if home.exists()]
    assert len(left) == 1
    gone = next(home for home in homes if home not in left)
    wait_for(lambda: not find_processes(gone))


def test_the_next_free_port(demo: Begin) -> None:
    """Two can be there at the same time; a port that was asked for is taken, or told to be in use."""
    first = _address(demo("--port", "0"))
    again = demo("--port", first.rpartition(":")[2].rstrip("/"))
    assert again.stdout is not None
    assert "address already in use" in again.stdout.read()
    assert again.wait(60) == 2


@pytest.mark.parametrize("command", commands().values(), ids=lambda command: command.name)
def test_each_command_does_what_it_says(command: Command, demo: Begin) -> None:
    """It starts with its defaults, and ends as it should, or goes on until it is stopped."""
    address = _address(demo())
    run_id = _start(address, command.name)
    expected: dict[str, object] = {
        "fail": {"kind": "exited", "code": 3},
        "flood": {"kind": "output_limit"},
    }
    if command.name in ("count", *GOING):
        wait_for(lambda: _run(address, run_id)["state"] == "running")
        return
    wait_for(lambda: _run(address, run_id)["outcome"], 60)
    assert _run(address, run_id)["outcome"] == expected.get(command.name, {"kind": "exited", "code": 0})


def _is_served(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}healthz", timeout=60):  # noqa: S310
            return True
    except (URLError, ConnectionError):
        return False
