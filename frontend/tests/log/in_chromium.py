"""Try the log view in a real Chromium: `python tests/log/in_chromium.py [--measure] [name …]`, in `frontend/`.

It serves `try.html` with Vite, and needs Playwright and a Chromium (`CHROMIUM`, else `/usr/bin/chromium`). Each check is a
function with a page of its own; what it waits for has a deadline, and nothing is slept for.
"""

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FRONTEND = Path(__file__).parents[2]
AXE = FRONTEND / "node_modules/axe-core/axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
MILLION = 1_000_000

# What is seen: the rows that are in sight, and whether all held rows lie one behind the other without a hole.
SEEN = """() => {
  const root = document.querySelector('#host').shadowRoot ?? document;
  const scroller = root.querySelector('.log-scroller');
  const top = scroller.getBoundingClientRect().top;
  const rows = [...root.querySelectorAll('.log-row')].map((row) => {
    const box = row.getBoundingClientRect();
    const [number, text] = ['.log-number', '.log-text'].map((part) => row.querySelector(part).textContent);
    return {number: Number(number), text, top: box.top - top, bottom: box.bottom - top};
  });
  const seen = rows.filter(({top, bottom}) => bottom > 0.5 && top < scroller.clientHeight - 0.5);
  const joined = rows.every((row, at) => at === 0 || Math.abs(row.top - rows[at - 1].bottom) < 0.1);
  return {held: rows.length, joined, first: seen[0], last: seen.at(-1), scroll: scroller.scrollTop,
          high: scroller.scrollHeight, room: scroller.clientHeight, follows: view.isFollowing};
}"""
CHECKS: dict[str, Callable[[Page], None]] = {}
QUERIES: dict[str, str] = {}


def check(query: str) -> Callable[[Callable[[Page], None]], Callable[[Page], None]]:
    """Make a function a check, with a page that was opened so."""

    def keep(function: Callable[[Page], None]) -> Callable[[Page], None]:
        CHECKS[function.__name__] = function
        QUERIES[function.__name__] = query
        return function

    return keep


def seen(page: Page) -> dict:
    found = page.evaluate(SEEN)
    assert found["joined"], "a hole between rows"
    assert found["first"]["top"] <= 0.5, "something empty above"
    return found


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {{ const s = ({SEEN})(); return s.first && ({condition}); }}", timeout=15_000)


def rest(page: Page) -> None:
    """Wait until nothing moves any more, and the scroller was put right."""
    page.evaluate(
        """async () => {
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          const at = () => JSON.stringify([document.querySelector('.log-scroller')?.scrollTop, view.sight.first]);
          for (let still = 0, before = ''; still < 20; ) {
            await frame();
            still = at() === before ? still + 1 : 0;
            before = at();
          }
        }"""
    )


@check("")
def reaches_any_of_a_hundred_million_rows(page: Page) -> None:
    for line in (1, 5_000, 50 * MILLION, 99_999_000, 100 * MILLION):
        page.evaluate("line => view.goTo({line})", line)
        wait(page, f"s.first.number <= {line} && s.last.number >= {line}")
        assert seen(page)["held"] < 200
        assert page.evaluate("document.querySelectorAll('.is-in-range .log-number')[0].textContent") == str(line)


@check("")
def keys_move(page: Page) -> None:
    page.focus(".log-scroller")
    for key, condition in (
        ("Home", "s.first.number === 1"),
        ("j", "s.first.number === 2"),
        ("ArrowDown", "s.first.number === 3"),
        ("k", "s.first.number === 2"),
        ("PageDown", "s.first.number > 30"),
        ("Shift+Space", "s.first.number === 2"),
        ("End", "s.last.number === 100000000 && s.follows"),
        ("PageUp", "s.last.number < 99999970 && !s.follows"),
        ("Control+Home", "s.first.number === 1"),
        ("Shift+G", "s.last.number === 100000000 && s.follows"),
    ):
        page.keyboard.press(key)
        wait(page, condition)


@check("wrap&latency=20")
def the_wheel_moves_by_pixels_whatever_the_heights(page: Page) -> None:
    tops = "() => Object.fromEntries([...document.querySelectorAll('.log-row')].map((row) =>"
    tops += " [row.querySelector('.log-number').textContent, row.getBoundingClientRect().top]))"
    page.evaluate("view.goTo({line: 70_000_000})")
    rest(page)
    page.mouse.move(300, 300)
    for pixels in (100, -300, 500, 40, -500, 400, -60):
        before = page.evaluate(tops)
        page.mouse.wheel(0, pixels)
        rest(page)
        after = page.evaluate(tops)
        moved = {round(before[number] - after[number]) for number in before if number in after}
        # Those far away may have become higher when they came; of those in sight none has.
        assert pixels in moved, (pixels, moved)
        seen(page)


