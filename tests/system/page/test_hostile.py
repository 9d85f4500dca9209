"""Output that attacks: shown harmlessly, as lines and on a terminal, live and played again."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

import tailrace
from tests.support.logview import MOST_HEAP_BYTES, Answers, LogView, heap_bytes
from tests.support.page import Watch, assert_accessible
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

MARKUP = rb"""<script>window.ran = 1; alert(1)</script>
<img src=x onerror="window.ran = 1; alert(2)"><svg onload="window.ran = 1">
</pre></div><iframe src="javascript:parent.ran = 1"></iframe><style>body{display:none}</style>
&lt;b&gt; &amp; <!-- ]]> {{7*7}} ${7*7} <a href="javascript:window.ran=1">link</a>
<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/"><base href="http://127.0.0.1:9/">
<link rel="stylesheet" href="http://127.0.0.1:9/evil.css"><object data="http://127.0.0.1:9/">
"""
LINKS = (
    b"javascript:window.ran=1 data:text/html,<script>window.ran=1</script> vbscript:x file:///etc/passwd\n"
    b"\x1b]8;;javascript:window.ran=1\x1b\\a link of a script\x1b]8;;\x1b\\\n"
    b"\x1b]8;;data:text/html,<script>alert(1)</script>\x07a link of data\x1b]8;;\x07\n"
    b"\x1b]8;;JaVaScRiPt:window.ran=1\x07a link in capitals\x1b]8;;\x07\n"
    b"\x1b]8;; javascript:window.ran=1\x07a link behind a space\x1b]8;;\x07\n"
    b"\x1b]8;;http://user:secret@127.0.0.1:9/%0d%0a\x07an odd link\x1b]8;;\x07\n"
    b"see https://example.org/page\x1b[31m?q=<script>\x1b[0m\n"
)
COMMANDING = (
    b"\x1b]0;stolen title\x07\x1b]1;stolen icon\x07\x1b]2;stolen title\x1b\\titles\n"
    b"\x1b]52;c;c3RvbGVuIGNsaXBib2FyZA==\x07\x1b]52;p;c3RvbGVu\x1b\\\x1b]52;c;?\x07clipboard\n"
    b"\x1b]9;stolen notice\x07\x1b]777;notify;stolen;notice\x07\x1b]1337;File=inline=1:AAAA\x07notices\n"
    b"\x1b[5n\x1b[6n\x1b[c\x1b[>c\x1b[21t\x1b[18t\x1bP$qm\x1b\\\x1b]4;1;?\x07\x1b]10;?\x07questions\n"
    b"\x1b[8;9999;9999t\x1b[3;0;0t\x1b[2t\x1b[?1049h\x1b[?1003h\x1b[?25l\x1bc\x1b[2J\x1b[3J\x1b[9999999999b windows\n"
    b"\x1b]\x1bP\x1b_\x1b^ begun and never ended\n"
    b"\x1b\\and on\n"
)
RIGHT_TO_LEFT = (
    "name\u202etxt.exe \u2066\u2067\u2068 \u200e\u200f \u061c isolated\u2069 and after\nthe next line\n".encode()
)
BYTES = (
    b"\x00\x00 NULs \x00\n\xff\xfe\xc0\x80 \xed\xa0\x80 no UTF-8 \xf4\x90\x80\x80\n"
    b"\x01\x02\x03\x07\x08\x0b\x0c\x0e\x7f\x9b31m\n"
)
KINDS = {
    "markup": MARKUP,
    "links": LINKS,
    "commanding": COMMANDING,
    "right to left": RIGHT_TO_LEFT,
    "bytes": BYTES,
    "escapes": b"".join(b"\x1b[%d;%d;%dm\x1b[%dC" % (n % 108, 38, n % 7, n % 300) for n in range(560_000)) + b"\n",
    "an escape without an end": b"\x1b[" + b"1;" * 2_500_000 + b"m\n\x1b]0;" + b"x" * 5_000_000 + b"\n",
    "combining": b"e" + "\u0301".encode() * 1_000_000 + b"\n" + ("a\u0308" * 300_000).encode() + b"\n",
    "long": b"x" * 12_000_000 + b"\n" + b"y \t" * 3_000_000 + b"\n",
    "returns": b"".join(b"%d %%\r" % n for n in range(1_000_000)) + b"\n" + b"\x08" * 2_000_000 + b"\n",
}
LAST = b"\x1b\\\x0f\x1b[0mthe last line\n"
"""behind the end of whatever was begun: on a terminal all up to there belongs to that"""
SPIES = """() => {
  window.ran = 0; window.written = [];
  for (const name of ["writeText", "write", "readText", "read"])
    navigator.clipboard[name] = async what => { window.written.push(name + what); };
  const command = document.execCommand.bind(document);
  document.execCommand = (...how) => { window.written.push(how[0]); return command(...how); };
  const open = window.open; window.open = (...how) => { window.written.push("open " + how[0]); return open(...how); };
  window.Notification = class { constructor(title) { window.written.push("notice " + title); } };
}"""


@pytest.fixture
def hostile(serve: Serve, tmp_path: Path) -> Serving:
    """Give a server with a command that prints whatever is in a file, on pipes and on a terminal."""
    program = tmp_path / "print.py"
    program.write_text("import shutil, sys; shutil.copyfileobj(open(sys.argv[1], 'rb'), sys.stdout.buffer)")
    argv = f'argv = ["{sys.executable}", "{program}", "{tmp_path / "hostile"}"]'
    return serve(f"[commands.lines]\n{argv}\n[commands.terminal]\n{argv}\npty = true")


def _printed(serving: Serving, tmp_path: Path, command: str, data: bytes) -> str:
    (tmp_path / "hostile").write_bytes(data + LAST)
    run_id = serving.start(command)
    wait_for(lambda: tailrace.connect().get(run_id).is_finished, 90)
    return run_id


def _spied_on(page: Page) -> list[str]:
    """Have everything noted that output must not do."""
    page.add_init_script(f"({SPIES})()")
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    return dialogs


def _assert_harmless(page: Page, watch: Watch, dialogs: list[str], name: str) -> None:
    """Nothing ran, was asked for, was renamed, or was written to the clipboard."""
    assert not dialogs
    assert page.evaluate("[window.ran, ...window.written]") == [0]
    assert name in page.title()
    assert "stolen" not in page.title()
    assert len(page.context.pages) == 1
    assert not watch.faults()
    addresses = page.evaluate(
        "[...document.querySelectorAll('.log a, .terminal-screen a')].map(link => new URL(link.href).protocol)"
    )
    assert set(addresses) <= {"http:", "https:"}
    inside = ".log-text :not(a, span, mark), .log script, .log img, .log iframe"
    assert page.locator(inside).count() == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(300)
def test_lines_are_harmless(hostile: Serving, page: Page, watch: Watch, tmp_path: Path, kind: str) -> None:
    """They are text; the page answers keys, and stays small."""
    dialogs = _spied_on(page)
    page.goto(f"{hostile.address}runs/{_printed(hostile, tmp_path, 'lines', KINDS[kind])}")
    log, answers = LogView(page), Answers(page)
    expect(page.locator(".log")).to_contain_text("the last line")
    for key in ("g", "PageDown", "j", "w", "PageDown", "g", "PageDown", "w", "G", "k", "G"):
        answers.press(key)
    expect(page.locator(".log")).to_contain_text("the last line")
    assert log.line(1) is not None
    _assert_harmless(page, watch, dialogs, "lines")
    assert heap_bytes(page) < MOST_HEAP_BYTES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(300)
def test_a_terminal_is_harmless(hostile: Serving, page: Page, watch: Watch, tmp_path: Path, kind: str) -> None:
    """Played again, to its end."""
    dialogs = _spied_on(page)
    page.goto(f"{hostile.address}runs/{_printed(hostile, tmp_path, 'terminal', KINDS[kind])}")
    answers = Answers(page)
    page.get_by_role("button", name="Replay").click()
    expect(page.locator(".xterm-rows")).to_be_visible()
    page.get_by_label("Moment").focus()
    page.keyboard.press("End")
    expect(page.locator(".xterm-rows")).to_contain_text("the last line")
    answers.press("?")
    page.keyboard.press("Escape")
    _assert_harmless(page, watch, dialogs, "terminal")


def test_a_live_terminal_is_harmless(hostile: Serving, page: Page, watch: Watch, tmp_path: Path) -> None:
    """It answers no question either, with which a command could type into itself."""
    dialogs = _spied_on(page)
    data = b"".join(KINDS[kind] for kind in ("markup", "links", "right to left", "bytes", "commanding"))
    (tmp_path / "hostile").write_bytes(data + LAST)
    page.goto(f"{hostile.address}commands/terminal")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".head .state")).to_have_text("exited 0")
    expect(page.locator(".log, .xterm-rows").first).to_contain_text("the last line")
    _assert_harmless(page, watch, dialogs, "terminal")


def test_what_is_shown_is_what_was_written(hostile: Serving, page: Page, tmp_path: Path) -> None:
    """Markup can be read as it is; a name that is written backwards does not turn what stands beside it."""
    page.goto(f"{hostile.address}runs/{_printed(hostile, tmp_path, 'lines', MARKUP + RIGHT_TO_LEFT)}")
    log = LogView(page)
    for number, line in enumerate(MARKUP.decode().splitlines(), 1):
        assert log.line(number) == line
    first = page.locator(".log-row", has_text="txt.exe")
    left, right = first.locator(".log-number").bounding_box(), first.locator(".log-text").bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] < right["x"]
    assert first.locator(".log-text").evaluate("each => getComputedStyle(each).unicodeBidi") in {"isolate", "plaintext"}
    assert_accessible(page)
