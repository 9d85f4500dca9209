"""What a page needs to come to life: its files, its policy, its way to the run; and that it needs nothing else."""

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.page import Watch, assert_accessible, is_within_its_width
from tests.support.wait import wait_for
from tests.system.server.serving import Serving

WIDTHS = (390, 1024, 1920)
INTO_THE_FRAME = "document's frame is sandboxed"
"""what Chromium says when Playwright looks into the frame, which may do nothing"""


def _start(page: Page, title: str) -> None:
    page.locator(".card", has=page.get_by_role("link", name=title)).get_by_role("button", name="Start").click()


def test_home_shows_the_commands_and_starting_one_leads_to_its_run(serving: Serving, page: Page) -> None:
    """With the bundle at work, and everything of the same origin."""
    page.goto(serving.address)
    for title in ("Count", "wait", "echo"):
        expect(page.locator(".card").get_by_role("link", name=title)).to_be_visible()
    _start(page, "Count")
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text("exited 0").first).to_be_visible()


def test_a_page_loads_its_bundle_and_no_more(serving: Serving, page: Page, watch: Watch) -> None:
    """Files that may be kept for ever are not asked for again."""
    page.goto(serving.address)
    page.wait_for_load_state("load")
    first = [url for url in watch.asked if url.endswith((".js", ".css"))]
    assert first
    page.goto(f"{serving.address}commands/count")
    page.wait_for_load_state("load")
    kept = page.evaluate(
        "performance.getEntriesByType('resource').filter(each => /page[/].*(js|css)$/.test(each.name))"
        ".every(each => each.transferSize === 0)"
    )
    assert kept


@pytest.mark.parametrize("path", ["", "commands/count", "runs/{run}", "runs/none"])
def test_axe_finds_nothing(serving: Serving, page: Page, watch: Watch, path: str) -> None:
    """In what the page has once it is there."""
    watch.forgive("runs/none")  # Chromium tells of every 404
    run_id = serving.start("count")
    wait_for(lambda: tailrace.connect().get(run_id).is_finished)
    page.goto(serving.address + path.replace("{run}", run_id))
    expect(page.get_by_role("main")).to_be_visible()
    assert_accessible(page)


def test_what_the_policy_forbids_does_not_happen(serving: Serving, page: Page, watch: Watch) -> None:
    """Neither a script nor a style in the page, nor anything from elsewhere; and the tests would see it."""
    page.goto(serving.address)
    page.evaluate(
        """() => {
          const script = document.createElement("script"); script.textContent = "window.ran = true";
          const style = document.createElement("style"); style.textContent = "body { display: none }";
          document.head.append(script, style);
        }"""
    )
    assert page.evaluate("window.ran === undefined && getComputedStyle(document.body).display !== 'none'")
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'came', () => 'failed')") == "failed"
    wait_for(lambda: len([fault for fault in watch.faults() if "Content Security Policy" in fault]) >= 3)
    watch.forgive("")


@pytest.mark.browser(java_script_enabled=False)
def test_without_javascript_a_run_is_started_watched_typed_into_and_ended(
    serving: Serving, page: Page, watch: Watch
) -> None:
    """By forms and a frame; how it stands is told when the page is loaded again."""
    watch.forgive(INTO_THE_FRAME)
    page.goto(serving.address)
    _start(page, "echo")
    page.wait_for_url("**/runs/*", wait_until="commit")  # it is loaded when the run is over
    page.get_by_label("Input").fill("hello")
    page.get_by_role("button", name="Send").click(no_wait_after=True)
    expect(page.frame_locator("iframe").get_by_text("got hello")).to_be_visible()
    page.get_by_role("button", name="End input").click()
    run_id = page.url.rpartition("/")[2]
    wait_for(lambda: tailrace.connect().get(run_id).is_finished)
    page.goto(page.url)
    expect(page.get_by_text("exited 0")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.browser(java_script_enabled=False)
def test_without_javascript_a_run_is_stopped(serving: Serving, page: Page, watch: Watch) -> None:
    """The frame shows what had come, and the page how it ended."""
    watch.forgive(INTO_THE_FRAME)
    run_id = serving.start("wait")
    page.goto(f"{serving.address}runs/{run_id}", wait_until="commit")
    expect(page.frame_locator("iframe").get_by_text("begun")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    wait_for(lambda: tailrace.connect().get(run_id).is_finished)
    page.goto(f"{serving.address}runs/{run_id}")
    expect(page.get_by_text("stopped")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.browser(java_script_enabled=False)
def test_nothing_is_wider_than_the_window(serving: Serving, page: Page, watch: Watch, width: int) -> None:
    """On a telephone, a tablet and a desk, with a long line in it."""
    watch.forgive(INTO_THE_FRAME)
    run = tailrace.connect().start(["sh", "-c", f"echo {'x' * 500}"])
    run.wait(60)
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("", "commands/count", f"runs/{run.id}", f"runs?run={run.id}"):
        page.goto(f"{serving.address}{path}")
        assert is_within_its_width(page), path
