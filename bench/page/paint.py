"""How soon a page is there, with nothing in the browser's cache, and how much it loads."""

from pathlib import Path

from bench import machine
from bench.page.opened import Opened, opened, version
from bench.report import Figure, Measured, median, spread
from tailrace.web.page import bundle

ROUNDS = 9
WANTED_MS = 300.0
MOST_BYTES = 150_000
PROGRAM = "for number in range(2000): print(number, 'x' * (number * 31 % 120))"
PAINT = """() => new Promise(done => new PerformanceObserver(list => {
  const first = list.getEntriesByName("first-contentful-paint")[0];
  if (first) done(first.startTime);
}).observe({ type: "paint", buffered: true }))"""


def measure(place: Path) -> Measured:
    """Open the pages again and again, each time in a browser's context that knows nothing."""
    with opened(place, "paint", {"rows": PROGRAM}) as at:
        run_id = at.serving.start("rows")
        home = [_painted(at, "") for _ in range(ROUNDS)]
        run = [_painted(at, f"runs/{run_id}") for _ in range(ROUNDS)]
        rows = [_rows(at, f"runs/{run_id}") for _ in range(ROUNDS)]
    conditions = f"{version()}, headless, loopback, nothing cached; {machine.file_system(place)}"
    figures = [
        _figure(what, values, conditions)
        for what, values in {"first paint, home": home, "first paint, a run": run, "first rows of a run": rows}.items()
    ]
    return Measured(figures=[*figures, _size()])


def _figure(what: str, values: list[float], conditions: str) -> Figure:
    return Figure(
        what=what,
        wanted=f"< {WANTED_MS:g} ms",
        measured=f"{median(values):.0f} ms",
        spread=spread(values, "ms", 0),
        is_met=median(values) < WANTED_MS,
        conditions=f"from the navigation's start; {conditions}",
    )


def _size() -> Figure:
    entry = bundle.entry(bundle.PAGE)
    assert entry, "the page is not built"
    at_once = [entry.script, *entry.modules, *entry.styles]
    packed = {kind: sum((bundle.BUILT / f"{name}.{kind}").stat().st_size for name in at_once) for kind in ("br", "gz")}
    terminal = sum(path.stat().st_size for path in bundle.BUILT.glob("terminal-*.br"))
    return Figure(
        what="script and style that a page loads, packed",
        wanted="≤ 150 kB",
        measured=f"{packed['br'] / 1000:.1f} kB",
        spread=f"by gzip {packed['gz'] / 1000:.1f} kB; the terminal, on demand, {terminal / 1000:.1f} kB more",
        is_met=packed["gz"] <= MOST_BYTES,
        conditions="by brotli, as it is sent",
    )


def _painted(at: Opened, path: str) -> float:
    with at.page(path) as page:
        return float(page.evaluate(PAINT))


def _rows(at: Opened, path: str) -> float:
    with at.page(path) as page:
        return float(page.evaluate("window.whenRows")[0])
