"""Take pictures of the pages: `python docs/screenshots.py DIRECTORY`, from the repository's root, with the `dev` extra.

Of each page at each width, light and dark, over the demonstration's own commands. Those that `KEPT` names go into
`docs/_static/` as well, where the documentation shows them.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

KEPT = ("home-1024-light", "run-1024-dark", "search-1024-light", "several-1920-dark", "terminal-390-light")
HEIGHTS = {390: 844, 1024: 720, 1920: 1080}
SCHEMES = ("light", "dark")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
STATIC = Path(__file__).parent / "_static"
STARTS = {
    "count": "n=40",
    "fail": "",
    "colours": "",
    "unicode": "",
    "mixed": "",
    "greet": "name=Ada&times=12",
    "ask": "",
}


@contextmanager
def _demo() -> Iterator[str]:
    argv = [sys.executable, "-m", "tailrace", "demo", "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline() if process.stdout else ""
        try:
            yield said.split()[-1]
        finally:
            process.terminate()


class _Pictures:
    """The pages, each ready to be taken."""

    def __init__(self, page: Page, address: str, runs: dict[str, str]) -> None:
        self._page, self._address, self._runs = page, address, runs

    def home(self) -> None:
        """Commands, and what has run."""
        self._page.goto(self._address)
        self._page.locator(".rows .run").first.wait_for()

    def run(self) -> None:
        """An output with colours, of which some lines are chosen."""
        self._open("mixed")
        self._page.get_by_text("line 20 goes").first.wait_for()

    def colours(self) -> None:
        """All the colours that there are."""
        self._open("colours")
        self._page.get_by_text("true colour").first.wait_for()

    def search(self) -> None:
        """What was found, and where."""
        self._open("mixed")
        self._page.keyboard.press("/")
        self._page.get_by_label("Search the output").fill("stderr")
        self._page.get_by_role("button", name="List").click()
        self._page.locator(".hits li").first.wait_for()

    def terminal(self) -> None:
        """A program that asks."""
        self._open("ask")
        if not self._page.locator(".xterm-rows").is_visible():
            self._page.get_by_role("button", name="Terminal", exact=True).click()
        self._page.locator(".xterm-rows").get_by_text("What is your name").first.wait_for()

    def several(self) -> None:
        """Side by side."""
        chosen = [self._runs[name] for name in ("mixed", "greet", "colours", "fail")]
        self._page.goto(f"{self._address}runs?{'&'.join(f'run={each}' for each in chosen)}")
        self._page.locator(".pane .log-row").first.wait_for()

    def _open(self, name: str) -> None:
        self._page.goto(f"{self._address}runs/{self._runs[name]}")
        self._page.locator(".log-row:not(.is-absent), .xterm-rows").first.wait_for()


def main() -> None:
    """Take them all."""
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    with _demo() as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS])
        context = browser.new_context(reduced_motion="reduce")
        page = context.new_page()
        runs = {name: _started(page, address, name, form) for name, form in STARTS.items()}
        page.goto(f"{address}runs/{runs['greet']}")
        page.locator(".head .state", has_text="exited").wait_for()
        pictures = _Pictures(page, address, runs)
        for name in ("home", "run", "colours", "search", "terminal", "several"):
            _take(page, place, name, getattr(pictures, name))
        browser.close()
    STATIC.mkdir(exist_ok=True)
    for name in KEPT:
        shutil.copyfile(place / f"{name}.png", STATIC / f"{name}.png")


def _started(page: Page, address: str, name: str, form: str) -> str:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = page.request.post(f"{address}api/commands/{name}/runs", data=form, headers=headers)
    return str(answer.json()["id"])


def _take(page: Page, place: Path, name: str, show: Callable[[], None]) -> None:
    for scheme in SCHEMES:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for width, height in HEIGHTS.items():
            page.set_viewport_size({"width": width, "height": height})
            show()
            page.screenshot(path=place / f"{name}-{width}-{scheme}.png")


if __name__ == "__main__":
    main()
