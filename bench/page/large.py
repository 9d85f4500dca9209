"""Ten gigabytes of irregular lines, written by a command: opened at the end, gone to by number, searched."""

import random
import time
from pathlib import Path

from playwright.sync_api import Page

from bench import machine
from bench.page.opened import Opened, opened, version
from bench.report import Figure, Measured, median, spread
from tests.support.wait import wait_for

BLOCKS = 2140
BLOCK_LINES = 40_000
LINE = 50_000_000
ROUNDS = 5
WANTED_MS = 1000.0
SHARES = (1, 10, 50)
"""where there is a hit, in percent of the output"""
PATIENCE_S = 900.0
PROGRAM = f"""
import sys
block = b"".join(b"%d %s\\n" % (n, b"x" * (n * 37 % 220)) for n in range({BLOCK_LINES}))
for number in range({BLOCKS}):
    sys.stdout.buffer.write(b"block %d\\n" % number + block)
print("the very end")
"""
LAST = "the very end"


def measure(place: Path) -> Measured:
    """Have it written, then look at it in a browser that knows nothing of it."""
    with opened(place, "large", {"large": PROGRAM}) as at:
        run_id = at.serving.start("large")
        output = at.output(run_id)
        wait_for((output.parent / "result.json").exists, PATIENCE_S)
        size = output.stat().st_size
        first = [_reached(at, run_id, LINE)]
        _is_counted(at, run_id)
        ends = [_opened_at_end(at, run_id) for _ in range(ROUNDS)]
        numbers = [LINE, *_numbers(ROUNDS - 1)]
        reached = [_reached(at, run_id, number) for number in numbers]
        hits = [_found(at, run_id, f"block {BLOCKS * share // 100}") for share in SHARES]
        output.write_bytes(b"")
    conditions = f"{size / 1e9:.1f} GB, {BLOCKS * (BLOCK_LINES + 1) + 1:,} lines, written by a command through a keeper"
    conditions += f"; {version()}, headless, nothing cached; {machine.file_system(place)}"
    return Measured(
        figures=[
            _figure("opened at its end, from the navigation's start", ends, conditions),
            _figure("line 50,000,000, and others, from Enter to its row", reached, conditions),
        ],
        details=[
            f"line 50,000,000 as the first thing that is asked, right after the run's end: {first[0]:.0f} ms",
            *(
                f"the only hit, at {share} % of 10 GB: the server {server:.2f} s, the page {page:.2f} s"
                for share, (server, page) in zip(SHARES, hits, strict=True)
            ),
        ],
    )


def _figure(what: str, values: list[float], conditions: str) -> Figure:
    return Figure(
        what=f"10 GB: {what}; the slowest",
        wanted=f"< {WANTED_MS:g} ms",
        measured=f"{max(values):.0f} ms",
        spread=f"median {median(values):.0f} ms; {spread(values, 'ms', 0)}",
        is_met=max(values) < WANTED_MS,
        conditions=conditions,
    )


def _numbers(count: int) -> list[int]:
    source = random.Random(5)  # noqa: S311  it is to be alike in every run
    return [source.randrange(1, BLOCKS * (BLOCK_LINES + 1)) for _ in range(count)]


def _text(number: int) -> str:
    """Return what the line with this number says."""
    block, line = divmod(number - 1, BLOCK_LINES + 1)
    return f"block {block}" if line == 0 else f"{line - 1} {'x' * ((line - 1) * 37 % 220)}"


def _is_counted(at: Opened, run_id: str) -> None:
    """Wait until the server has counted all lines."""
    wait_for(lambda: b'"total":null' not in at.serving.ask(f"/api/runs/{run_id}/lines?last=1").body, PATIENCE_S)


def _opened_at_end(at: Opened, run_id: str) -> float:
    with at.page(f"runs/{run_id}") as page:
        return float(page.evaluate(f"window.whenText('{LAST}')")[0])


def _reached(at: Opened, run_id: str, number: int) -> float:
    """Return the milliseconds from Enter until the line is shown, which must be the right one."""
    with at.page(f"runs/{run_id}") as page:
        page.evaluate(f"window.whenText('{LAST}')")
        field = page.locator("[data-jump]")
        field.fill(str(number))
        field.press("Enter")
        shown, text = page.evaluate(f"window.whenLine({number})")
        assert text == _text(number), (number, text)
        return float(shown) - float(page.evaluate("window.pressedAt"))


def _found(at: Opened, run_id: str, needle: str) -> tuple[float, float]:
    """Return the seconds in which the server alone, and then the page, reaches what is searched for."""
    begun = time.monotonic()
    path = f"/api/runs/{run_id}/search?format=ndjson&q={needle.replace(' ', '+')}"
    with at.serving.asking(path) as response:
        next(line for line in response if b'"match":' in line)  # the first hit
    server = time.monotonic() - begun
    with at.page(f"runs/{run_id}") as page:
        page.evaluate(f"window.whenText('{LAST}')")
        shown = _searched(page, needle)
    return server, shown


def _searched(page: Page, needle: str) -> float:
    page.locator(".log-scroller").focus()
    page.keyboard.press("/")
    field = page.get_by_label("Search the output")
    field.fill(needle)
    field.press("Enter")
    shown, _text = page.evaluate(f"window.whenText('{needle}')")
    return (float(shown) - float(page.evaluate("window.pressedAt"))) / 1000
