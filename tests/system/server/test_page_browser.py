"""The pages in Chromium."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

import tailrace
from tests.support.browser import DEADLINE_S
from tests.support.page import Page, opened
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

Open = Callable[[str], AbstractContextManager[Page]]
until = partial(wait_for, deadline=DEADLINE_S)


@pytest.fixture
def open_page(browse: Callable[[str], None], tmp_path: Path) -> Open:
    """Give what opens a page and can look into it."""
    return partial(opened, browse, tmp_path / "profile")


def test_a_run_is_started_followed_and_typed_into(serving: Serving, open_page: Open) -> None:
    """From the form to the run's page, a line in, its answer out, the end of the input, and how it ended."""
    with open_page(serving.address) as page:
        page.value("document.querySelector('form[action$=\"/echo\"] button').click()")
        until(lambda: page.text("#head h1") == "echo")
        page.value("document.querySelector('#typed').value = 'hello'; document.querySelector('#input button').click()")
        until(lambda: page.text("#output") == "got hello\n")
        assert page.value("document.querySelector('#typed').value") == ""
        page.value("document.querySelector('#close').click()")
        until(lambda: page.text(".state") == "exited 0")
        until(lambda: page.value("document.querySelector('#stop').hidden"))
        assert "Signals" not in page.text("#head")


def test_the_stop_button_goes_down_the_ladder(serving: Serving, open_page: Open) -> None:
    """It stops; what is said of the run follows without the page being loaded again."""
    run_id = serving.start("wait")
    with open_page(f"{serving.address}runs/{run_id}") as page:
        until(lambda: page.text("#output") == "begun\n")
        page.value("document.querySelector('#stop').click()")
        until(lambda: page.text(".state") == "stopped")
        until(lambda: "INT" in page.text("#head"))


def test_the_ladder_is_shown_while_it_is_climbed(serving: Serving, open_page: Open) -> None:
    """Each signal when it was sent, of a run that does not mind."""
    script = "trap '' 2 15; echo begun; while :; do sleep 1; done"
    run = tailrace.connect().start(["sh", "-c", script], ladder=[("INT", 600), ("TERM", 600), ("KILL", 0)])
    with open_page(f"{serving.address}runs/{run.id}") as page:
        until(lambda: page.text("#output") == "begun\n")
        page.value("document.querySelector('#stop').click()")
        until(lambda: "INT" in page.text("#head"))
        assert page.text(".state") == "stopping"
        until(lambda: page.text("#stop") == "Stop now")
        page.value("document.querySelector('#stop').click()")
        until(lambda: "INT, TERM" in page.text("#head"))
        assert page.text(".state") == "stopping"
        run.stop(now=True)
        until(lambda: "INT, TERM, KILL" in page.text("#head"))


def test_the_page_goes_on_where_it_was_after_a_restart(serve: Serve, open_page: Open, tmp_path: Path) -> None:
    """It says that it reconnects; no line is missing or twice."""
    first = serve()
    gate = tmp_path / "gate"
    script = 'seq 20; until [ -e "$0" ]; do sleep 0.02; done; seq 21 40'
    run = tailrace.connect().start(["sh", "-c", script, str(gate)])
    with open_page(f"{first.address}runs/{run.id}") as page:
        until(lambda: page.text("#output").endswith("20\n"))
        assert first.stop() == 0
        until(lambda: page.text("#link") == "Reconnecting…")
        gate.touch()
        run.wait(60)
        serve("", "--port", str(first.port))
        until(lambda: page.text(".state") == "exited 0")
        whole = "".join(f"{number}\n" for number in range(1, 41))
        until(lambda: page.text("#output") == whole)  # which is painted a moment after it came
        assert page.text("#link") == ""


def test_output_is_text_and_only_so_much_of_it_is_kept(serving: Serving, open_page: Open) -> None:
    """Markup stays text, colours colour, other sequences do nothing, and the page says that it has the last lines."""
    script = (
        r"seq 30000; printf '<img src=x onerror=alert(1)>\n\033[31mred\033[0m plain\033]0;title\007\n'; "
        r"printf '10%%\r20%%\r100%%\n'; printf 'err\n' >&2"
    )
    run = tailrace.connect().start(["sh", "-c", script])
    run.wait(60)
    with open_page(f"{serving.address}runs/{run.id}") as page:
        until(lambda: "100%" in page.text("#output") and "err" in page.text("#output"))
        text = page.text("#output")
        assert "<img src=x onerror=alert(1)>\nred plain\n" in text
        assert "10%" not in text
        assert page.value("document.querySelectorAll('#output img').length") == 0
        assert page.value("document.querySelector('#output span span').style.color") == "var(--c1)"
        assert 4000 < text.count("\n") <= 5001
        assert "last 5,000 lines" in page.text("#kept")


@pytest.mark.parametrize("width", [390, 1024, 1920])
def test_nothing_is_wider_than_the_screen(serving: Serving, open_page: Open, width: int) -> None:
    """On a telephone, a tablet and a desk, with a long line in it."""
    run = tailrace.connect().start(["sh", "-c", f"echo {'x' * 500}"])
    run.wait(60)
    with open_page(serving.address) as page:
        for path in ("", "commands/count", f"runs/{run.id}"):
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            page.command("Emulation.setDeviceMetricsOverride", **size)
            page.command("Page.navigate", url=f"{serving.address}{path}")
            until(lambda: page.value("document.readyState") == "complete")
            assert page.value("document.documentElement.scrollWidth <= innerWidth"), path
