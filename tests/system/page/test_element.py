"""`<tailrace-output>` on a page of another origin, as anybody would write it: the example of the documentation."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.support.logview import CATCH_COPIES
from tests.support.page import Watch, assert_accessible
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

EXAMPLE = Path(__file__).parents[3] / "examples" / "element" / "page.html"
HEAR = """() => {
  window.heard = [];
  const at = document.querySelector("tailrace-output");
  for (const name of ["state", "end"])
    at.addEventListener(name, event => window.heard.push([name, event.detail.state, event.detail.id]));
}"""


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Write nothing."""


@contextmanager
def _elsewhere(directory: Path) -> Iterator[str]:
    """Serve a directory as another origin; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(directory))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """Give the address of another origin, at which the page of the example will be."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    (directory / "favicon.ico").touch()  # what the browser asks of any page's server
    with _elsewhere(directory) as address:
        yield address


def _written(tmp_path: Path, serving: Serving, run_id: str, name: str = "page.html") -> None:
    """Write the example's page, of this server and run."""
    text = EXAMPLE.read_text().replace("http://127.0.0.1:8000/", serving.address)
    text = re.sub(r"runs/ID\b", f"runs/{run_id}", text)
    (tmp_path / "elsewhere" / name).write_text(text)


def test_a_run_is_shown_live_to_its_end(serve: Serve, page: Page, watch: Watch, tmp_path: Path, elsewhere: str) -> None:
    """With its events; what is selected can be copied, and axe finds nothing."""
    serving = serve(f'cors_origins = ["{elsewhere}"]')
    watch.forgive(re.escape(serving.address))
    run_id = serving.start("echo")
    _written(tmp_path, serving, run_id)
    page.goto(f"{elsewhere}/page.html")
    page.evaluate(HEAR)
    shown = page.locator("tailrace-output")
    expect(shown.locator(".log-scroller")).to_be_visible()
    for number in range(3):
        serving.type(run_id, f"line {number}\n")
        expect(shown.locator(".log")).to_contain_text(f"got line {number}")
    expect(shown.locator(".state")).to_contain_text("running")
    serving.type(run_id, "", "?close=1")
    expect(shown.locator(".state")).to_contain_text("exited 0")
    wait_for(lambda: page.evaluate("window.heard")[-1:] == [["end", "finished", run_id]])
    assert ["state", "finished", run_id] in page.evaluate("window.heard")
    page.evaluate(CATCH_COPIES)
    shown.locator(".log-scroller").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    wait_for(lambda: page.evaluate("window.copies.at(-1)") == "got line 0\ngot line 1\ngot line 2")
    assert_accessible(page)


def test_text_is_selected_by_the_mouse(serve: Serve, page: Page, watch: Watch, tmp_path: Path, elsewhere: str) -> None:
    """In the element's own tree, and copied as it was written."""
    serving = serve(f'cors_origins = ["{elsewhere}"]')
    watch.forgive(re.escape(serving.address))
    _written(tmp_path, serving, serving.start("count", "n=9"))
    page.goto(f"{elsewhere}/page.html")
    row = page.locator("tailrace-output .log-text").get_by_text("7", exact=True)
    expect(row).to_be_visible()
    page.evaluate(CATCH_COPIES)
    box = row.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] * 1.5, steps=5)
    page.mouse.up()
    page.keyboard.press("Control+c")
    wait_for(lambda: page.evaluate("window.copies.at(-1)") == "7\n8")


def test_another_origin_is_refused_with_words(
    serve: Serve, page: Page, watch: Watch, tmp_path: Path, elsewhere: str
) -> None:
    """Where the server does not list it; and its page goes on."""
    serving = serve()
    watch.forgive("")  # Chromium tells of what it keeps from the page
    _written(tmp_path, serving, serving.start("count"))
    page.goto(f"{elsewhere}/page.html")
    expect(page.locator("tailrace-output .trouble")).not_to_be_empty()
    expect(page.locator("tailrace-output")).to_contain_text("cors_origins")
    expect(page.locator("tailrace-output .log-row")).to_have_count(0)


