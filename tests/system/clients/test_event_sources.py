"""EventSource as npm, Chromium and `httpx-sse` have it: a run over a killed server and a new one, to its end."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import msgspec
import pytest
from httpx_sse import ServerSentEvent, connect_sse

from tests.support.browser import DEADLINE_S
from tests.support.wait import wait_for
from tests.system.clients.conftest import AFTER, BEFORE, Halves, Serve, output_of
from tests.system.web.server import Server

NODE = Path(__file__).with_name("node")
PAGE = """<!doctype html><meta charset=utf-8><script>
const seen = []
let ends = 0, reports = 0
const source = new EventSource("URL")
const report = () => fetch("/report", {
  method: "POST",
  body: JSON.stringify({number: reports++, seen, ends, state: source.readyState}),
})
source.onmessage = (event) => { seen.push(event.data + "\\n"); report() }
source.addEventListener("output", (event) => { seen.push(JSON.parse(event.data).text); report() })
source.addEventListener("end", () => { ends += 1; report() })
source.onerror = report
</script>"""
CLOSED = 2
"""EventSource.readyState"""
each_wire = pytest.mark.parametrize("wire", ["lines", "sse"])
each_way = pytest.mark.parametrize(("wire", "number"), [("lines", signal.SIGKILL), ("sse", signal.SIGTERM)])


def end(server: Server, number: int) -> None:
    """Have the server end."""
    os.kill(server.process.pid, number)
    server.process.wait(60)


# npm


class Told(msgspec.Struct):
    """What the client in node has told in one line."""

    text: str = ""
    id: str | None = None
    end: bool = False
    state: int | None = None
    code: int | None = None


TOLD = msgspec.json.Decoder(Told)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory with the script and the packages that it needs, as the lock file has them."""
    place = tmp_path_factory.mktemp("clients") / "node"
    shutil.copytree(NODE, place, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    return place


class Node:
    """EventSource of npm, in a process of its own."""

    def __init__(self, packages: Path, url: str, report: Path) -> None:
        self._report = report
        with report.open("wb") as out:
            self.process = subprocess.Popen(["node", packages / "follow.js", url], stdout=out)

    def told(self) -> list[Told]:
        """Return what it has told."""
        return [TOLD.decode(line) for line in self._report.read_bytes().split(b"\n")[:-1]]

    def text(self) -> bytes:
        """Return the output that it has seen."""
        return "".join(told.text for told in self.told()).encode()

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


@each_way
def test_of_npm(server: Server, halves: Halves, packages: Path, tmp_path: Path, *, wire: str, number: int) -> None:
    """Each byte once, over the server's end and its return; it stops by itself when the run has ended."""
    with closing(Node(packages, output_of(server, halves.run, wire), tmp_path / "told")) as node:
        wait_for(lambda: node.text() == BEFORE)
        end(server, number)
        halves.go_on()
        server.restart()
        assert node.process.wait(DEADLINE_S) == 0
        assert node.text() == BEFORE + AFTER
        told = node.told()
    assert sum(row.end for row in told) == 1
    assert (told[-1].state, told[-1].code) == (CLOSED, 204)


def test_of_npm_finished(server: Server, halves: Halves, packages: Path, tmp_path: Path) -> None:
    """A run that has ended is shown from its start, once, to the end."""
    halves.go_on()
    with closing(Node(packages, output_of(server, halves.run, "sse"), tmp_path / "told")) as node:
        assert node.process.wait(DEADLINE_S) == 0
        assert node.text() == BEFORE + AFTER


# Chromium


class Report(msgspec.Struct):
    """What the page has seen."""

    number: int
    seen: list[str]
    ends: int
    state: int


REPORT = msgspec.json.Decoder(Report)


class Site:
    """Another site than the server: it has the page, and takes its reports."""

    def __init__(self) -> None:
        self.page = ""
        self.last = Report(-1, [], 0, 0)
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(site.page.encode())

            def do_POST(self) -> None:
                report = REPORT.decode(self.rfile.read(int(self.headers["Content-Length"])))
                site.last = max(site.last, report, key=lambda one: one.number)
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def text(self) -> bytes:
        """Return the output that the page has seen."""
        return "".join(self.last.seen).encode()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """Give the other site."""
    with closing(Site()) as site:
        yield site


@each_wire
def test_of_chromium(serve: Serve, halves: Halves, site: Site, browse: Callable[[str], None], wire: str) -> None:
    """On a page of another site, which the settings allow: each byte once, over a kill and a restart, then it stops."""
    server = serve(f"cors_origins = {json.dumps([site.url])}")
    site.page = PAGE.replace("URL", output_of(server, halves.run, wire))
    browse(site.url)
    wait_for(lambda: site.text() == BEFORE, DEADLINE_S)
    server.kill()
    halves.go_on()
    server.restart()
    wait_for(lambda: site.last.state == CLOSED, DEADLINE_S)
    assert site.text() == BEFORE + AFTER
    assert site.last.ends == 1


# httpx-sse


def text_of(event: ServerSentEvent) -> str:
    """Return the output that an event carries."""
    if event.event == "output":
        return str(event.json()["text"])
    return event.data + "\n" if event.event == "message" and event.data else ""


class Httpx:
    """What a program does with `httpx-sse`: it reads, and connects again with the last id."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.text = ""
        self.last_id = ""
        self.ends = 0

    def read(self, until: Callable[[], bool]) -> bool:
        """Read until the condition holds, or the connection breaks; tell whether the server says that it is over."""
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        with (
            httpx.Client(timeout=60, trust_env=False) as client,
            connect_sse(client, "GET", self._url, headers=headers) as stream,
        ):
            if stream.response.status_code == 204:
                return True
            try:
                for event in stream.iter_sse():
                    self.last_id = event.id or self.last_id
                    self.text += text_of(event)
                    self.ends += event.event == "end"
                    if until():
                        break
            except httpx.RemoteProtocolError:
                pass
        return False


@each_way
def test_of_httpx(server: Server, halves: Halves, wire: str, number: int) -> None:
    """Each byte once; 204 when it comes back after the end."""
    viewer = Httpx(output_of(server, halves.run, wire))
    reading = threading.Thread(target=partial(viewer.read, lambda: False))
    reading.start()
    wait_for(lambda: viewer.text.encode() == BEFORE)
    end(server, number)
    reading.join(60)
    halves.go_on()
    server.restart()
    assert not viewer.read(lambda: False)
    assert viewer.text.encode() == BEFORE + AFTER
    assert viewer.ends == 1
    assert viewer.read(lambda: True)
