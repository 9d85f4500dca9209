"""A server of our own and a browser, for as long as something is measured; and what a page tells of its time."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.serving import state_dir
from tests.support.page import DEADLINE_MS, FLAGS
from tests.system.server.serving import Serving

NOTES = """(() => {
  const texts = () => [...document.querySelectorAll(".log-row:not(.is-absent)")].map(
    row => [row.querySelector(".log-number").textContent, row.querySelector(".log-text").textContent]);
  const when = isThere => new Promise(done => {
    const look = () => {
      const found = texts().find(isThere);
      if (!found) return requestAnimationFrame(look);
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done([performance.now(), found[1]]);
      channel.port2.postMessage(null); // behind the frame that shows it
    };
    requestAnimationFrame(look);
  });
  window.whenRows = when(([, text]) => text !== "");
  window.whenText = part => when(([, text]) => text.includes(part));
  window.whenLine = number => when(([shown]) => shown === String(number));
  window.pressedAt = 0;
  addEventListener("keydown", event => { if (event.key === "Enter") window.pressedAt = event.timeStamp; }, true);
})()"""
"""what is waited for is looked for in each frame; the time is taken behind the frame that shows it"""


class Opened:
    """A server with commands, on a disk, and a browser."""

    def __init__(self, serving: Serving, browser: Browser, state: Path) -> None:
        self.serving, self.state = serving, state
        self._browser = browser

    @contextmanager
    def page(self, path: str) -> Iterator[Page]:
        """Give a page of a context of its own, with nothing in its cache, on its way to the address."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(DEADLINE_MS)
        page = context.new_page()
        page.add_init_script(NOTES)
        page.goto(f"{self.serving.address}{path}", wait_until="commit")
        try:
            yield page
        finally:
            context.close()

    def output(self, run_id: str) -> Path:
        """Return the file with a run's output."""
        return self.state / "runs" / run_id / "output"


@contextmanager
def opened(place: Path, name: str, programs: Mapping[str, str]) -> Iterator[Opened]:
    """Serve programs as commands of their names, and have a browser."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed"
    directory = place / f"page-{name}"
    directory.mkdir()
    text = "".join(_declared(directory, each, program) for each, program in programs.items())
    with ExitStack() as stack:
        state = stack.enter_context(state_dir(place, f"s-{name}"))
        env = {**os.environ, "TAILRACE_STATE": str(state)}
        serving = stack.enter_context(
            closing(Serving(directory, f'[server]\nauth = "none"\n{text}', "--port", "0", env=env))
        )
        driver = stack.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=chromium, args=[*FLAGS], timeout=DEADLINE_MS)
        stack.callback(browser.close)
        yield Opened(serving, browser, state)


def version() -> str:
    """Return which browser it is."""
    told = subprocess.run(["chromium", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return " ".join(told.split()[:2])


def _declared(directory: Path, name: str, program: str) -> str:
    path = directory / f"{name}.py"
    path.write_text(program)
    return f'[commands.{name}]\nargv = ["{sys.executable}", "{path}"]\nmax_output = "100GiB"\n'
