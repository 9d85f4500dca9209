"""What people do on the pages: start, watch, find, stop, type, start again, look at several; by mouse and by keys."""

import re

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.page import Watch, assert_accessible, is_within_its_width
from tests.support.wait import wait_for
from tests.system.server.serving import Serving

WIDTHS = (320, 390, 1024, 1920)
RUN = re.compile(r"/runs/[a-z0-9]+$")


def _counted(serving: Serving, n: int = 3) -> str:
    """Return a run that has counted so far."""
    run_id = serving.start("count", f"n={n}")
    wait_for(lambda: tailrace.connect().get(run_id).is_finished)
    return run_id


def test_what_is_wrong_with_a_form_stands_beside_its_field(serving: Serving, page: Page, watch: Watch) -> None:
    """Nothing is started, and the first wrong field has the focus."""
    watch.forgive("400")
    page.goto(f"{serving.address}commands/count")
    page.get_by_label("n").first.fill("0")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".fault")).to_contain_text("out of range")
    expect(page.locator("input[name=n]")).to_be_focused()
    expect(page.locator("input[name=n]")).to_have_attribute("aria-invalid", "true")
    assert_accessible(page)
    page.locator("input[name=n]").fill("5")
    page.keyboard.press("Enter")
    page.wait_for_url(RUN)


def test_new_runs_come_into_the_list_by_themselves(serving: Serving, page: Page) -> None:
    """And change as they go."""
    page.goto(serving.address)
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
    run_id = serving.start("wait")
    row = page.locator(".rows .run").first
    expect(row.locator(".state")).to_have_text("running")
    assert serving.post(f"/api/runs/{run_id}/stop", "{}", {"Content-Type": "application/json"}).status == 202
    expect(row.locator(".state")).to_have_text("stopped")


def test_the_list_is_filtered_and_its_address_says_how(serving: Serving, page: Page) -> None:
    """So that it can be handed on."""
    _counted(serving)
    page.goto(serving.address)
    rows = page.locator(".rows .run")
    expect(rows).to_have_count(1)
    page.get_by_label("State").select_option("lost")
    expect(page.get_by_text("No run is like that.")).to_be_visible()
    assert page.url.endswith("#state=lost")
    page.reload()
    expect(page.get_by_label("State")).to_have_value("lost")
    page.get_by_role("button", name="Show all").first.click()
    expect(rows).to_have_count(1)


def test_a_run_is_found_and_opened_by_keys_alone(serving: Serving, page: Page) -> None:
    """And `?` tells which ones there are."""
    older, newer = _counted(serving), _counted(serving)
    page.goto(serving.address)
    expect(page.locator(".rows .run")).to_have_count(2)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next run")
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(f"a[href$='{newer}']")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"a[href$='{older}']")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{older}")


def test_a_run_is_stopped_after_it_was_told_how(serving: Serving, page: Page) -> None:
    """The tab says so too."""
    page.goto(f"{serving.address}runs/{serving.start('wait')}")
    expect(page.locator(".log")).to_contain_text("begun")
    expect(page).to_have_title(re.compile("^running · "))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Sends INT")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator(".head .state")).to_have_text("stopped")
    expect(page).to_have_title(re.compile("^stopped · "))
    expect(page.get_by_role("status").last).to_contain_text("stopped")


def test_lines_are_typed_into_a_run_until_its_input_ends(serving: Serving, page: Page) -> None:
    """Ctrl+D in an empty line ends it."""
    page.goto(f"{serving.address}runs/{serving.start('echo')}")
    expect(page.locator(".head .state")).to_have_text("running")
    page.keyboard.press("i")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.locator(".log")).to_contain_text("got hello")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Input, a line")).to_have_value("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Input, a line")).to_have_value("")
    page.keyboard.press("Control+d")
    expect(page.locator(".head .state")).to_have_text("exited 0")


def test_a_run_is_started_again_with_the_same_values(serving: Serving, page: Page) -> None:
    """Or with others, in a form that has them."""
    first = _counted(serving, 7)
    page.goto(f"{serving.address}runs/{first}")
    page.get_by_role("button", name="Run again with other values").click()
    page.get_by_role("link", name="Run again with other values").click()
    expect(page.locator("input[name=n]")).to_have_value("7")
    page.go_back()
    page.get_by_role("button", name="Run again", exact=True).click()
    page.wait_for_url(lambda url: RUN.search(url) is not None and first not in url)
    assert tailrace.connect().get(page.url.rpartition("/")[2]).argv == ("seq", "1", "7")


def test_a_search_leads_from_hit_to_hit(serving: Serving, page: Page) -> None:
    """By Enter and Shift+Enter, round to the first; Escape ends it."""
    page.goto(f"{serving.address}runs/{_counted(serving, 3000)}")
    expect(page.locator(".log")).to_contain_text("3000")
    page.keyboard.press("/")
    page.keyboard.type("99")
    found = page.locator(".search .found")
    expect(found).to_have_text(re.compile(r"of \d+$"))
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    page.get_by_role("button", name="List").click()
    expect(page.locator(".hits li").first).to_contain_text("99")
    assert_accessible(page)
    page.get_by_role("button", name="Regular expression").click()
    page.get_by_label("Search the output").fill("^1234$")
    expect(found).to_have_text("1 of 1")
    expect(page.locator(".log")).to_contain_text("1234")
    page.keyboard.press("Escape")
    expect(page.locator(".search .found")).to_have_count(0)


@pytest.mark.parametrize("typed", ["1500", "1500-1502"])
def test_a_line_is_gone_to_and_its_address_leads_there(serving: Serving, page: Page, typed: str) -> None:
    """Also when it is loaded anew."""
    page.goto(f"{serving.address}runs/{_counted(serving, 3000)}")
    expect(page.locator(".log")).to_contain_text("3000")
    page.keyboard.press(":")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.locator(".log")).to_contain_text("1501")
    assert page.url.endswith("#L1500" if typed == "1500" else "#L1500-L1502")
    page.reload()
    expect(page.locator(".log")).to_contain_text("1501")


def test_runs_are_chosen_and_shown_side_by_side(serving: Serving, page: Page) -> None:
    """One can be taken away, and another added."""
    ids = [_counted(serving, n) for n in (11, 22, 33)]
    page.goto(serving.address)
    for box in (0, 1):
        page.locator(".rows .run .pick input").nth(box).check()
    page.get_by_role("link", name="Side by side").click()
    panes = page.locator(".pane")
    expect(panes).to_have_count(2)
    expect(panes.nth(0)).to_contain_text("33")
    expect(panes.nth(1)).to_contain_text("22")
    assert_accessible(page)
    page.get_by_role("button", name="Close 1. Count").click()
    expect(panes).to_have_count(1)
    page.get_by_role("button", name="Add a run").click()
    page.locator(".offered li button").last.click()
    expect(panes).to_have_count(2)
    assert page.url.endswith(f"run={ids[0]}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(serving: Serving, page: Page, width: int, scheme: str) -> None:
    """And what is there can be read, in both colours."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    run_id = _counted(serving)
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("", "commands/count", f"runs/{run_id}", f"runs?run={run_id}"):
        page.goto(f"{serving.address}{path}")
        expect(page.locator(".log, .rows .run").first).to_be_visible()
        assert is_within_its_width(page), path
        assert_accessible(page)