@check("")
def the_thumb_says_where_in_the_whole(page: Page) -> None:
    page.focus(".log-scroller")
    page.keyboard.press("Home")
    wait(page, "s.scroll === 0")
    box = page.locator(".log-scroller").bounding_box()
    assert box is not None
    x, top = box["x"] + box["width"] - 7, box["y"]
    page.mouse.move(x, top + 22)
    page.mouse.down()
    page.mouse.move(x, top + 22 + box["height"] / 2, steps=12)
    wait(page, "s.first.number > 45e6 && s.first.number < 65e6")
    rest(page)
    before = seen(page)["first"]
    page.mouse.up()
    rest(page)
    assert seen(page)["first"] == before, "moved when let go"
    page.mouse.down()
    page.mouse.move(x, top + box["height"] + 90, steps=12)
    wait(page, "s.last.number === 100000000 && s.follows")
    page.mouse.move(x, top - 90, steps=12)
    wait(page, "s.first.number === 1 && !s.follows")
    page.mouse.up()


@check("count=1000&goes")
def follows_until_one_scrolls_up(page: Page) -> None:
    page.evaluate("source.flow(3000)")
    wait(page, "s.last.number > 2000 && s.follows")
    page.mouse.move(300, 300)
    page.mouse.wheel(0, -300)
    wait(page, "!s.follows")
    rest(page)
    before = seen(page)["first"]
    page.wait_for_function("() => view.newLines > 1000")
    assert seen(page)["first"] == before, "moved though it was let go"
    assert re.fullmatch(r"[\d,]+ new lines", page.inner_text(".log-follow"))
    page.click(".log-follow")
    wait(page, "s.follows")
    page.evaluate("source.flow(0)")
    wait(page, "s.last.number === source.count")
    page.evaluate("source.replace(source.count - 1, 'Continue? ', true)")
    page.wait_for_selector(".has-caret")
    page.evaluate("source.finish()")
    page.wait_for_selector(".has-caret", state="detached")


@check("count=1000000&wrong=12345&latency=5")
def counting_moves_nothing_in_sight(page: Page) -> None:
    page.mouse.move(300, 300)
    page.mouse.wheel(0, -1000)
    rest(page)
    before = seen(page)["first"]
    assert before["number"] == 0
    page.evaluate("source.finishCounting()")
    page.wait_for_function("() => document.querySelector('.log-number').textContent !== ''")
    after = seen(page)["first"]
    assert (after["text"], after["top"]) == (before["text"], before["top"])
    assert after["number"] > 900_000


