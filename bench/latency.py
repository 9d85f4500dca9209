"""From a line's printing to its arrival over HTTP: the command prints the monotonic clock."""

import sys
from pathlib import Path
from typing import cast

from bench import machine
from bench.report import Figure, Measured, median, quantile, spread
from bench.serving import ask_client, served, state_dir

ROUNDS = 5
EACH = 125
APART_S = 0.02
WARM_UP = 5
P50_MS, P99_MS = 0.5, 1.5
WIRES = {"text": "text/plain", "lines": "text/event-stream"}
PRINTER = f"""
import os, time
for _ in range({EACH}):
    time.sleep({APART_S})
    os.write(1, b"%d\\n" % time.monotonic_ns())
"""


def measure(place: Path) -> Measured:
    """Follow one run on each wire, and one of the article's."""
    commands = {"clock": [sys.executable, "-S", "-c", PRINTER]}
    conditions = f"{machine.file_system(place)}; raw socket"
    with state_dir(place, "latency") as state, served(state, commands) as ports:
        places = {name: (accept, f"{ports['ours']}/clock?format={name}") for name, accept in WIRES.items()}
        places["article"] = ("*/*", f"{ports['article']}/clock")
        rounds = machine.quietly(lambda: {name: _ages(*place) for name, place in places.items()}, ROUNDS)
    ages = {name: [age for one in rounds.values for age in one[name]] for name in places}
    figures = [figure for name in WIRES for figure in _figures(name, ages[name], f"{name}; {conditions}")]
    article = ages["article"]
    points = f"p50 {median(article):.3f} ms, p99 {quantile(article, 0.99):.3f} ms"
    return Measured(
        figures=figures,
        details=[
            f"article's server: {points}; {spread(article, 'ms', 3)}",
            f"{APART_S * 1000:g} ms apart; {rounds} of {EACH} lines, the first {WARM_UP} left out",
        ],
    )


def _ages(accept: str, where: str) -> list[float]:
    seen = cast("list[int]", ask_client("times", str(EACH), accept, where))
    return [ns / 1e6 for ns in seen[WARM_UP:]]


def _figures(wire: str, ages: list[float], conditions: str) -> list[Figure]:
    points = (("p50", P50_MS, median(ages)), ("p99", P99_MS, quantile(ages, 0.99)))
    return [
        Figure(
            what=f"line printed to line received, {wire}, {point}",
            wanted=f"≤ {wanted:g} ms",
            measured=f"{value:.3f} ms",
            spread=spread(ages, "ms", 3),
            is_met=value <= wanted,
            conditions=conditions,
        )
        for point, wanted, value in points
    ]
