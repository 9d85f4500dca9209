"""Many tabs of one browser, over HTTP/1.1, which has six connections to a host."""

import re

from playwright.sync_api import Page, expect

from tests.system.server.serving import Serving

TABS = 10


def test_ten_tabs_are_live_by_one_connection(serving: Serving, page: Page) -> None:
    """Each shows new output at once, and all can be used besides."""
    run_ids = [serving.start("echo") for _ in range(TABS)]
    tabs = [page, *(page.context.new_page() for _ in range(TABS - 1))]
    for tab, run_id in zip(tabs, run_ids, strict=True):
        tab.goto(f"{serving.address}runs/{run_id}")
        expect(tab.locator(".head .state")).to_have_text("running")
    for words in ("one", "two", "three"):
        for run_id in run_ids:
            serving.type(run_id, f"{words} {run_id}\n")
        for tab, run_id in zip(tabs, run_ids, strict=True):
            expect(tab.locator(".log")).to_contain_text(f"got {words} {run_id}")
    assert _open_streams(serving) == 1
    home = page.context.new_page()
    home.goto(serving.address)
    expect(home.locator(".rows .run")).to_have_count(TABS)
    for run_id in run_ids:
        serving.type(run_id, "", "?close=1")
    for tab in tabs:
        expect(tab.locator(".head .state")).to_have_text("exited 0")
        expect(tab).to_have_title(re.compile("^exited 0 · "))


def test_ten_tabs_of_one_run_show_the_same(serving: Serving, page: Page) -> None:
    """However late they come."""
    run_id = serving.start("echo")
    tabs: list[Page] = []
    for number in range(TABS):
        tabs.append(page if number == 0 else page.context.new_page())
        tabs[-1].goto(f"{serving.address}runs/{run_id}")
        serving.type(run_id, f"{number}\n")
    serving.type(run_id, "", "?close=1")
    for tab in tabs:
        expect(tab.locator(".head .state")).to_have_text("exited 0")
        expect(tab.locator(".log-row .log-text")).to_have_text([f"got {number}" for number in range(TABS)])


def _open_streams(serving: Serving) -> int:
    """Return how many viewers the server has."""
    text = serving.ask("/metrics").body.decode()
    found = re.findall(r"^tailrace_viewers(?:\{[^}]*\})? (\d+)", text, re.MULTILINE)
    assert found, text
    return sum(map(int, found))
