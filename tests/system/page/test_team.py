"""A server before a team, in a browser: who looks, what he may, links to a run, a session that ends meanwhile."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

import tailrace
from tests.support.page import Watch, assert_accessible, is_within_its_width
from tests.support.team import ALL_TYPES, add_user, come_in
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

COVERED = ("target-size",)
"""an open menu lies over parts of what can be pressed"""
WIDTHS = (390, 1024, 1920)
RUN = re.compile(r"/runs/[a-z0-9]+$")
GOES = re.compile(r"tick \d")
STEADY = """
[commands.steady]
argv = ["sh", "-c", 'n=0; while :; do n=$((n + 1)); echo "tick $n"; sleep 0.05; done']
"""

Team = Callable[[str], Serving]


@pytest.fixture
def team(serve: Serve) -> Serving:
    """Give a server with a viewer, an operator and an admin."""
    for name, role in (("vic", "viewer"), ("olga", "operator"), ("adam", "admin")):
        add_user(name, role)
    return serve(f'auth = "users"\n{ALL_TYPES}{STEADY}')


def _started(page: Page, team: Serving, command: str = "steady") -> str:
    """Start a command on its page, and return the run's id."""
    page.goto(f"{team.address}commands/{command}")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(RUN)
    return page.url.rpartition("/")[2]


def test_a_login_leads_to_where_one_wanted_to_go(team: Serving, page: Page, watch: Watch) -> None:
    """What is wrong is said, the name stays, and the place behind the # comes along; the way out is on each page."""
    watch.forgive("401")
    run = tailrace.connect().start(["seq", "300"])
    run.wait(60)
    page.goto(f"{team.address}runs/{run.id}#L120")
    page.get_by_label("User").fill("vic")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("There is no such user with this password.")
    expect(page.get_by_label("User")).to_have_value("vic")
    expect(page.get_by_label("Password")).to_be_focused()
    assert_accessible(page)
    page.get_by_label("Password").fill("vic's password")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{run.id}#L120")
    expect(page.locator(".log")).to_contain_text("120")
    page.get_by_role("button", name="vic").click()
    expect(page.locator(".who")).to_contain_text("vic, viewer")
    expect(page.locator(".who")).to_contain_text("You may watch runs.")
    assert_accessible(page, without=COVERED)
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(f"{team.address}runs/{run.id}")
    expect(page.get_by_label("Password")).to_be_visible()


def test_too_many_attempts_are_told_to_wait(team: Serving, page: Page, watch: Watch) -> None:
    """And for how long; then it can be tried again."""
    watch.forgive("401|429")
    page.goto(f"{team.address}login")
    button = page.locator("button.start")
    for _attempt in range(6):
        page.get_by_label("User").fill("vic")
        page.get_by_label("Password").fill("guess")
        button.click()
        page.get_by_role("alert").wait_for()
        if page.get_by_text("Too many attempts").is_visible():
            break
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"Try again in \d+ s|it can be tried again"))
    assert_accessible(page)
    expect(page.get_by_role("alert")).to_have_text("Now it can be tried again.")
    expect(button).to_be_enabled()
    page.get_by_label("Password").fill("vic's password")
    button.click()
    expect(page.locator(".listing")).to_be_visible()


