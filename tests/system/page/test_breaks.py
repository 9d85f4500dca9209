"""A server that is killed, a network that is cut, a tab that sleeps: afterwards the page has what the file has."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.logview import LogView, lines_of
from tests.support.relay import Relay
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

STEADY = """
import pathlib, sys, time
stop = pathlib.Path(sys.argv[1])
number = 0
while not stop.exists():
    number += 1
    stream = sys.stderr if number % 7 == 0 else sys.stdout
    bar = f"\\x1b[3{number % 8}m{'=' * (number % 60)}\\x1b[0m"
    stream.write(f"{number} \\u20ac {bar}" + ("\\n" if number % 5 else " go on\\n"))
    stream.flush()
    time.sleep(0.002)
"""
"""prints until a file is there"""
SHARED = ("shared", "alone")
"""whether the tab's connection is held by a SharedWorker, or by itself"""


class Steady:
    """A run that prints all the time, and a page that watches it."""

    def __init__(self, serve: Serve, state_dir: Path, tmp_path: Path) -> None:
        self._serve, self._stop, self._state = serve, tmp_path / "stop", state_dir
        program = tmp_path / "steady.py"
        program.write_text(STEADY)
        self._text = f'[commands.steady]\nargv = ["{sys.executable}", "{program}", "{self._stop}"]'
        self.serving = serve(self._text)
        self.run_id = self.serving.start("steady")

    def serve_again(self) -> Serving:
        """Serve at the port where the one before was."""
        return self._serve(self._text, "--port", str(self.serving.port))

    def size(self) -> int:
        """Return how much has been printed."""
        return self._output.stat().st_size

    def grow(self, more: int = 20_000) -> None:
        """Wait until that much more has been printed."""
        before = self.size()
        wait_for(lambda: self.size() > before + more, 60)

    def end(self) -> None:
        """Have it end."""
        self._stop.touch()
        wait_for(lambda: tailrace.connect().get(self.run_id).is_finished, 60)

    def lines(self) -> list[str]:
        """Return what is to be seen: without the colours."""
        return [_bare(line) for line in lines_of(self._output)]

    @property
    def _output(self) -> Path:
        return self._state / "runs" / self.run_id / "output"


def _bare(line: str) -> str:
    while "\x1b[" in line:
        before, _, behind = line.partition("\x1b[")
        line = before + behind.partition("m")[2]
    return line


@pytest.fixture
def steady(serve: Serve, state_dir: Path, tmp_path: Path) -> Steady:
    """Give a run that goes, and its server."""
    return Steady(serve, state_dir, tmp_path)


@pytest.fixture(params=SHARED)
def connected(request: pytest.FixtureRequest, page: Page) -> Page:
    """Give a page with each way to be connected."""
    if request.param == "alone":
        page.add_init_script("delete window.SharedWorker")
    return page


def _is_watched(page: Page, steady: Steady, size: int) -> bool:
    """Tell whether lines behind this place are in sight."""
    shown = LogView(page).shown()
    return bool(shown) and sum(len(line) + 1 for line in steady.lines()[: max(shown)]) > size


def _assert_all_is_there(page: Page, steady: Steady) -> None:
    """The text on the page equals the file's: no repeat, no gap, neither in what is copied nor in any row."""
    steady.end()
    expect(page.locator(".head .state")).to_have_text("exited 0")
    page.set_viewport_size({"width": 1000, "height": 2400})  # the fewer pages there are to go through
    log, lines = LogView(page), steady.lines()
    log.when_shown(len(lines))
    assert log.copied() == "\n".join(lines)
    assert log.all_lines() == dict(enumerate(lines, 1))
    assert not log.gaps()


def _watched(page: Page, address: str, steady: Steady) -> None:
    page.goto(f"{address}runs/{steady.run_id}")
    LogView(page)
    steady.grow()


def test_a_killed_server_is_resumed_from(steady: Steady, connected: Page, watch_loosely: None) -> None:
    """By SIGKILL, and another one at its port; what was printed in between comes too."""
    assert watch_loosely is None
    _watched(connected, steady.serving.address, steady)
    steady.serving.process.kill()
    steady.serving.process.wait()
    expect(connected.get_by_text("Connection lost")).to_be_visible()
    steady.grow()
    steady.serve_again()
    expect(connected.get_by_text("Connection lost")).not_to_be_visible()
    steady.grow()
    _assert_all_is_there(connected, steady)


def test_a_cut_network_is_resumed_from(steady: Steady, connected: Page, watch_loosely: None) -> None:
    """Connections are reset in the middle, again and again, and held up in between."""
    assert watch_loosely is None
    with Relay(steady.serving.port) as relay:
        _watched(connected, f"http://127.0.0.1:{relay.port}/", steady)
        for _ in range(3):
            relay.hold()
            steady.grow()
            relay.cut()
            steady.grow(5000)
            relay.flow()
            steady.grow()
        _assert_all_is_there(connected, steady)


def test_a_browser_without_network_is_resumed_from(steady: Steady, page: Page, watch_loosely: None) -> None:
    """As in a train: it is offline for a while, and told when it is not any more."""
    assert watch_loosely is None
    page.add_init_script("delete window.SharedWorker")  # a worker's network is not the page's to switch off
    _watched(page, steady.serving.address, steady)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    how = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {"offline": True, **how})
    steady.grow()
    session.send("Network.emulateNetworkConditions", {"offline": False, **how})
    steady.grow()
    _assert_all_is_there(page, steady)


def test_a_tab_that_sleeps_is_resumed_from(steady: Steady, connected: Page, watch_loosely: None) -> None:
    """Frozen, while more comes than is kept for it anywhere; then awake."""
    assert watch_loosely is None
    _watched(connected, steady.serving.address, steady)
    session = connected.context.new_cdp_session(connected)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    steady.grow(100_000)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    steady.grow()
    _assert_all_is_there(connected, steady)


def test_what_is_seen_goes_on_by_itself(steady: Steady, connected: Page, watch_loosely: None) -> None:
    """After the network was away, without anybody touching anything."""
    assert watch_loosely is None
    with Relay(steady.serving.port) as relay:
        _watched(connected, f"http://127.0.0.1:{relay.port}/", steady)
        relay.cut()
        size = steady.size()
        wait_for(lambda: _is_watched(connected, steady, size), 60)
        _assert_all_is_there(connected, steady)
