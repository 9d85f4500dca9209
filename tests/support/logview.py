"""The log view of a page, as people use it: what is in sight, what a line says, what is copied, how soon it answers."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import CDPSession, Page, expect

from tests.support.wait import wait_for

DEADLINE_S = 90.0
MOST_HEAP_BYTES = 100_000_000
"""that a tab may take, whatever it shows (issue 5)"""
READ = """() => [...document.querySelectorAll(".log-row:not(.is-absent)")].map(row => ({
  number: row.querySelector(".log-number").textContent, text: row.querySelector(".log-text").textContent,
  isGap: row.classList.contains("is-gap"), top: row.getBoundingClientRect().top }))"""
TIME_KEYS = """() => {
  window.answers = [];
  addEventListener("keydown", event => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.answers.push(performance.now() - event.timeStamp);
    channel.port2.postMessage(null);
  }), { capture: true });
}"""
"""notes how long it is from a key to behind the frame that answers it"""
CATCH_COPIES = """() => {
  window.copies = [];
  const write = navigator.clipboard.write.bind(navigator.clipboard);
  navigator.clipboard.write = async items => {
    for (const item of items) window.copies.push(await (await item.getType("text/plain")).text());
    return write(items);
  };
  addEventListener("copy", event => queueMicrotask(() => {
    const text = event.clipboardData.getData("text/plain");
    if (text) window.copies.push(text);
  }));
}"""
"""keeps what the page copies: a clipboard is of all tests on this machine"""


class LogView:
    """What `.log` on a page shows; the page must have one."""

    def __init__(self, page: Page) -> None:
        expect(page.locator(".log-scroller")).to_be_visible()
        self._page = page

    def shown(self) -> dict[int, str]:
        """Return the rows in sight, and some around them, by their numbers."""
        return {int(row["number"]): row["text"] for row in self._page.evaluate(READ) if row["number"]}

    def gaps(self) -> list[str]:
        """Return the parts in sight that are missing."""
        return [row["text"] for row in self._page.evaluate(READ) if row["isGap"]]

    def is_at_end(self) -> bool:
        """Tell whether nothing lies below what is in sight."""
        return bool(
            self._page.evaluate(
                "(() => { const box = document.querySelector('.log-scroller');"
                "return box.scrollTop + box.clientHeight >= box.scrollHeight - 2; })()"
            )
        )

    def line(self, number: int) -> str:
        """Go to a line by its number, as a reader does, and return what it says."""
        self.jump(str(number))
        return self.when_shown(number)

    def jump(self, typed: str) -> None:
        """Type where to go."""
        field = self._page.locator("[data-jump]")
        field.fill(typed)
        field.press("Enter")

    def when_shown(self, number: int) -> str:
        """Return what the line says, as soon as it is there."""
        rows: dict[int, str] = {}

        def is_there() -> bool:
            rows.clear()
            rows.update(self.shown())
            return number in rows

        wait_for(is_there, DEADLINE_S, what=f"line {number}")
        return rows[number]

    def copied(self) -> str:
        """Select all, copy it by keys, and return what was copied; of up to 5 MB."""
        self._page.evaluate(CATCH_COPIES)
        self._page.locator(".log-scroller").focus()
        self._page.keyboard.press("Control+a")
        self._page.keyboard.press("Control+c")
        wait_for(lambda: self._page.evaluate("window.copies.length > 0"), DEADLINE_S, what="a copy")
        return str(self._page.evaluate("window.copies.at(-1)"))

    def all_lines(self) -> dict[int, str]:
        """Go through all rows by the key for a page down, and return them by their numbers."""
        self._page.locator(".log-scroller").focus()
        self._page.keyboard.press("g")
        self.when_shown(1)
        found: dict[int, str] = {}
        while True:
            found |= self._settled()
            if self.is_at_end():
                return found
            self._page.keyboard.press("PageDown")

    def _settled(self) -> dict[int, str]:
        """Return the rows in sight, when all of those are here."""
        wait_for(
            lambda: self._page.evaluate("document.querySelectorAll('.log-row.is-absent').length === 0"),
            DEADLINE_S,
            what="the rows in sight",
        )
        self._page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self.shown()


class Answers:
    """Measures how soon a page answers keys."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._pressed = 0
        page.evaluate(TIME_KEYS)

    def press(self, key: str) -> None:
        """Press a key, and wait until the page has shown what it does."""
        self._page.keyboard.press(key)
        self._pressed += 1
        wait_for(lambda: len(self.milliseconds()) >= self._pressed, DEADLINE_S, what=f"an answer to {key}")

    def milliseconds(self) -> list[float]:
        """Return from each key to the end of the frame that answers it."""
        return [float(each) for each in self._page.evaluate("window.answers")]


def heap_bytes(page: Page) -> int:
    """Return what the page's script holds, rubbish aside."""
    with _session(page) as session:
        session.send("HeapProfiler.collectGarbage")
    return used_heap_bytes(page)


def used_heap_bytes(page: Page) -> int:
    """Return what the page's script takes at this moment, rubbish and all."""
    with _session(page) as session:
        session.send("Performance.enable")
        metrics = session.send("Performance.getMetrics")["metrics"]
    return int(next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize"))


def lines_of(output: Path) -> Sequence[str]:
    """Return the lines of an output, as its readers see them."""
    text = output.read_text(errors="replace")
    return text.removesuffix("\n").split("\n")


def counted_lines(output: Path) -> int:
    """Return how many lines there are, without having them all in memory."""
    with output.open("rb") as file:
        return sum(data.count(b"\n") for data in iter(lambda: file.read(1 << 20), b""))


def numbers_in(text: str) -> Iterator[int]:
    """Yield the numbers in a text, thousands separated or not."""
    yield from (int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", text))


class _session:  # noqa: N801  reads as the context that it is
    """A way to the browser's debugger for a page, for as long as the context."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def __enter__(self) -> CDPSession:
        return self._session

    def __exit__(self, *_error: object) -> None:
        self._session.detach()