def test_what_is_no_address_is_said(serve: Serve, page: Page, watch: Watch, tmp_path: Path, elsewhere: str) -> None:
    """In place of the output; another address is taken when it comes."""
    serving = serve(f'cors_origins = ["{elsewhere}"]')
    watch.forgive(re.escape(serving.address))
    run_id = serving.start("count")
    _written(tmp_path, serving, run_id)
    page.goto(f"{elsewhere}/page.html")
    shown = page.locator("tailrace-output")
    expect(shown.locator(".log")).to_contain_text("3")
    shown.evaluate("each => each.setAttribute('src', 'nowhere')")
    expect(shown).to_contain_text("nowhere is not the address of a run")
    shown.evaluate("(each, to) => each.setAttribute('src', to)", f"{serving.address}api/runs/{run_id}")
    expect(shown.locator(".log")).to_contain_text("3")
    expect(shown).not_to_contain_text("nowhere")


def test_a_token_lets_the_page_in(  # noqa: PLR0917  fixtures
    serve: Serve, state_dir: Path, page: Page, watch: Watch, tmp_path: Path, elsewhere: str
) -> None:
    """Of a server that asks who comes: as a property, in no address, good for one run; without it, words say so."""
    serving = serve(f'auth = "token"\ncors_origins = ["{elsewhere}"]')
    watch.forgive(rf"{re.escape(serving.address)}|401|404")
    own = {"Authorization": f"Bearer {(state_dir / 'auth' / 'token').read_text()}"}
    ids = [_begun(serving, own) for _ in range(2)]
    answer = serving.ask(f"/api/runs/{ids[0]}/share", "POST", b"{}", {**own, "Content-Type": "application/json"})
    token = str(msgspec.json.decode(answer.body, type=dict[str, str])["token"])
    _written(tmp_path, serving, ids[0])
    page.goto(f"{elsewhere}/page.html")
    shown = page.locator("tailrace-output")
    expect(shown.locator(".trouble")).to_contain_text("you are not known here")
    shown.evaluate("(each, token) => { each.token = token; }", token)
    expect(shown.locator(".log")).to_contain_text("begun")
    expect(shown.locator(".state")).to_contain_text("running")
    expect(shown.locator(".trouble")).to_be_empty()
    assert shown.get_attribute("token") is None
    serving.ask(f"/api/runs/{ids[0]}/stop", "POST", b'{"now": true}', {**own, "Content-Type": "application/json"})
    expect(shown.locator(".state")).to_contain_text("stopped")
    shown.evaluate("(each, to) => each.setAttribute('src', to)", f"{serving.address}runs/{ids[1]}")
    expect(shown.locator(".trouble")).not_to_be_empty()
    expect(shown.locator(".log-row")).to_have_count(0)
    assert not [url for url in watch.asked if token in url or "token" in url]


def test_a_token_that_was_given_before_the_element_was_known(  # noqa: PLR0917  fixtures
    serve: Serve, state_dir: Path, page: Page, watch: Watch, tmp_path: Path, elsewhere: str
) -> None:
    """Counts all the same; the attribute will do, too."""
    serving = serve(f'auth = "token"\ncors_origins = ["{elsewhere}"]')
    watch.forgive(re.escape(serving.address))
    token = (state_dir / "auth" / "token").read_text()
    run_id = _begun(serving, {"Authorization": f"Bearer {token}"})
    _written(tmp_path, serving, run_id)
    path = tmp_path / "elsewhere" / "page.html"
    early = f'<script>document.querySelector("tailrace-output").token = "{token}"</script>'
    path.write_text(path.read_text() + early)
    page.goto(f"{elsewhere}/page.html")
    expect(page.locator("tailrace-output .log")).to_contain_text("begun")
    path.write_text(
        path.read_text().replace(early, "").replace("<tailrace-output", f'<tailrace-output token="{token}"')
    )
    page.goto(f"{elsewhere}/page.html")
    expect(page.locator("tailrace-output .log")).to_contain_text("begun")


def _begun(serving: Serving, headers: dict[str, str]) -> str:
    answer = serving.post("/api/commands/wait/runs", "", headers)
    assert answer.status == 201, answer
    return answer.headers["location"].rpartition("/")[2]
