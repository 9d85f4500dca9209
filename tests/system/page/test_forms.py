"""Forms for parameters of all types: filled in, refused, started again; with and without JavaScript."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.page import Watch, assert_accessible
from tests.support.team import ALL_TYPES
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

RUN = re.compile(r"/runs/[a-z0-9]+$")
KEY = "hunter2-hunter2"
ENDED = re.compile("^exited 0$")
FEW = """
[commands.few]
argv = ["true"]
max_starts_per_minute = 1
[commands.hog]
argv = ["python3", "-c", "x = bytearray(300 << 20); import time; time.sleep(100)"]
max_memory = 50000000
"""


@pytest.fixture
def declared(serve: Serve) -> Serving:
    """Give a server with commands of all types of parameters."""
    return serve(f"{ALL_TYPES}{FEW}")


def _argv(page: Page) -> tuple[str, ...]:
    """Wait for a run's page, and return what it runs."""
    page.wait_for_url(RUN)
    return tailrace.connect().get(page.url.rpartition("/")[2]).argv[1:]


def _fill(page: Page) -> None:
    page.get_by_label("Word").fill("hello")
    page.locator("input[name=n]").fill("5")
    page.get_by_label("loud").check()
    page.get_by_label("color").select_option("red")
    for name in ("a", "c"):
        page.get_by_label(name, exact=True).check()


def test_a_form_of_all_types(declared: Serving, page: Page) -> None:
    """Gives what was filled in; the same again starts the same, and in a form with other values all are there."""
    page.goto(f"{declared.address}commands/all")
    expect(page.get_by_text("What to say. Up to 20 characters.")).to_be_visible()
    expect(page.get_by_label("Word")).to_have_attribute("placeholder", "for example hello")
    _fill(page)
    page.get_by_role("button", name="Start").click()
    given = ("hello", "5", "1.5", "--loud", "red", "a", "c", "2026-11-27")
    assert _argv(page) == given
    first = page.url
    expect(page.locator(".head .state")).to_have_text(ENDED)
    page.get_by_role("button", name="Run again", exact=True).click()
    page.wait_for_url(lambda url: url != first and RUN.search(url) is not None)
    assert _argv(page) == given
    page.get_by_role("button", name="Run again with other values").click()
    page.get_by_role("link", name="Run again with other values").click()
    expect(page.get_by_label("Word")).to_have_value("hello")
    expect(page.get_by_label("loud")).to_be_checked()
    expect(page.get_by_label("c", exact=True)).to_be_checked()
    expect(page.get_by_label("b", exact=True)).not_to_be_checked()


@pytest.mark.browser(java_script_enabled=False)
def test_a_form_of_all_types_without_javascript(declared: Serving, page: Page, watch: Watch) -> None:
    """Gives the same; of one that is refused each fault stands at its field, and the first has the focus."""
    watch.forgive("400|frame is sandboxed")
    page.goto(f"{declared.address}commands/all")
    page.locator("input[name=n]").fill("50")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#all-word-fault")).to_contain_text("does not match")
    expect(page.locator("#all-n-fault")).to_contain_text("out of range")
    expect(page.locator("input[name=word]")).to_be_focused()
    _fill(page)
    page.get_by_role("button", name="Start").click()
    assert _argv(page) == ("hello", "5", "1.5", "--loud", "red", "a", "c", "2026-11-27")


def test_faults_stand_at_their_fields(declared: Serving, page: Page, watch: Watch) -> None:
    """All of them, described by them; the first has the focus. What looks wrong is told before, and forbids nothing."""
    watch.forgive("400")
    page.goto(f"{declared.address}commands/all")
    page.get_by_label("Word").fill("NOT THIS")
    page.locator("input[name=n]").fill("twelve")
    page.get_by_label("ratio").focus()
    expect(page.locator("#all-n-doubt")).to_contain_text("does not look like a whole number")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("input[name=word]")).to_be_focused()
    for name in ("word", "n"):
        field = page.locator(f"#all-{name}")
        expect(field).to_have_attribute("aria-invalid", "true")
        assert f"all-{name}-fault" in (field.get_attribute("aria-describedby") or "")
    assert_accessible(page)


def _with_secret(page: Page, declared: Serving, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text(f"ann\n{KEY}\n")
    page.goto(f"{declared.address}commands/secret")
    page.get_by_label("Password for it").fill(KEY)
    page.get_by_label("Names").set_input_files(file)
    page.get_by_label("Note").fill("two\nlines")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(RUN)


@pytest.mark.parametrize("scripted", [pytest.param(True, id="script"), pytest.param(False, id="plain")])
def test_a_secret_and_a_file(declared: Serving, page: Page, watch: Watch, tmp_path: Path, *, scripted: bool) -> None:
    """Reach the command, and nobody else: what equals the secret is hidden, and the page says so."""
    if not scripted:
        page.route("**/page/page-*.js", lambda route: route.abort())  # the plain forms, in a browser that has scripts
        watch.forgive("ERR_FAILED|Failed to load resource")
    _with_secret(page, declared, tmp_path)
    run = tailrace.Run(tailrace.connect(), page.url.rpartition("/")[2])
    run.wait(60)
    text = b"".join(chunk.data for chunk in run.follow()).decode()
    assert text == "HUNTER2-HUNTER2\n***\nann\n***\n"
    assert run.engine.spec(run.id).parameters == {"note": "two\nlines"}
    assert not [url for url in watch.asked if KEY in url]
    page.reload()
    said = "Parts of the output that equal secrets" if scripted else "parts of the output that equal secrets"
    expect(page.get_by_text(said)).to_be_visible()


def test_secrets_and_files_are_asked_anew(declared: Serving, page: Page, watch: Watch, tmp_path: Path) -> None:
    """In a form that has the other values; the secret is in no address, and gone from the form when one goes back."""
    _with_secret(page, declared, tmp_path)
    expect(page.get_by_text("Parts of the output that equal secrets")).to_be_visible()
    page.get_by_role("link", name="Run again…").click()
    expect(page.get_by_label("Note")).to_have_value("two\nlines")
    expect(page.get_by_label("Password for it")).to_have_value("")
    expect(page.get_by_label("Names")).to_have_value("")
    assert KEY not in page.url
    page.go_back()
    page.go_back()
    expect(page.get_by_label("Password for it")).to_have_value("")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert KEY not in stored
    assert not [url for url in watch.asked if KEY in url]


def test_a_start_that_is_refused_says_when_to_try_again(declared: Serving, page: Page, watch: Watch) -> None:
    """Counting down."""
    watch.forgive("429")
    declared.start("few")
    page.goto(f"{declared.address}commands/few")
    page.get_by_role("button", name="Start").click()
    again = page.get_by_role("button", name=re.compile(r"^Try again in \d+ s$"))
    expect(again).to_be_disabled()
    expect(page.get_by_role("alert")).to_contain_text("Only 1 run a minute of few may be started.")
    assert_accessible(page)
    words = again.inner_text()
    expect(again).not_to_have_text(words)


def test_a_limit_that_ended_a_run_is_said_in_words(declared: Serving, page: Page) -> None:
    """On its page, in the tab and in the list, and what to do about it."""
    run_id = declared.start("hog")
    page.goto(f"{declared.address}runs/{run_id}")
    expect(page.locator(".head .state")).to_have_text("memory limit")
    expect(page.locator(".standing")).to_contain_text("Stopped: it took more memory than it may")
    expect(page.locator(".notice")).to_contain_text("max_memory of its command")
    page.goto(declared.address)
    expect(page.locator(".rows .run .state").first).to_have_text("memory limit")
