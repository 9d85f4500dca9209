"""Event streams: lines a second to one viewer, and the processor's time for each line to a hundred."""

import os
import time
from pathlib import Path
from typing import cast

from bench import machine
from bench.content import LINE_BYTES, Content, numbered_lines
from bench.report import Figure, Measured, median, spread
from bench.serving import ask_client, served, state_dir, talking_client, tree_cpu_s

BYTES = {"ours": 100 << 20, "generator": 20 << 20, "article": 2 << 20}
ROUNDS = 5
TIMES = {"article": 100.0, "generator": 5.0}
VIEWERS = 100
PRINTERS = {"fast": (100, 60), "slow": (1, 200)}
"""lines at once, every 10 ms; how often"""
SHARE = 1 / 20
SETTLE_S = 1.0
"""for commands to come to the gate"""


def measure(place: Path) -> Measured:
    """Have all of them print numbers, in turn; then have a hundred watch."""
    contents = {name: numbered_lines(place / f"lines-{name}", size) for name, size in BYTES.items()}
    commands = {name: ["cat", str(content.path)] for name, content in contents.items()}
    gate = place / "gate"
    os.mkfifo(gate)
    commands |= {name: ["sh", "-c", _bursts(*printer), str(gate)] for name, printer in PRINTERS.items()}
    with (
        state_dir(place, "events") as state,
        served(state, commands, names=("ours", "peers"), threads=VIEWERS + 8) as ports,
    ):
        places = {name: f"{ports['peers']}/{name}/{name}" for name in TIMES} | {"ours": f"{ports['ours']}/ours"}
        rounds = machine.quietly(lambda: {name: _rate(contents[name], where) for name, where in places.items()}, ROUNDS)
        costs = {name: _costs(ports, name, gate) for name in PRINTERS}
    rates = {name: [one[name] for one in rounds.values] for name in BYTES}
    return Measured(
        figures=[*(_against(name, rates) for name in TIMES), *(_cpu(name, *costs[name]) for name in PRINTERS)],
        details=[
            f"`cat` of {BYTES['ours'] >> 20} MiB here, {BYTES['generator'] >> 20} and {BYTES['article'] >> 20} there",
            f"{VIEWERS} viewers: one run here, a command for each viewer there; measured when all have begun",
            str(rounds),
        ],
    )


def _bursts(lines: int, times: int) -> str:
    return f"echo 0; read go < $0; i=0; while [ $i -lt {times} ]; do i=$((i+1)); seq {lines}; sleep 0.01; done"


def _rate(content: Content, where: str) -> float:
    seen = cast("dict[str, float]", ask_client("events", where))
    assert seen["lines"] == content.size // LINE_BYTES
    return content.size // LINE_BYTES / seen["seconds"]


def _against(name: str, rates: dict[str, list[float]]) -> Figure:
    ours, theirs = median(rates["ours"]), median(rates[name])
    server = {"article": "the article's EventSource server", "generator": "the usual generator"}[name]
    return Figure(
        what=f"lines a second to one viewer, against {server}",
        wanted=f"≥ {TIMES[name]:g} x",
        measured=f"{ours / theirs:.1f} x ({ours:,.0f} and {theirs:,.0f})",
        spread=spread([rate / 1000 for rate in rates["ours"]], "thousand a second", 0),
        is_met=ours / theirs >= TIMES[name],
        conditions="lines, of 100 bytes; gunicorn gthread; raw socket",
    )


def _costs(ports: dict[str, int], name: str, gate: Path) -> tuple[float, float]:
    """Return the processor time for each line that a viewer got, ours and the article's."""
    lines, times = PRINTERS[name]
    expected = VIEWERS * (1 + lines * times)
    ours = _cpu_us(ports["ours"], f"{ports['ours']}/{name}?key=1&format=lines", gate, expected)
    return ours, _cpu_us(ports["peers"], f"{ports['peers']}/article/{name}", gate, expected)


def _cpu_us(port: int, where: str, gate: Path, expected: int) -> float:
    with talking_client("crowd", str(VIEWERS), where) as client:
        assert client.hear() == "all have begun"
        with gate.open("w"):
            time.sleep(SETTLE_S)
            before = tree_cpu_s(port)
        seen = cast("dict[str, int]", client.result())
    assert seen["lines"] == expected, seen
    return (tree_cpu_s(port) - before) * 1e6 / seen["lines"]


def _cpu(name: str, ours: float, theirs: float) -> Figure:
    each, _times = PRINTERS[name]
    return Figure(
        what=f"processor time for each line to each of {VIEWERS} viewers, {each} every 10 ms, against the article's",
        wanted=f"≤ {SHARE:g} x",
        measured=f"{ours / theirs:.3f} x ({ours:.1f} and {theirs:.1f} us)",
        spread="",
        is_met=ours / theirs <= SHARE,
        conditions=f"the server's processes, its commands included there; {os.cpu_count()} processors",
    )
