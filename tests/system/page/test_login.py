"""Coming in by a browser: by a link, by the form without JavaScript, and from another site's page."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.page import Watch, assert_accessible
from tests.system.server.conftest import Serve


def _token(state_dir: Path) -> str:
    return (state_dir / "auth" / "token").read_text()


def test_a_link_to_come_in_by(serve: Serve, state_dir: Path, page: Page, watch: Watch) -> None:
    """The token is in no request's address or referrer, and not in the browser's address; scripts have no cookie."""
    serving, token = serve('auth = "token"'), _token(state_dir)
    referrers: list[str] = []
    page.on("request", lambda request: referrers.append(request.headers.get("referer", "")))
    page.goto(f"{serving.address}login#token={token}")
    page.wait_for_url(serving.address)
    expect(page.locator(".card").first).to_be_visible()
    assert not [url for url in (*watch.asked, *referrers) if token in url]
    assert page.evaluate("document.cookie") == ""
    assert token not in serving.err()


def test_whoever_is_in_and_follows_a_link_of_another_site(
    serve: Serve, state_dir: Path, page: Page, watch: Watch
) -> None:
    """Is led there, though the browser leaves the cookie out of what that site's page has asked for."""
    watch.forgive("asked elsewhere")
    serving = serve('auth = "token"')
    page.goto(f"{serving.address}login#token={_token(state_dir)}")
    page.wait_for_url(serving.address)
    page.goto(f"data:text/html,<a id=a href='{serving.address}commands/count'>there</a>")
    page.click("#a")
    expect(page.get_by_role("heading", name="Count").first).to_be_visible()
    assert page.url == f"{serving.address}commands/count"


@pytest.mark.browser(java_script_enabled=False)
def test_the_form_without_javascript(serve: Serve, state_dir: Path, page: Page) -> None:
    """It says what is wrong, leads to where one wanted to go, and out again."""
    serving = serve('auth = "token"')
    page.goto(f"{serving.address}commands/count")
    page.get_by_label("Token").fill(_token(state_dir))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/commands/count")
    page.goto(f"{serving.address}login")
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_label("Token")).to_be_visible()


def test_the_login_is_accessible(serve: Serve, state_dir: Path, page: Page) -> None:
    """As axe sees it."""
    assert state_dir.is_dir()
    serving = serve('auth = "users"')
    page.goto(f"{serving.address}login")
    expect(page.get_by_label("Password")).to_be_visible()
    assert_accessible(page)
