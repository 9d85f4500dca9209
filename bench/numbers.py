"""Lines by number, and search, in a long output: the first look, which counts, and all that come later."""

import json
import random
import statistics
import time
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from bench import machine
from bench.content import digest, irregular_lines
from bench.report import Figure, Measured, median, quantile, spread
from bench.serving import state_dir
from tailrace.flask import Tailrace

BYTES = 1 << 30
LOOKS = 400
SEARCHES = 3
WANTED_MS = 100.0
PATTERNS = {
    "plain": "q=no+such+words+here",
    "plain, any case": "q=no+such+words+here&ignore_case=1",
    "expression": "q=(no|none)+such+[0-9]%2B&regex=1",
    "expression with no literal": "q=[0-9]{9}$&regex=1",
}


def measure(place: Path) -> Measured:
    """Count once, look at random lines, search."""
    content = irregular_lines(place / "irregular-lines", BYTES)
    with state_dir(place, "numbers") as path:
        app = Flask(__name__)
        race = Tailrace(app, state_dir=path)
        app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
        run = race.engine.start(["cat", str(content.path)])
        run.wait(300)
        output = path / "runs" / run.id / "output"
        assert digest(output) == content.sha256, "the bytes are not those that the command printed"
        content.path.unlink()
        client, base = app.test_client(), f"/ops/api/runs/{run.id}"
        firsts = machine.quietly(lambda: _first(client, base, output.parent / "lines"), SEARCHES)
        total = firsts.values[0][1]
        index = (output.parent / "lines").stat().st_size
        looks = [_look(client, base, output, line) for line in _chosen(total)]
        searches = {
            name: machine.quietly(lambda query=query: _search(client, base, query), SEARCHES)
            for name, query in PATTERNS.items()
        }
        output.write_bytes(b"")
    first_s = [seconds for seconds, _total in firsts.values]
    p99 = quantile(looks, 0.99)
    conditions = f"{BYTES >> 20} MiB, {total:,} irregular lines, in the page cache; {machine.file_system(place)}"
    rates = {name: [BYTES / seconds / 1e6 for seconds in rounds.values] for name, rounds in searches.items()}
    return Measured(
        figures=[
            Figure(
                what="a page of 100 lines at a random number, p99",
                wanted=f"≤ {WANTED_MS:g} ms",
                measured=f"{p99:.1f} ms",
                spread=spread(looks, "ms"),
                is_met=p99 <= WANTED_MS,
                conditions=f"JSON, in this process, each compared with the file; {conditions}",
            )
        ],
        details=[
            f"a page of 100 lines: p50 {statistics.median(looks):.2f} ms, p99 {p99:.2f} ms",
            f"the first request, which counts all: {median(first_s):.2f} s, {BYTES / median(first_s) / 1e6:.0f} MB/s",
            f"the index: {index} bytes",
            *(
                f"search, {name}: {median(values):.0f} MB/s; {spread(values, 'MB/s', 0)}"
                for name, values in rates.items()
            ),
            str(firsts),
        ],
    )


def _first(client: FlaskClient, base: str, index: Path) -> tuple[float, int]:
    """Return how long the first request takes, and how many lines it tells of."""
    index.unlink(missing_ok=True)
    begun = time.monotonic()
    page = json.loads(client.get(f"{base}/lines?count=1").data)
    while page["total"] is None:
        page = json.loads(client.get(f"{base}/lines?count=1").data)
    return time.monotonic() - begun, int(page["total"])


def _chosen(total: int) -> list[int]:
    source = random.Random(5)  # noqa: S311  it is to be alike in every run
    return [source.randrange(1, total - 100) for _ in range(LOOKS)]


def _look(client: FlaskClient, base: str, output: Path, line: int) -> float:
    """Return the milliseconds that a page takes; it must be what the file has there."""
    begun = time.monotonic()
    data = client.get(f"{base}/lines?start={line}&count=100").data
    took_ms = (time.monotonic() - begun) * 1000
    lines = json.loads(data)["lines"]
    assert [each["number"] for each in lines] == list(range(line, line + 100))
    with output.open("rb") as file:
        file.seek(lines[0]["offset"] - 1 if line > 1 else 0)
        assert line == 1 or file.read(1) == b"\n"
        assert [file.readline().decode()[:-1] for _ in lines] == [each["text"] for each in lines]
    return took_ms


def _search(client: FlaskClient, base: str, query: str) -> float:
    """Return the seconds that a search of all takes."""
    begun = time.monotonic()
    data = client.get(f"{base}/search?format=ndjson&{query}").data
    took_s = time.monotonic() - begun
    last = json.loads(data.splitlines()[-1])
    assert last["type"] == "end"
    assert last["size"] == BYTES
    return took_s
