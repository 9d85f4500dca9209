"""An output of 300 MB with irregular lines, by a real command: opened at its end, gone to by number, searched.

The benchmark (`python -m bench --only page`) does the same with ten gigabytes, and takes the time.
"""

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.logview import MOST_HEAP_BYTES, LogView, heap_bytes
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve

BLOCKS, LINES = 65, 40_000
PROGRAM = f"""
import sys
block = b"".join(b"%d %s\\n" % (n, b"x" * (n * 37 % 220)) for n in range({LINES}))
for number in range({BLOCKS}):
    sys.stdout.buffer.write(b"block %d\\n" % number + block)
print("the very end")
"""
TOTAL = BLOCKS * (LINES + 1) + 1


def _text(number: int) -> str:
    """Return what the line with this number says."""
    block, line = divmod(number - 1, LINES + 1)
    if number == TOTAL:
        return "the very end"
    return f"block {block}" if line == 0 else f"{line - 1} {'x' * ((line - 1) * 37 % 220)}"


@pytest.mark.timeout(300)
def test_a_large_output_is_seen_from_anywhere(serve: Serve, page: Page, state_dir: Path, tmp_path: Path) -> None:
    """At its end at once, at any line by number, at what was found, and by the scroll bar; the heap stays small."""
    program = tmp_path / "large.py"
    program.write_text(PROGRAM)
    serving = serve(f'[commands.large]\nargv = ["{sys.executable}", "{program}"]')
    run_id = serving.start("large")
    wait_for(lambda: tailrace.connect().get(run_id).is_finished, 120)
    assert (state_dir / "runs" / run_id / "output").stat().st_size > 300_000_000
    page.goto(f"{serving.address}runs/{run_id}")
    log = LogView(page)
    expect(page.locator(".log")).to_contain_text("the very end")
    for number in (1, 2, 40_001, 40_002, 1_300_000, 2_000_000, TOTAL - 1, TOTAL):
        assert log.line(number) == _text(number)
    page.keyboard.press("/")
    page.get_by_label("Search the output").fill("block 41")
    expect(page.locator(".search .found")).to_have_text(re.compile(r"^1 of 1"))
    hit = 41 * (LINES + 1) + 1
    assert log.when_shown(hit) == "block 41"
    assert log.when_shown(hit + 1) == _text(hit + 1)
    for share in (0.1, 0.77, 0.5):
        page.evaluate(
            "share => { const at = document.querySelector('.log-scroller'); at.scrollTop = at.scrollHeight * share }",
            share,
        )
        wait_for(lambda: (shown := log.shown()) and any(abs(number / TOTAL - share) < 0.05 for number in shown), 90)  # noqa: B023  it is called within the loop
        assert all(text == _text(number) for number, text in log.shown().items())
    assert heap_bytes(page) < MOST_HEAP_BYTES
