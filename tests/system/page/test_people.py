"""For everybody: by keys alone, at twice the size, without motion, and for axe in each state that a page can be in."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.page import Watch, assert_accessible, is_within_its_width
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

RUN = re.compile(r"/runs/[a-z0-9]+$")


def _tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until that has the focus, which must be seen there."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            break
    else:
        raise AssertionError(f"no Tab leads to {wanted}")
    assert wanted.evaluate(
        "each => getComputedStyle(each).outlineStyle !== 'none' || getComputedStyle(each).boxShadow !== 'none'"
    ), f"nothing shows that {wanted} has the focus"


def test_a_run_is_started_found_searched_and_stopped_without_a_mouse(serve: Serve, page: Page) -> None:
    """By Tab, Enter, and the keys that `?` tells of."""
    program = "n=0; while :; do n=$((n + 1)); echo line $n; sleep 0.02; done"
    serving = serve(f'[commands.steady]\nargv = ["sh", "-c", "{program}"]')
    page.goto(serving.address)
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
    _tab_to(page, page.get_by_role("button", name="Start steady"))
    page.keyboard.press("Enter")
    page.wait_for_url(RUN)
    run_id = page.url.rpartition("/")[2]
    page.go_back()
    expect(page.locator(".rows .run")).to_have_count(1)
    page.keyboard.press("j")
    expect(page.locator(f"a[href$='{run_id}']")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(RUN)
    expect(page.locator(".log")).to_contain_text("line 30")
    page.keyboard.press("/")
    page.keyboard.type("line 17")
    expect(page.locator(".search .found")).to_contain_text(re.compile(r"\d of"))
    page.keyboard.press("Enter")
    expect(page.locator("mark.is-current")).to_have_text("line 17")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    _tab_to(page, page.get_by_role("button", name="Stop", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sends INT")).to_be_visible()
    expect(page.get_by_role("button", name="Stop it", exact=True).last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".head .state")).to_have_text("stopped")


@pytest.mark.browser(viewport={"width": 640, "height": 400}, device_scale_factor=2)
def test_at_twice_the_size_all_is_there(serving: Serving, page: Page) -> None:
    """1280 by 800 at 200 %: nothing is cut off at the side, and what is below can be scrolled to."""
    run_id = serving.start("echo")
    for number in range(100):
        serving.type(run_id, f"{number}\n")
    for path in ("", "commands/echo", f"runs/{run_id}", f"runs?run={run_id}"):
        page.goto(f"{serving.address}{path}")
        expect(page.locator(".log-row, .rows .run").first).to_be_visible()
        assert is_within_its_width(page), path
        assert_accessible(page)
    page.goto(f"{serving.address}runs/{run_id}")
    page.get_by_label("Input, a line").scroll_into_view_if_needed()
    page.get_by_label("Input, a line").fill("typed")
    page.keyboard.press("Enter")
    expect(page.locator(".log")).to_contain_text("got typed")
    box = page.locator(".log-scroller").bounding_box()
    assert box is not None
    assert box["height"] > 150


@pytest.mark.browser(reduced_motion="reduce")
def test_without_motion_nothing_moves_by_itself(serving: Serving, page: Page) -> None:
    """Neither an animation nor a transition that takes time."""
    run_id = serving.start("wait")
    for path in ("", f"runs/{run_id}", f"runs?run={run_id}"):
        page.goto(f"{serving.address}{path}")
        expect(page.locator(".log-row, .rows .run").first).to_be_visible()
        moving = page.evaluate(
            "document.getAnimations().filter(each => each.effect.getComputedTiming().duration > 10).map("
            "each => each.effect.target.outerHTML.slice(0, 200))"
        )
        assert moving == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(serving: Serving, page: Page, watch: Watch, scheme: str) -> None:
    """Menus open, details open, a search without hits, a fault, the connection lost."""
    watch.forgive(r"net::ERR_|Failed to load resource")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{serving.address}runs/{serving.start('echo')}")
    expect(page.locator(".head .state")).to_have_text("running")
    page.get_by_role("button", name="Details").click()
    assert_accessible(page)
    for menu in ("Times", "Copy", "Download"):
        page.get_by_role("button", name=menu, exact=True).click()
        assert_accessible(page)
        page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("nowhere")
    expect(page.locator(".search .found")).not_to_be_empty()
    assert_accessible(page)
    page.keyboard.press("Escape")
    serving.process.kill()
    expect(page.get_by_text("Connection lost")).to_be_visible()
    assert_accessible(page)
