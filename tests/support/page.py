"""Pages in Chromium, by Playwright, for tests that look at them as people do.

The browser is that of the system, one for each file of tests: while Playwright is at work, its thread has an event
loop, and other files' tests want their own. Each test has a context of its own, and fails if a page of it

- writes an error to the console, as Chromium does for whatever the content security policy forbids;
- raises an exception that nobody catches;
- asks for something that is not of the origin that the test has named.

What belongs to a test is forgiven by it: `watch.forgive("Failed to load resource")`. Of a test that fails there is a
picture of each page and a trace (`playwright show-trace`) in its temporary directory, which the failure names.
"""

import re
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

DEADLINE_MS = 90_000
"""for what a browser does on a busy machine"""
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OWN_SCHEMES = ("data", "blob", "about")
"""of addresses that ask nobody"""

_failed = pytest.StashKey[bool]()
expect.set_options(timeout=DEADLINE_MS)


class Watch:
    """What has gone wrong on the pages of a test."""

    def __init__(self, context: BrowserContext) -> None:
        self.asked: list[str] = []
        """every address that was asked for"""
        self._faults: list[str] = []
        self._forgiven: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._faults.append(f"exception: {error.error}"))
        context.on("request", self._note)

    def forgive(self, pattern: str) -> None:
        """Let pass what the test does on purpose."""
        self._forgiven.append(pattern)

    def faults(self) -> list[str]:
        """Return what is not forgiven."""
        origins = {urlsplit(url)[:2] for url in self.asked[:1]}
        strays = [
            f"asked elsewhere: {url}"
            for url in self.asked
            if urlsplit(url).scheme not in OWN_SCHEMES and urlsplit(url)[:2] not in origins
        ]
        found = [*self._faults, *strays]
        return [fault for fault in found if not any(re.search(pattern, fault) for pattern in self._forgiven)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location
            self._faults.append(f"console: {message.text} ({where['url']}:{where['lineNumber']})")

    def _note(self, request: Request) -> None:
        self.asked.append(request.url)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note for the fixtures whether the test has failed."""
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Give Playwright, whose driver runs while the tests of a file do."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Give the browser, without a screen."""
    path = shutil.which("chromium")
    assert path is not None, "chromium is not installed: see CONTRIBUTING.md"
    browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS], timeout=DEADLINE_MS)
    yield browser
    browser.close()


@pytest.fixture
def context(chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrowserContext]:
    """Give a context of this test's own: nothing is left of others in it.

    `@pytest.mark.browser(java_script_enabled=False, …)` says what it is like, as Playwright's `new_context` takes it.
    """
    marker = request.node.get_closest_marker("browser")
    options = {} if marker is None else dict(marker.kwargs)
    context = chromium.new_context(**options)
    context.set_default_timeout(DEADLINE_MS)
    context.tracing.start(snapshots=True)
    try:
        yield context
    finally:
        if request.node.stash.get(_failed, True):
            _keep(context, tmp_path)
        else:
            context.tracing.stop()
        context.close()


@pytest.fixture
def watch(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Watch]:
    """Give what watches over the pages, and fails the test in the end if something was wrong."""
    watch = Watch(context)
    yield watch
    faults = watch.faults()
    request.node.stash[_failed] = request.node.stash.get(_failed, True) or bool(faults)
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    """Give an empty page, which is watched."""
    assert not watch.asked
    return context.new_page()


def assert_accessible(page: Page, *, without: tuple[str, ...] = ()) -> None:
    """Have axe look at the page as it is now, and see that it finds nothing.

    Args:
        page: in a state that people see.
        without: rules that are not looked at; whoever leaves one out says why.
    """
    assert AXE.is_file(), f"{AXE} is missing: run `npm ci` in frontend/"
    page.evaluate(AXE.read_text())  # by the debugger's protocol, which the page's policy does not bind
    rules = {rule: {"enabled": False} for rule in without}
    found = page.evaluate(
        """async options => (await axe.run(document, options)).violations.flatMap(rule => rule.nodes.map(
               node => `${rule.id} (${rule.impact}): ${node.target.join(" ")}\n  ${node.failureSummary}`))""",
        {"runOnly": {"type": "tag", "values": [*AXE_TAGS]}, "resultTypes": ["violations"], "rules": rules},
    )
    assert not found, "\n".join(found)


def is_within_its_width(page: Page) -> bool:
    """Tell whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def _keep(context: BrowserContext, directory: Path) -> None:
    """Keep what the pages of a failed test look like."""
    for number, page in enumerate(context.pages):
        page.screenshot(path=directory / f"page-{number}.png")
    context.tracing.stop(path=directory / "trace.zip")
    print(f"pictures and a trace: {directory}")  # noqa: T201  pytest shows it with the failure