@pytest.mark.browser(java_script_enabled=False)
def test_who_looks_is_said_without_javascript(team: Serving, page: Page) -> None:
    """With the way out, and without what he may not do."""
    come_in(page, team.address, "vic", "commands/all")
    expect(page.locator(".banner")).to_contain_text("vic, viewer")
    expect(page.get_by_role("button", name="Start")).to_have_count(0)
    expect(page.get_by_text("You may look at its runs, and not start it.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_what_one_may_not_do_is_not_offered(team: Serving, page: Page) -> None:
    """A viewer has nothing to start, stop, type or share by a link; what is refused all the same is told in words."""
    run = tailrace.connect().start(["sh", "-c", "echo begun; exec sleep 1000"], stdin=True)
    come_in(page, team.address, "vic")
    expect(page.get_by_text("You may watch runs here, and not start any.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Start"))).to_have_count(0)
    page.goto(f"{team.address}runs/{run.id}")
    expect(page.locator(".log")).to_contain_text("begun")
    for name in ("Stop", "Send", "Run again"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    assert_accessible(page)


def test_a_right_that_is_taken_away_meanwhile_is_told_in_words(team: Serving, page: Page, watch: Watch) -> None:
    """With the hint of the server."""
    watch.forgive("403")
    come_in(page, team.address, "olga")
    _started(page, team)
    expect(page.locator(".log")).to_contain_text(GOES)
    subprocess.run([sys.executable, "-m", "tailrace", "user", "change", "olga", "--role", "viewer"], check=True)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop it").last.click()
    expect(page.get_by_role("alert")).to_contain_text("You may not stop any run. Ask whoever looks after")


def test_a_session_that_ends_is_told_and_goes_on(team: Serving, page: Page, watch: Watch) -> None:
    """What is on the page stays; after a login in the window that it opens, output goes on with nothing lost."""
    watch.forgive("401|net::ERR|Failed to load resource")
    come_in(page, team.address, "olga")
    run_id = _started(page, team)
    expect(page.locator(".log")).to_contain_text(GOES)
    argv = [sys.executable, "-m", "tailrace", "user", "passwd", "olga"]  # who has another password is out
    subprocess.run(argv, input="olga's password\n", text=True, check=True, capture_output=True)
    expect(page.locator(".session")).to_contain_text("You are not logged in any more")
    expect(page.locator(".log")).to_contain_text(GOES)
    assert_accessible(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Log in").click()
    window = opened.value
    window.get_by_label("User").fill("olga")
    window.get_by_label("Password").fill("olga's password")
    window.get_by_role("button", name="Log in").click()
    expect(page.locator(".session")).to_have_count(0)
    wait_for(window.is_closed)
    size = tailrace.connect().get(run_id).size
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop it").last.click()
    expect(page.locator(".head .state")).to_have_text("stopped")
    info = tailrace.connect().get(run_id)
    assert info.size >= size
    lines = [line for line in page.locator(".log-row .log-text").all_inner_texts() if line.startswith("tick ")]
    numbers = [int(line.split()[1]) for line in lines]
    assert sorted(numbers) == list(range(min(numbers), max(numbers) + 1))


def test_a_link_to_a_run_is_made_and_shows_this_run_alone(
    team: Serving, page: Page, chromium: Browser, watch: Watch
) -> None:
    """For as long as one chooses; its holder sees until when, and no way to anything that is not for him."""
    watch.forgive("40[134]")
    come_in(page, team.address, "olga")
    run_id = _started(page, team)
    page.get_by_role("button", name="Share").click()
    page.get_by_label("Good for").select_option(label="1 day")
    assert_accessible(page)
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_role("textbox", name="The link").input_value()
    expect(page.get_by_role("dialog")).to_contain_text("It is good until")
    assert_accessible(page)
    with chromium.new_context() as other:
        visitor = other.new_page()
        visitor.goto(link)
        expect(visitor.locator(".log")).to_contain_text(GOES)
        assert visitor.url == f"{team.address}runs/{run_id}"
        expect(visitor.get_by_text("You see this run by a link, until")).to_be_visible()
        for name in ("Stop", "Share", "Run again"):
            expect(visitor.get_by_role("button", name=name, exact=True)).to_have_count(0)
        ways = visitor.locator("a[href]").evaluate_all("all => all.map(each => each.getAttribute('href'))")
        assert not [way for way in ways if way in ("../", "./") or "commands/" in way]
        assert_accessible(visitor)
        expect(page.locator(".links li")).to_have_count(1)
        page.get_by_role("button", name="End it").click()
        expect(page.locator(".links li")).to_have_count(0)
        expect(visitor.locator(".session")).to_contain_text("This link is not good any more.")
        visitor.goto(f"{team.address}runs/{run_id}x")
        expect(visitor.get_by_role("link", name="All runs")).to_have_count(0)


def test_only_ones_own_runs_are_listed_and_that_is_said(serve: Serve, page: Page) -> None:
    """Where the rules say so."""
    add_user("olga", "operator")
    serving = serve(f'auth = "users"\n[access]\nown_runs_only = true\n{STEADY}')
    tailrace.connect().start(["true"], by="somebody").wait(60)
    come_in(page, serving.address, "olga")
    expect(page.get_by_text("Only runs that you may see are listed.")).to_be_visible()
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_a_team_at_each_width(team: Serving, page: Page, width: int, scheme: str) -> None:
    """Login, forms of all types, the menu of who looks, the dialog of a link: nothing is cut off, axe finds nothing."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{team.address}login?next=/commands/all")
    assert is_within_its_width(page)
    assert_accessible(page)
    come_in(page, team.address, "adam", "commands/all")
    for name in ("all", "secret"):
        page.goto(f"{team.address}commands/{name}")
        expect(page.get_by_role("button", name="Start")).to_be_visible()
        assert is_within_its_width(page), name
        assert_accessible(page)
    run_id = _started(page, team)
    expect(page.locator(".log")).to_contain_text(GOES)
    page.get_by_role("button", name="adam").click()
    assert is_within_its_width(page), run_id
    assert_accessible(page, without=COVERED)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("textbox", name="The link").wait_for()
    assert is_within_its_width(page)
    assert_accessible(page)
