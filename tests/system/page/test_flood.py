"""A million lines in ten seconds, and the page beside it: it answers, it stays small, and it has every line."""

import sys
from itertools import cycle
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tailrace
from tests.support.logview import MOST_HEAP_BYTES, Answers, LogView, heap_bytes, used_heap_bytes
from tests.system.server.conftest import Serve

LINES = 1_000_000
FLOOD = f"""
import sys, time
begun = time.monotonic()
for block in range(1000):
    numbers = range(block * 1000, block * 1000 + 1000)
    lines = (f"{{number}} the quick brown fox {{'=' * (number * 31 % 97)}}\\n" for number in numbers)
    sys.stdout.write("".join(lines))
    sys.stdout.flush()
    time.sleep(max(0, begun + (block + 1) / 100 - time.monotonic()))
assert block * 1000 + 1000 == {LINES}
"""
"""a thousand lines each ten milliseconds, as far as it can"""
KEYS = ("k", "PageUp", "G", "j", "g", "G", "w", "w")


@pytest.mark.timeout(300)
def test_a_flood_is_stood_beside(serve: Serve, page: Page, state_dir: Path, tmp_path: Path) -> None:
    """Keys are answered all along, the heap stays below 100 MB, and no line is missing at the end."""
    program = tmp_path / "flood.py"
    program.write_text(FLOOD)
    serving = serve(f'[commands.flood]\nargv = ["{sys.executable}", "{program}"]')
    run_id = serving.start("flood")
    page.goto(f"{serving.address}runs/{run_id}")
    log, answers = LogView(page), Answers(page)
    heaps = []
    for key in cycle(KEYS):
        answers.press(key)
        heaps.append(used_heap_bytes(page))
        if tailrace.connect().get(run_id).is_finished:
            break
    print(f"{len(heaps)} keys, at most {max(answers.milliseconds()):.0f} ms, heap {max(heaps) / 1e6:.1f} MB")  # noqa: T201
    assert len(heaps) >= len(KEYS)
    assert max(heaps) < MOST_HEAP_BYTES
    expect(page.locator(".head .state")).to_have_text("exited 0")
    lines = (state_dir / "runs" / run_id / "output").read_text().splitlines()
    page.keyboard.press("G")
    assert log.when_shown(LINES).startswith(f"{LINES - 1} ")
    assert LINES + 1 not in log.shown()
    assert len(lines) == LINES
    for number in (1, 2, 1000, 123_456, 500_000, 777_777, 999_999, LINES):
        assert log.line(number) == lines[number - 1]
    assert heap_bytes(page) < MOST_HEAP_BYTES
