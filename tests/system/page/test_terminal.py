"""The terminal on a run's page: programs that draw, what is typed and pasted, the size, other viewers, the replay."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.page import assert_accessible
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

ROWS = ".xterm-rows"
COMMANDS = """
[commands.shell]
argv = ["sh"]
pty = true
env = {{ PS1 = "$ " }}
[commands.less]
argv = ["less", "{text}"]
pty = true
[commands.vim]
argv = ["vim", "-u", "NONE", "-n", "--cmd", "set shortmess+=F", "{text}"]
pty = true
[commands.reader]
argv = ["sh", "-c", "printf '\\\\033[?2004h'; stty raw -echo; head -c 30 | od -c; stty sane; read line"]
pty = true
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Give a file of a thousand lines."""
    path = tmp_path / "text"
    path.write_text("".join(f"line {number} of the text\n" for number in range(1, 1001)))
    return path


@pytest.fixture
def terminals(serve: Serve, text: Path) -> Serving:
    """Give a server with commands that want a terminal."""
    return serve(COMMANDS.format(text=text))


def _opened(page: Page, serving: Serving, run_id: str) -> Page:
    page.goto(f"{serving.address}runs/{run_id}")
    expect(page.locator(ROWS)).to_be_visible()
    expect(page.locator(".xterm-helper-textarea")).to_be_focused()
    return page


def _says(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.locator(ROWS)).to_contain_text(words)


def test_less_is_read_from_the_keyboard(terminals: Serving, page: Page) -> None:
    """A page on, to the end, a search, and out."""
    run_id = terminals.start("less")
    _opened(page, terminals, run_id)
    _says(page, "line 1 of the text")
    page.keyboard.press("Space")
    _says(page, "line 40 of the text")
    page.keyboard.press("G")
    _says(page, "line 1000 of the text")
    page.keyboard.type("?line 500 ")
    page.keyboard.press("Enter")
    _says(page, "line 500 of the text")
    page.keyboard.press("q")
    expect(page.locator(".head .state")).to_have_text("exited 0")


def test_vim_edits_a_file_from_the_keyboard(terminals: Serving, page: Page, text: Path) -> None:
    """With arrows and Escape, as it is used to."""
    run_id = terminals.start("vim")
    _opened(page, terminals, run_id)
    _says(page, "line 1 of the text")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("Owritten in a browser")
    page.keyboard.press("Escape")
    _says(page, "written in a browser")
    assert_accessible(page)
    page.keyboard.type(":wq")
    page.keyboard.press("Enter")
    expect(page.locator(".head .state")).to_have_text("exited 0")
    assert text.read_text().splitlines()[1] == "written in a browser"


def test_a_paste_is_told_from_typing(terminals: Serving, page: Page) -> None:
    """Bracketed, where the program has asked for that; so an editor does not take it for commands."""
    run_id = terminals.start("reader")
    _opened(page, terminals, run_id)
    wait_for(lambda: tailrace.connect().get(run_id).size > 0)
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text/plain", "pasted\\ntwice");
          const at = document.querySelector(".xterm-helper-textarea");
          at.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    page.keyboard.type("typed...")
    _says(page, re.compile(r"033\s+\[\s+2\s+0\s+0\s+~\s+p\s+a\s+s\s+t\s+e\s+d\s+\\[rn]\s+t\s+w"))
    page.keyboard.press("Enter")
    expect(page.locator(".head .state")).to_have_text("exited 0")


def test_the_window_s_size_reaches_the_program(terminals: Serving, page: Page) -> None:
    """Also when it changes."""
    run_id = terminals.start("shell")
    page.set_viewport_size({"width": 1200, "height": 900})
    _opened(page, terminals, run_id)
    first = _typed_size(page, run_id)
    page.set_viewport_size({"width": 700, "height": 500})
    wait_for(lambda: _typed_size(page, run_id) < first)
    wait_for(lambda: _typed_size(page, run_id)[0] < first[0])  # in a window that is too low for the page, too
    page.keyboard.type("exit")
    page.keyboard.press("Enter")
    expect(page.locator(".head .state")).to_have_text("exited 0")


def test_two_viewers_see_the_same(terminals: Serving, page: Page) -> None:
    """What one types, the other sees; the one who types last has the size."""
    run_id = terminals.start("shell")
    _opened(page, terminals, run_id)
    other = page.context.new_page()
    _opened(other, terminals, run_id)
    page.bring_to_front()
    page.locator(".xterm-helper-textarea").focus()
    page.keyboard.type("echo from the $((1 + 0))st")
    page.keyboard.press("Enter")
    for each in (page, other):
        _says(each, "from the 1st")
    other.bring_to_front()
    other.locator(".xterm-helper-textarea").focus()
    other.keyboard.type("echo from the $((1 + 1))nd; exit 5")
    other.keyboard.press("Enter")
    for each in (page, other):
        expect(each.locator(".head .state")).to_have_text("exited 5")
        _says(each, "from the 2nd")


def test_another_tab_has_the_size_of_who_types(terminals: Serving, page: Page) -> None:
    """It follows, and does not answer with its own; whoever begins to type there has it."""
    run_id = terminals.start("shell")
    page.set_viewport_size({"width": 1200, "height": 900})
    _opened(page, terminals, run_id)
    first = _size(run_id, lambda size: size[1] > 100)
    other = page.context.new_page()
    other.set_viewport_size({"width": 700, "height": 600})
    _opened(other, terminals, run_id)
    second = _size(run_id, lambda size: size[1] < first[1])
    for each in (page, other):
        _has_rows(each, second[0])
    page.bring_to_front()
    page.keyboard.press("Shift+Escape")
    page.locator(".xterm-helper-textarea").focus()
    _size(run_id, lambda size: size == first)
    for each in (page, other):
        _has_rows(each, first[0])
    assert tailrace.connect().get(run_id).rows == first[0]


def test_a_terminal_has_no_tools_for_lines(terminals: Serving, page: Page) -> None:
    """Nor keys; with its lines they come back."""
    run_id = terminals.start("shell")
    _opened(page, terminals, run_id)
    tools = page.get_by_role("toolbar", name="Output")
    expect(tools.get_by_role("button", name="Terminal")).to_be_visible()
    expect(tools.get_by_role("button", name="Download")).to_be_visible()
    for name in ("Search", "Follow", "Wrap lines (w)", "Line numbers (#)", "Times"):
        expect(tools.get_by_role("button", name=name)).to_have_count(0)
    page.keyboard.press("Shift+Escape")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("the terminal, or lines")
    expect(sheet).not_to_contain_text("line numbers, or not")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Search the output")).to_have_count(0)
    page.keyboard.press("x")
    expect(tools.get_by_role("button", name="Search")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Search the output")).to_be_focused()


def test_a_replay_is_resized_where_the_run_was(terminals: Serving, page: Page) -> None:
    """At its begin it has the first size, at its end the last."""
    run_id = terminals.start("shell")
    run = tailrace.connect().get(run_id)
    assert (run.rows, run.columns) == (24, 80)
    handle = tailrace.Run(tailrace.connect(), run_id)
    wait_for(lambda: b"$ " in _output(run_id))
    handle.send(b"echo small\n")
    wait_for(lambda: b"\nsmall" in _output(run_id))
    handle.resize(12, 60)
    handle.send(b"echo smaller; exit\n")
    handle.wait(60)
    page.goto(f"{terminals.address}runs/{run_id}")
    page.get_by_role("button", name="Replay").click()
    _says(page, "smaller")
    _has_rows(page, 12)
    page.get_by_label("Moment").focus()
    page.keyboard.press("Home")
    _has_rows(page, 24)


def test_nobody_is_kept_in_the_terminal(terminals: Serving, page: Page) -> None:
    """Shift+Escape leaves it, and then keys are the page's again."""
    run_id = terminals.start("shell")
    _opened(page, terminals, run_id)
    page.keyboard.press("Shift+Escape")
    expect(page.locator(".xterm-helper-textarea")).not_to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(".log-scroller")).to_be_visible()


