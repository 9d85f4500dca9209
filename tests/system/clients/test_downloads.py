"""curl and wget: a text that comes as it is printed, is resumed, and never looks whole when it is not."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tailrace import Engine
from tests.support.wait import wait_for
from tests.system.clients.conftest import AFTER, BEFORE, Halves, output_of
from tests.system.web.server import Server

CURL = ("curl", "--silent", "--show-error", "--no-buffer", "--noproxy", "*")
WGET = ("wget", "--no-verbose", "--no-proxy", "--tries=1", "--continue")
PARTIAL_FILE, RESET = 18, 56
"""curl: the transfer ended before its end, which chunks show; or the connection was reset, where there are none"""
DONE = 0


class Start(Protocol):
    """Starts a client."""

    def __call__(self, *command: str) -> "subprocess.Popen[bytes]":
        """Return it; it ends with the test."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give what starts a client in the test's directory; it ends with the test."""
    with ExitStack() as stack:

        def started(*command: str) -> "subprocess.Popen[bytes]":
            client = stack.enter_context(
                subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            )
            stack.callback(client.kill)
            return client

        yield started


def done(*command: str, cwd: Path) -> "subprocess.CompletedProcess[bytes]":
    """Run a client to its end, and return what it said."""
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=60, check=False)


def has(file: Path, data: bytes) -> bool:
    """Tell whether the file has just this."""
    return file.exists() and file.read_bytes() == data


# curl


def test_curl_shows_each_line_when_it_is_printed(server: Server, engine: Engine, start: Start) -> None:
    """Each comes before the next is printed; the end of the run is the end of the transfer."""
    run = engine.start(["cat"], stdin=True)
    curl = start(*CURL, output_of(server, run, "text"))
    assert curl.stdout is not None
    for line in (b"one\n", b"\xff\x00 two\r\n", b"three\n"):
        run.send(line)
        assert curl.stdout.readline() == line
    run.send(b"no end")
    run.close_input()
    assert curl.stdout.read() == b"no end"
    assert curl.wait(60) == DONE


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_curl_is_not_fooled_by_a_server_that_ends(
    server: Server, halves: Halves, start: Start, tmp_path: Path, *, version: str, number: int
) -> None:
    """It fails; what it has is the beginning of the output, and with `-C -` it gets the rest from the next server."""
    url = output_of(server, halves.run, "text")
    fetch = (*CURL, version, "--continue-at", "-", "--output", "file", url)
    curl = start(*fetch)
    wait_for(lambda: has(tmp_path / "file", BEFORE))
    os.kill(server.process.pid, number)
    assert curl.wait(60) == (RESET if version == "--http1.0" else PARTIAL_FILE)
    server.process.wait(60)
    server.restart()
    live = done(*fetch, cwd=tmp_path)
    assert b"416" in live.stderr or live.returncode == DONE, "nothing more is there, and that is not an end"
    halves.go_on()
    assert done(*fetch, cwd=tmp_path).returncode == DONE
    assert (tmp_path / "file").read_bytes() == BEFORE + AFTER


def test_curl_asks_for_heads_and_parts(server: Server, halves: Halves, tmp_path: Path) -> None:
    """Of a live run and of a finished one, and again of the latter from a new server."""
    url = output_of(server, halves.run, "text")
    head = (*CURL, "--head", url)
    part = (*CURL, "--range", "48-55", url)
    beyond = (*CURL, "--output", "none", "--write-out", "%{http_code}", "--range", "1000-", url)
    live = done(*head, cwd=tmp_path).stdout.lower()
    assert live.startswith(b"http/1.1 200")
    assert b"accept-ranges: bytes" in live
    assert b"content-length" not in live
    wanted = (BEFORE + AFTER)[48:56]
    assert done(*part, cwd=tmp_path).stdout == wanted
    assert done(*beyond, cwd=tmp_path).stdout == b"416"
    halves.go_on()
    for _ in range(2):
        assert b"content-length: %d\r\n" % len(BEFORE + AFTER) in done(*head, cwd=tmp_path).stdout.lower()
        assert done(*part, cwd=tmp_path).stdout == wanted
        assert done(*beyond, cwd=tmp_path).stdout == b"416"
        assert done(*CURL, url, cwd=tmp_path).stdout == BEFORE + AFTER
        server.kill()
        server.restart()


# wget


def test_wget_goes_on(server: Server, halves: Halves, start: Start, tmp_path: Path) -> None:
    """Cut off in the middle, it fails; with `-c` it takes what a live run has more, then the rest, then says so."""
    url = output_of(server, halves.run, "text")
    fetch = (*WGET, "--output-document=file", url)
    wget = start(*fetch)
    wait_for(lambda: has(tmp_path / "file", BEFORE))
    server.kill()
    assert wget.wait(60) != DONE
    server.restart()
    (tmp_path / "file").write_bytes(BEFORE[:-5])
    assert done(*fetch, cwd=tmp_path).returncode == DONE
    assert (tmp_path / "file").read_bytes() == BEFORE
    halves.go_on()
    assert done(*fetch, cwd=tmp_path).returncode == DONE
    assert (tmp_path / "file").read_bytes() == BEFORE + AFTER
    again = done(*fetch, cwd=tmp_path)
    assert (again.returncode, (tmp_path / "file").read_bytes()) == (DONE, BEFORE + AFTER)


def test_wget_comes_back_by_itself(server: Server, halves: Halves, start: Start, tmp_path: Path) -> None:
    """It tries again when the server is gone, and asks the next one for the rest."""
    url = output_of(server, halves.run, "text")
    retry = ("--tries=0", "--waitretry=1", "--retry-connrefused", "--output-document=file")
    wget = start("wget", "--no-verbose", "--no-proxy", *retry, url)
    wait_for(lambda: has(tmp_path / "file", BEFORE))
    server.kill()
    halves.go_on()
    server.restart()
    assert wget.wait(60) == DONE
    assert (tmp_path / "file").read_bytes() == BEFORE + AFTER