@check("count=100000&latency=5")
def sizes_and_options_keep_the_row_at_the_top(page: Page) -> None:
    page.evaluate("view.goTo({line: 5000})")
    rest(page)
    page.mouse.move(300, 300)
    page.mouse.wheel(0, 130)
    rest(page)
    before = seen(page)["first"]
    for options in ("{wrap: true}", "{times: 'clock'}", "{numbers: false}", "{wrap: false}", "{numbers: true}"):
        page.evaluate(f"view.setOptions({options})")
        rest(page)
        assert seen(page)["first"]["text"] == before["text"], options
    for width, height in ((390, 844), (1920, 1080), (1024, 400), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        rest(page)
        assert seen(page)["first"]["text"] == before["text"], (width, height)
    page.evaluate("document.documentElement.style.fontSize = '32px'")
    rest(page)
    assert seen(page)["first"]["text"] == before["text"], "zoom"


def select(page: Page, first: int, last: int) -> None:
    rows = page.locator(".log-row")
    for number, act in ((first, page.mouse.down), (last, page.mouse.up)):
        row = rows.filter(has=page.locator(f".log-number:text-is('{number}')")).locator(".log-text").bounding_box()
        assert row is not None
        page.mouse.move(row["x"] + 60, row["y"] + 8, steps=4)
        act()


def copied(page: Page, length: int) -> str:
    page.evaluate("navigator.clipboard.writeText('')")
    page.keyboard.press("Control+c")
    return page.evaluate(
        """async (length) => {
          for (let tries = 0; tries < 1000; tries += 1) {
            const text = await navigator.clipboard.readText();
            if (text.length >= length) return text;
            await new Promise((done) => setTimeout(done, 20));
          }
          throw new Error('nothing was copied');
        }""",
        length,
    )


@check("count=1000000&latency=5")
def what_is_selected_is_copied_wherever_one_is(page: Page) -> None:
    page.focus(".log-scroller")
    page.keyboard.press("Home")
    page.wait_for_function("() => source.row(20) !== undefined")
    rest(page)
    select(page, 3, 10)
    text = copied(page, 100)
    assert text.count("\n") == 7
    assert not re.search(r"^\d", text, re.MULTILINE), "a number was copied"
    page.evaluate("view.goTo({line: 500_000})")
    rest(page)
    assert copied(page, 100) == text
    page.evaluate("view.goTo({line: 3000})")
    rest(page)
    page.keyboard.down("Shift")
    page.locator(".is-in-range .log-text").click(position={"x": 60, "y": 8})
    page.keyboard.up("Shift")
    assert copied(page, 10_000).count("\n") == 2997
    page.focus(".log-scroller")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    page.wait_for_selector("text=more than can be copied")


@check("count=300&goes&shadow")
def works_in_a_shadow_root(page: Page) -> None:
    page.evaluate("document.querySelector('#host').shadowRoot.querySelector('.log-scroller').focus()")
    page.keyboard.press("Control+a")
    assert copied(page, 1000).count("\n") == 299


@check("count=2000&goes")
def numbers_choose_lines(page: Page) -> None:
    page.evaluate("view.goTo({line: 1000})")
    rest(page)
    page.click(".log-number:text-is('1002')")
    page.click(".log-number:text-is('1005')", modifiers=["Shift"])
    assert page.evaluate("view.range") == {"from": 1002, "to": 1005}
    assert page.locator(".is-in-range").count() == 4
    assert page.evaluate("getSelection().toString()") == ""
    page.keyboard.press("Shift+ArrowDown")
    assert page.evaluate("events.filter((e) => e.kind === 'range').at(-1).range") == {"from": 1002, "to": 1006}
    page.keyboard.press("Escape")
    assert page.evaluate("view.range") is None


@check("count=300&goes&times=clock")
def axe_finds_nothing(page: Page) -> None:
    page.evaluate("source.replace(290, '\\x1b[31mr \\x1b[38;5;226my \\x1b[2mdim\\x1b[0m \\x1b[7minverse\\x1b[0m', true)")
    page.evaluate("view.goTo({line: 280, to: 285})")
    rest(page)
    page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        rest(page)
        found = page.evaluate("axe.run(document)")
        assert not found["violations"], [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]


def measure(page: Page, name: str) -> None:
    """Print what a flood of 100,000 rows a second costs: CPU a frame, how soon a key is answered, memory."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> dict[str, float]:
        return {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}

    page.evaluate("""() => { window.frames_ = 0; const f = () => { frames_ += 1; requestAnimationFrame(f); }; f(); }""")
    page.focus(".log-scroller")
    page.evaluate("source.flow(100_000)")
    before = read()
    answers = []
    for key in ("k", "End", "PageUp", "G", "Home", "End", "v", "Escape") * 4:
        page.wait_for_timeout(150)
        answers.append(page.evaluate(
            """(key) => new Promise((done) => {
              const began = performance.now();
              setTimeout(() => {
                document.querySelector('.log-scroller').dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
                requestAnimationFrame(() => done(performance.now() - began));
              });
            })""", key))  # fmt: skip
    after, frames = read(), page.evaluate("frames_")
    page.evaluate("source.flow(0)")
    cpu = {part: (after[part] - before[part]) * 1000 / frames for part in ("ScriptDuration", "LayoutDuration", "TaskDuration")}
    print(f"{name}: {frames} frames,", ", ".join(f"{part} {value:.1f} ms" for part, value in cpu.items()), "of CPU each;")
    print(f"  a key is answered in {statistics.median(answers):.0f} ms (worst {max(answers):.0f});", end=" ")
    print(f"heap {after['JSHeapUsedSize'] / 1e6:.1f} MB, {page.evaluate('source.count'):,} rows")
    wait(page, "s.first")
    page.keyboard.press("End")
    wait(page, "s.last.number === source.count")


@contextlib.contextmanager
def served() -> Iterator[str]:
    process = subprocess.Popen(
        ["node_modules/.bin/vite", "--port", "0", "--clearScreen", "false"], cwd=FRONTEND, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://localhost:(\d+)", re.sub(r"\x1b\[\d*m", "", line)):
                yield f"http://localhost:{found[1]}/tests/log/try.html"
                return
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure a flood instead")
    parser.add_argument("names", nargs="*", help="checks; all if none is named")
    asked = parser.parse_args()
    failed = 0
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS, ignore_default_args=["--hide-scrollbars"]
        )

        def opened(query: str) -> Page:
            page = browser.new_context(viewport={"width": 1024, "height": 768}).new_page()
            page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            page.goto(f"{address}?{query}")
            page.wait_for_function("() => window.view !== undefined", timeout=60_000)
            wait(page, "true")
            return page

        if asked.measure:
            for query in ("count=1000&goes", "count=1000&goes&wrap&times=previous", "count=99000000&goes"):
                measure(opened(query), query)
            return 0
        for name in asked.names or CHECKS:
            page = opened(QUERIES[name])
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            try:
                CHECKS[name](page)
                assert not errors, errors
                print("ok     ", name)
            except Exception as error:  # noqa: BLE001 (each check is told of, whatever became of it)
                failed += 1
                print("FAILED ", name, repr(error)[:600])
            page.context.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
