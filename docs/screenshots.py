"""Take pictures of the pages: `python docs/screenshots.py DIRECTORY`, from the repository's root, with the `dev` extra.

Of each page at each width, light and dark: over the demonstration's own commands, and of a server before a team. Those
that `KEPT` names go into `docs/_static/` as well, where the documentation shows them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

EVERYWHERE = ("home", "run", "terminal")
"""kept at each width, light and dark; of the others, what is named"""
KEPT = (
    "search-1024-light", "several-1920-dark", "several-390-light", "login-390-dark", "login-1024-light",
    "form-390-dark", "form-1024-light", "share-1024-light", "share-1920-dark",
)  # fmt: skip
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
PASSWORD = "a long password"  # noqa: S105  of a server that lives for some seconds
TEAM = """\
[server]
auth = "users"
port = 0

[commands.deploy]
title = "Deploy"
description = "Bring a version to where it is used."
argv = ["sh", "-c", 'for step in fetch check copy restart; do echo "$1: $step"; done', "deploy", "{to}", "{version}"]

[commands.deploy.parameters.version]
type = "text"
title = "Version"
pattern = '\\d+\\.\\d+'
example = "4.2"
help = "As it is tagged."

[commands.deploy.parameters.to]
type = "choice"
title = "Where to"
choices = ["staging", "production"]

[commands.deploy.parameters.token]
type = "secret"
title = "Token"
variable = "DEPLOY_TOKEN"
help = "Of the registry. It is shown nowhere."
"""


@contextmanager
def _demo() -> Iterator[str]:
    argv = [sys.executable, "-m", "tailrace", "demo", "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline() if process.stdout else ""
        try:
            yield said.split()[-1]
        finally:
            process.terminate()


@contextmanager
def _team(place: Path) -> Iterator[str]:
    """Serve before a team of one."""
    (place / "tailrace.toml").write_text(TEAM)
    tailrace = [sys.executable, "-m", "tailrace"]
    env = {**os.environ, "TAILRACE_STATE": str(place / "state")}
    add = [*tailrace, "user", "add", "ann", "--role", "operator", "--config", "tailrace.toml"]
    subprocess.run(add, cwd=place, env=env, input=f"{PASSWORD}\n", text=True, stdout=subprocess.DEVNULL, check=True)
    with subprocess.Popen([*tailrace, "serve"], cwd=place, env=env, stdout=subprocess.PIPE, text=True) as process:
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


class _TeamPictures:
    """The pages of a server that asks who comes; the login's come last: it slows down whoever fails."""

    def __init__(self, page: Page, address: str) -> None:
        self._page, self._address = page, address

    def login(self) -> None:
        """Who was not let in."""
        if self._page.get_by_role("alert").is_visible():
            return
        self._page.context.clear_cookies()
        self._page.goto(self._address)
        self._come_in("nobody's password")
        self._page.get_by_role("alert").wait_for()

    def form(self) -> None:
        """What does not fit, at its place."""
        self._open_form("four")
        self._page.locator(".error, [aria-invalid=true]").first.wait_for()

    def share(self) -> None:
        """A link to a run."""
        self._open_form("4.2")
        self._page.get_by_text("restart").first.wait_for()
        self._page.get_by_role("button", name="Share").click()
        self._page.get_by_role("button", name="Make a link").click()
        self._page.locator(".link").first.wait_for()

    def _open_form(self, version: str) -> None:
        self._page.goto(f"{self._address}commands/deploy")
        if self._page.get_by_label("Password").is_visible():
            self._come_in(PASSWORD)
        self._page.get_by_label("Version").fill(version)
        self._page.get_by_label("Where to").select_option("staging")
        self._page.get_by_label("Token").fill("glpat-1234567")
        self._page.get_by_role("button", name="Start").click()

    def _come_in(self, password: str) -> None:
        self._page.get_by_label("User").fill("ann")
        self._page.get_by_label("Password").fill(password)
        self._page.get_by_role("button", name="Log in").click()


def main() -> None:
    """Take them all."""
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS])
        _take_demo(browser.new_context(reduced_motion="reduce").new_page(), place)
        _take_team(browser.new_context(reduced_motion="reduce").new_page(), place)
        browser.close()
    STATIC.mkdir(exist_ok=True)
    everywhere = [f"{name}-{width}-{scheme}" for name in EVERYWHERE for width in HEIGHTS for scheme in SCHEMES]
    for name in (*everywhere, *KEPT):
        shutil.copyfile(place / f"{name}.png", STATIC / f"{name}.png")


def _take_demo(page: Page, place: Path) -> None:
    with _demo() as address:
        runs = {name: _started(page, address, name, form) for name, form in STARTS.items()}
        page.goto(f"{address}runs/{runs['greet']}")
        page.locator(".head .state", has_text="exited").wait_for()
        pictures = _Pictures(page, address, runs)
        for name in ("home", "run", "colours", "search", "terminal", "several"):
            _take(page, place, name, getattr(pictures, name))


def _take_team(page: Page, place: Path) -> None:
    with TemporaryDirectory() as home, _team(Path(home)) as address:
        pictures = _TeamPictures(page, address)
        for name in ("form", "share", "login"):
            _take(page, place, name, getattr(pictures, name))


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