def test_a_run_is_played_again(terminals: Serving, page: Page) -> None:
    """With a scrubber that leads to any moment, by keys too."""
    run_id = terminals.start("shell")
    _opened(page, terminals, run_id)
    page.keyboard.type("echo fir''st; sleep 2; echo sec''ond; exit")
    page.keyboard.press("Enter")
    expect(page.locator(".head .state")).to_have_text("exited 0")
    page.reload()
    page.get_by_role("button", name="Replay").click()
    _says(page, "second")
    moment = page.get_by_label("Moment")
    moment.focus()
    page.keyboard.press("Home")
    expect(page.locator(ROWS)).not_to_contain_text("second")
    assert_accessible(page)
    page.keyboard.press("End")
    _says(page, "first")
    _says(page, "second")
    page.get_by_label("Speed").select_option("16")


def _typed_size(page: Page, run_id: str) -> tuple[int, int]:
    """Return the rows and columns that a program on the terminal is told."""
    begun = tailrace.connect().get(run_id).size
    page.keyboard.type("stty size")
    page.keyboard.press("Enter")
    wait_for(lambda: re.search(rb"\n\d+ \d+\r\n", _output(run_id)[begun:]))
    found = re.findall(rb"\n(\d+) (\d+)\r\n", _output(run_id)[begun:])
    return int(found[-1][0]), int(found[-1][1])


def _size(run_id: str, is_wanted: Callable[[tuple[int, int]], bool]) -> tuple[int, int]:
    """Return the size that the run's terminal has, when it is that."""

    def found() -> tuple[int, int] | None:
        info = tailrace.connect().get(run_id)
        size = info.rows or 0, info.columns or 0
        return size if is_wanted(size) else None

    return wait_for(found) or (0, 0)


def _has_rows(page: Page, rows: int) -> None:
    expect(page.locator(f"{ROWS} > div")).to_have_count(rows)


def _output(run_id: str) -> bytes:
    return Path(os.environ["TAILRACE_STATE"], "runs", run_id, "output").read_bytes()
