"""A million lines in ten seconds: how soon the page beside it answers keys, and how much its script holds."""

from itertools import cycle
from pathlib import Path

from playwright.sync_api import Page

from bench import machine
from bench.page.opened import Opened, opened, version
from bench.report import Figure, Measured, quantile, spread
from tests.support.logview import Answers, LogView, used_heap_bytes

LINES = 1_000_000
SAMPLES = 40
WANTED_MS = 100.0
WANTED_HEAP_MB = 100.0
KEYS = ("k", "PageUp", "G", "j", "g", "PageDown", "G", "w", "w", "k", "G", "#", "#")
PROGRAM = """
import sys, time
begun = time.monotonic()
for block in range(1000):
    numbers = range(block * 1000, block * 1000 + 1000)
    sys.stdout.write("".join(f"{number} the quick brown fox {'=' * (number * 31 % 97)}\\n" for number in numbers))
    sys.stdout.flush()
    time.sleep(max(0, begun + (block + 1) / 100 - time.monotonic()))
print(f"{time.monotonic() - begun:.1f}", file=sys.stderr)
"""


def measure(place: Path) -> Measured:
    """Press keys for as long as it prints; then see that every line is there."""
    with opened(place, "flood", {"flood": PROGRAM}) as at:
        run_id = at.serving.start("flood")
        with at.page(f"runs/{run_id}") as page:
            page.wait_for_load_state("load")
            keys, heaps = _pressed(page, at.output(run_id).parent / "result.json")
            took = _assert_all_is_there(page, at, run_id)
    conditions = (
        f"{LINES:,} lines in {took} s, sampled lines equal; {version()}, headless; {machine.file_system(place)}"
    )
    return Measured(
        figures=[
            Figure(
                what="a key, to behind the frame that answers it, in a flood; the slowest",
                wanted=f"< {WANTED_MS:g} ms",
                measured=f"{max(keys):.0f} ms",
                spread=f"p50 {quantile(keys, 0.5):.0f}, p95 {quantile(keys, 0.95):.0f} ms; {spread(keys, 'ms', 0)}",
                is_met=max(keys) < WANTED_MS,
                conditions=conditions,
            ),
            Figure(
                what="the script's heap in a flood, rubbish and all; the most",
                wanted=f"< {WANTED_HEAP_MB:g} MB",
                measured=f"{max(heaps):.0f} MB",
                spread=spread(heaps, "MB", 0),
                is_met=max(heaps) < WANTED_HEAP_MB,
                conditions=conditions,
            ),
        ]
    )


def _pressed(page: Page, result: Path) -> tuple[list[float], list[float]]:
    """Press one key after the other until the run is over; return how long each took, and the heap behind each."""
    LogView(page)
    answers, heaps = Answers(page), []
    for key in cycle(KEYS):
        answers.press(key)
        heaps.append(used_heap_bytes(page) / 1e6)
        if result.exists():
            break
    return answers.milliseconds(), heaps


def _assert_all_is_there(page: Page, at: Opened, run_id: str) -> str:
    """See that the page has what the file has; return how long the command printed."""
    log = LogView(page)
    *lines, took = at.output(run_id).read_text().splitlines()
    assert len(lines) == LINES
    page.keyboard.press("G")
    assert log.when_shown(LINES + 1) == took
    for number in range(1, LINES + 1, LINES // SAMPLES):
        assert log.line(number) == lines[number - 1], number
    return took
