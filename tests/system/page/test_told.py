"""What pages tell of a run by themselves: that it waits, why nothing comes, how far it is, what is missing."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.logview import LogView
from tests.support.page import Watch, assert_accessible
from tests.support.smalldisk import fill, has_room, small_disk
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

__all__ = ["small_disk"]

LUMPS = """
[commands.lumps]
argv = ["python3", "-c", "import os, time\\nwhile True: time.sleep(0.2), os.write(1, b'x' * 4095 + b'\\\\n')"]
"""
ONE_AT_A_TIME = """
[commands.alone]
argv = ["cat"]
stdin = true
key = "door"
when_busy = "queue"
"""
PROGRESS = """
[commands.far]
argv = ["sh", "-c", "while read -r code; do printf '\\\\033]9;4;%s\\\\007' $code; done"]
stdin = true
"""
CUT = """
[commands.cut]
argv = ["seq", "1", "10000"]
max_output = 20000
on_max_output = "truncate"
"""
FLOOD = """
[commands.fill]
argv = ["sh", "-c", "yes | head -c 6000000; echo the end"]
"""
NOTE_NOTIFICATIONS = """
  window.told = [];
  const Theirs = window.Notification;
  window.Notification = class extends Theirs {
    constructor(title, options) { super(title, options); window.told.push([title, options.body]); }
  };
"""
WRONG_CLOCK = """
  const Theirs = Date;
  const ahead = %d;
  window.Date = class extends Theirs {
    constructor(...parts) { if (parts.length) super(...parts); else super(Theirs.now() + ahead); }
    static now() { return Theirs.now() + ahead; }
  };
"""
"""a browser whose clock is so many milliseconds ahead"""


def test_a_command_that_buffers_is_told_so(serve: Serve, page: Page) -> None:
    """While it runs, as soon as there is reason to think so; with what can be done about it."""
    serving = serve(LUMPS)
    page.goto(f"{serving.address}runs/{serving.start('lumps')}")
    expect(page.locator(".head .notice")).to_contain_text("lumps of 4096 bytes")
    expect(page.locator(".head .notice")).to_contain_text("unbuffer")
    assert_accessible(page)


def test_a_run_that_waits_says_for_what(serve: Serve, page: Page) -> None:
    """Its place in the queue and why; then it runs, without another look."""
    serving = serve(ONE_AT_A_TIME)
    first, waiting = serving.start("alone"), serving.start("alone")
    page.goto(f"{serving.address}runs/{waiting}")
    expect(page.locator(".head .state")).to_have_text("queued #1")
    expect(page.locator(".standing")).to_contain_text("place 1: of all with the key “door”, one runs at a time")
    expect(page).to_have_title(re.compile("^queued"))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("it will not run")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    serving.type(first, "", "?close=1")
    expect(page.locator(".head .state")).to_have_text("running")
    expect(page).to_have_title(re.compile("^running"))


def test_a_run_that_is_held_up_says_by_what(small_disk: Path, serve: Serve, page: Page) -> None:
    """A full disk, until there is room again; the run loses nothing by it."""
    has_room(small_disk)
    filler = fill(small_disk, 4 << 20)
    serving = serve(FLOOD)
    page.goto(f"{serving.address}runs/{serving.start('fill')}")
    expect(page.locator(".head .notice")).to_contain_text("Held up: The disk is full")
    assert_accessible(page)
    filler.unlink()
    expect(page.locator(".head .state")).to_have_text("exited 0")
    expect(page.locator(".head .notice", has_text="Held up")).to_have_count(0)
    expect(page.locator(".log")).to_contain_text("the end")


@pytest.mark.browser(permissions=["notifications"])
def test_who_wants_it_is_notified_of_the_end(serving: Serving, page: Page) -> None:
    """While he looks at something else; not before, and not twice."""
    page.add_init_script(NOTE_NOTIFICATIONS)
    run_id = serving.start("echo")
    page.goto(f"{serving.address}runs/{run_id}")
    page.get_by_role("button", name="Tell me when it ends").click()
    expect(page.get_by_role("button", name="Tell me when it ends")).to_have_attribute("aria-pressed", "true")
    other = page.context.new_page()
    other.goto(serving.address)
    other.bring_to_front()
    page.context.new_cdp_session(page).send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    assert page.evaluate("window.told") == []
    serving.type(run_id, "", "?close=1")
    wait_for(lambda: page.evaluate("window.told") == [["echo", "finished well (exit code 0)"]])


def test_a_run_in_the_list_says_how_far_it_is(serve: Serve, page: Page) -> None:
    """As it tells its terminal, for as long as it goes."""
    serving = serve(PROGRESS)
    run_id = serving.start("far")
    serving.type(run_id, "1;40\n")
    page.goto(serving.address)
    bar = page.get_by_role("progressbar", name="Progress of far")
    expect(bar).to_have_attribute("aria-valuenow", "40")
    assert_accessible(page)
    serving.type(run_id, "2;70\n")
    expect(bar).to_have_attribute("aria-valuenow", "70")
    expect(bar).to_have_class(re.compile("bad"))
    serving.type(run_id, "0\n")
    expect(bar).to_have_count(0)


def test_what_is_missing_is_a_row_with_its_size(serve: Serve, page: Page, state_dir: Path) -> None:
    """At the end, where alone something can be missing: behind the limit, and of a file that was cut."""
    serving = serve(CUT)
    run_id = serving.start("cut")
    wait_for(lambda: tailrace.connect().get(run_id).is_finished)
    page.goto(f"{serving.address}runs/{run_id}")
    log = LogView(page)
    wait_for(lambda: log.gaps() == ["28.2 KiB are missing: not kept: the output limit was reached"])
    os.truncate(state_dir / "runs" / run_id / "output", 10000)
    page.reload()
    shorter = "9.8 KiB are missing: the output file is shorter than recorded"
    wait_for(lambda: log.gaps() == [shorter, "28.2 KiB are missing: not kept: the output limit was reached"])
    assert log.is_at_end()
    expect(page.locator(".log-notice")).to_be_empty()
    assert_accessible(page)


@pytest.mark.parametrize("days", [1, -1])
def test_a_wrong_clock_of_the_browser_does_not_matter(serving: Serving, page: Page, days: int) -> None:
    """How long a run has run is told by the server's."""
    page.add_init_script(WRONG_CLOCK % (days * 86_400_000))
    page.goto(f"{serving.address}runs/{serving.start('wait')}")
    expect(page.locator(".head")).to_contain_text(re.compile(r"Runs since [\d:]+, for (([1-9]|\d\d) s|\d+ min)"))


def test_a_page_that_follows_nothing_does_not_wait(serving: Serving, page: Page, watch: Watch) -> None:
    """Of a run that is not there, say: it is not told to be connecting for ever."""
    watch.forgive("404")
    page.clock.install()
    page.goto(f"{serving.address}runs/{'0' * 26}")
    expect(page.locator("main")).to_contain_text("There is no run")
    page.clock.run_for(5000)
    expect(page.get_by_text("Connecting…")).to_have_count(0)
