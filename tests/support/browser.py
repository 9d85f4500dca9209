"""Chromium, without a screen."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
)
DEADLINE_S = 90.0
"""for what a browser does on a busy machine"""


@pytest.fixture
def browse(state_dir: Path, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Give what opens a page; the browser, and all its processes, end with the test's state directory."""
    browsers = []
    env = {**os.environ, "TAILRACE_STATE": str(state_dir)}

    def open_page(url: str) -> None:
        command = ["chromium", *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", url]
        with (tmp_path / "chromium.log").open("wb") as log:
            browsers.append(subprocess.Popen(command, env=env, stdout=log, stderr=log))

    yield open_page
    for browser in browsers:
        browser.terminate()
        try:
            browser.wait(20)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
