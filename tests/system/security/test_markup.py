"""Markup in whatever is shown beside output: titles, descriptions, parameters, values, labels, files and users."""

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.support.page import Watch
from tests.system.security.town import JSON, OBJECT, MakeTown, Town

MARKUP = """<img src=x onerror="window.ran=1;alert(1)"><script>window.ran=1</script>"'><svg/onload=alert(1)>"""
HOSTILE = f"""
[commands.evil]
title = '''{MARKUP}'''
description = '''{MARKUP} [x](javascript:alert(1)) javascript:alert(1)'''
argv = ["sh", "-c", "echo done; read -r go", '''{MARKUP}''', "{{text}}", "{{pick}}"]
stdin = true
labels = {{ evil = '''{MARKUP}''' }}
[commands.evil.parameters.text]
type = "text"
title = '''{MARKUP}'''
help = '''{MARKUP}'''
default = '''{MARKUP}'''
example = '''{MARKUP}'''
maximum_length = 500
[commands.evil.parameters.pick]
type = "choice"
choices = ['''{MARKUP}''', "javascript:alert(1)"]
default = '''{MARKUP}'''
"""
USER = "<img src=x onerror=alert(1)>"


@pytest.fixture
def evil(make_town: MakeTown) -> Town:
    """Give a server whose file, users and runs are called like that."""
    return make_town(
        f'user_header = "X-User"\ntrusted_proxies = ["127.0.0.1"]\n[access]\ndefault_role = "admin"\n{HOSTILE}', "proxy"
    )


def _dialogs(page: Page) -> list[str]:
    """Return what the page's dialogs say, as they come; each is closed."""
    said: list[str] = []

    def hear(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", hear)
    return said


@pytest.mark.browser(extra_http_headers={"X-User": USER})
@pytest.mark.timeout(300)
def test_names_are_text_on_every_page(evil: Town, page: Page, watch: Watch) -> None:
    """No dialog opens, nothing runs, nothing is asked for, on the pages of commands, runs, several runs, and errors."""
    dialogs = _dialogs(page)
    watch.forgive("Failed to load resource")
    body = json.dumps({"parameters": {"text": MARKUP}}).encode()
    answer = evil.ask("/api/commands/evil/runs", {"X-User": USER, **JSON}, "POST", body)
    run = OBJECT.decode(answer.body)
    assert (answer.status, run["by"]) == (201, USER)
    paths = ("", "commands/evil", f"runs/{run['id']}", f"runs?run={run['id']}", f"runs/{quote(MARKUP, safe='')}")
    for path in (*paths, f"{quote(MARKUP)}", f"login?next={quote(MARKUP)}", f"#q={quote(MARKUP)}"):
        page.goto(f"{evil.serving.address}{path}")
        expect(page.locator("main")).to_be_visible()
        expect(page.locator("body")).to_contain_text("Tailrace")
        if path in paths[1:3]:
            expect(page.locator("main")).to_contain_text("<img src=x")
        assert page.evaluate("window.ran") is None
        assert page.locator("main img, main svg[onload], body > script:not([type])").count() == 0
        assert page.locator("a[href^='javascript:' i]").count() == 0
    assert not dialogs


@pytest.mark.browser(extra_http_headers={"X-User": USER})
@pytest.mark.timeout(300)
def test_a_form_that_is_shown_again(evil: Town, page: Page, watch: Watch) -> None:
    """What was typed stands in it as it was typed, with what is wrong beside it."""
    dialogs = _dialogs(page)
    watch.forgive("400")
    page.goto(f"{evil.serving.address}commands/evil")
    field = page.locator("[name=text]")
    field.fill("-" + MARKUP)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("main")).to_contain_text("begin with")
    expect(page.locator("[name=text]")).to_have_value("-" + MARKUP)
    assert page.evaluate("window.ran") is None
    assert not dialogs
