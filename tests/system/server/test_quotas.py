"""Limits of a served file: 429 with when to try again, counted by all workers and by the command line together."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import tailrace
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Answer

LOAD = """
import os, resource
from tailrace.config.load import load
from tailrace.core.errors import InvalidValues
load(None)
resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
if os.geteuid() == 0:
    os.setuid(65534)
try:
    load("/proc/self/fd/0")
except InvalidValues as error:
    print(*(fault.subject for fault in error.faults), sep="\\n")
"""
"""of somebody who may not open more than 500 files"""
DOCUMENT = msgspec.json.Decoder(dict[str, object])
START = "/api/commands/wait/runs"


def problem(answer: Answer) -> dict[str, object]:
    """Return what a refusal says."""
    assert answer.headers["content-type"] == "application/problem+json"
    return DOCUMENT.decode(answer.body)


@pytest.mark.parametrize("table", ["limits", "limits.user"])
def test_one_run_too_many(serve: Serve, table: str) -> None:
    """It is said what was exceeded and when to try again; nothing is left of it. With room again it is started."""
    serving = serve(f"workers = 2\n[{table}]\nmax_running = 1\nmax_queued = 1")
    runs = [serving.start("wait") for _ in range(2)]
    refused = serving.post(START)
    assert refused.status == 429
    said = problem(refused)
    assert (said["limit"], said["retry_after"]) == ("max_queued", 10)
    assert refused.headers["retry-after"] == "10"
    assert "try again in 10 s" in str(said["hint"])
    assert {info.id for info in tailrace.connect().list(tailrace.Query()).runs} == set(runs)
    assert serving.ask(f"/api/runs/{runs[0]}/stop", "POST").status < 300
    wait_for(lambda: serving.post(START).status == 201)


def test_too_many_starts_a_minute(serve: Serve) -> None:
    """Of the user who asks; the time to wait is within the minute."""
    serving = serve("[limits.user]\nmax_starts_per_minute = 1")
    serving.start("count")
    refused = serving.post("/api/commands/count/runs")
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert problem(refused)["limit"] == "max_starts_per_minute"
    assert serving.post("/api/commands/count/runs", headers={"Accept": "text/plain"}).status == 429


def test_the_command_line_is_told(serve: Serve) -> None:
    """Asked to run a server's command, it exits with 75, and says what the server said."""
    serving = serve("[limits]\nmax_running = 1\nmax_queued = 0")
    serving.start("wait")
    command = [sys.executable, "-m", "tailrace", "run", "--on", serving.address, "count"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (75, "")
    assert "only 1 run of all here may go at a time" in done.stderr


def test_what_a_run_may_use_is_in_the_file(serve: Serve) -> None:
    """A limit of `[limits]` holds for every command; the run says which limit ended it."""
    two = "[commands.two]\nargv = ['sh', '-c', 'sleep 600 & sleep 600']"
    serving = serve(f"[limits]\nmax_processes = 1\n{two}")
    path = f"/api/runs/{serving.start('two')}"
    wait_for(lambda: DOCUMENT.decode(serving.ask(path).body)["state"] == "finished")
    info = DOCUMENT.decode(serving.ask(path).body)
    assert info["limit"] == "processes"
    assert info["outcome"] == {"kind": "stopped", "by": "limit: processes", "limit": "processes"}


def test_a_wish_is_a_mistake(tmp_path: Path) -> None:
    """What this host cannot enforce is told with its line, and nothing is served."""
    file = tmp_path / "tailrace.toml"
    file.write_text("[commands.a]\nargv = ['true']\nmax_open_files = 600\n[limits]\nmax_open_files = 700\n")
    with file.open() as text:
        done = subprocess.run(
            [sys.executable, "-c", LOAD], check=False, capture_output=True, text=True, timeout=60, stdin=text
        )
    assert done.stderr == ""
    assert [line.partition(":")[2] for line in done.stdout.splitlines()] == [
        "3: commands.a.max_open_files",
        "5: limits.max_open_files",
    ]


def test_check_says_how(tmp_path: Path) -> None:
    """Of the limits that the file asks for, and of no others."""
    file = tmp_path / "tailrace.toml"
    file.write_text("[commands.a]\nargv = ['true']\nmax_memory = '100M'\n[limits]\nmax_open_files = 100\n")
    done = subprocess.run(
        [sys.executable, "-m", "tailrace", "check", str(file)], check=True, capture_output=True, text=True, timeout=60
    )
    told = done.stdout.partition("limits, as this host enforces them\n")[2]
    assert [line.partition(":")[0].strip() for line in told.splitlines()] == ["max_memory", "max_open_files"]
    file.write_text("[commands.a]\nargv = ['true']\n")
    done = subprocess.run(
        [sys.executable, "-m", "tailrace", "check", str(file)], check=True, capture_output=True, text=True, timeout=60
    )
    assert "limits" not in done.stdout
