"""`yes` with a thousand viewers, and a quiet run with a hundred on the same server: lateness there, memory of all."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import machine
from bench.field import cores
from bench.field.contenders import EVENTS, OURS, Plan, gate, output_path
from bench.field.costs import cpu_s, pss_kib, sockets_kib
from bench.field.crowds import Client, client, counting
from bench.field.servers import Server
from bench.field.solo import forget
from bench.field.verdicts import Row
from bench.field.viewers import Ask
from bench.report import Measured, median, quantile
from bench.serving import state_dir
from tailrace.api import connect

CONTENDERS = (OURS,)
FLOODED = 1000
QUIET = 100
RATE = 10
SECONDS = 15
WARM_S = 5
SIZE = 64
MOST_BYTES = 20 << 30
"""of the disk, for the flood; at its pace this is not reached"""
WANTED_MS = 100.0
GROWTH = 0.1
"""of the server's memory, after the first seconds"""
NICENESS = 10
"""of the flood's viewers, so that they do not keep the quiet ones from looking at their clocks"""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What there was to see while both went on."""

    ages_ms: list[float]
    memory_kib: list[int]
    kernel_kib: list[float]
    server_s: float
    """of processor time"""
    flood: dict[str, object]


def measure(place: Path) -> Measured:
    """Flood ours, watched and unwatched."""
    calm, _ = _flooded(place, 0)
    seen, size = _flooded(place, FLOODED)
    memory = seen.memory_kib
    growth = max(memory[WARM_S:]) / memory[WARM_S] - 1
    each = [(kib - max(calm.memory_kib)) / FLOODED for kib in memory]
    where = f"`yes` on text to {FLOODED} viewers; lines to {QUIET}"
    taken = {word: int(str(seen.flood[word])) / 1e6 for word in ("least", "most", "bytes")}
    return Measured(
        figures=[
            Row("a flood beside it: the quiet run's p99", "ms", where).at_most(
                [quantile(seen.ages_ms, 0.99)], WANTED_MS
            ),
            Row("a flood: growth of the server's memory", "%", where).at_most([growth * 100], GROWTH * 100),
            Row("a flood: the server's memory for each of its viewers", "KiB", where, 0).shown(each),
        ],
        details=[
            f"quiet run: {RATE} messages of {SIZE} bytes a second, for {SECONDS} s after {WARM_S} s not measured",
            f"lateness p50/p99/max: {_points(seen)} ms beside the flood, {_points(calm)} ms beside one nobody watches",
            f"server: {min(memory)} … {max(memory)} KiB PSS, at {WARM_S} s {memory[WARM_S]} KiB, looked at each second",
            f"sockets of the whole machine: at most {max(seen.kernel_kib) / 1024:.0f} MiB",
            f"the flood: {size / 1e6:,.0f} MB printed; viewers took {taken['least']:,.0f} to {taken['most']:,.0f} MB",
            f"all of them {taken['bytes']:,.0f} MB; server's processor time {seen.server_s:.1f} s",
            f"{cores.told()}; the flood's viewers have niceness {NICENESS}; on {machine.file_system(place)}",
        ],
    )


def _flooded(place: Path, viewers: int) -> tuple[Seen, int]:
    """Return what was seen, and how much the flood had printed."""
    plan = Plan(viewers=QUIET, count=RATE * (WARM_S + SECONDS), every_s=1 / RATE, size=SIZE)
    with (
        cores.divided(),
        state_dir(place, "flood") as state,
        closing(connect(f"disk:{state}")) as engine,
        gate(place) as (path, go),
        OURS.served(place, state) as server,
    ):
        quiet = engine.start(plan.source("print", path))
        flood = engine.start(["yes"], max_output=MOST_BYTES)
        lines = Ask(port=server.port, path=output_path(quiet.id, "lines"), accept=EVENTS)
        text = Ask(port=server.port, path=output_path(flood.id, "text"))
        with counting(lines, plan, RATE * WARM_S) as few, _gulping(text, viewers) as many:
            few.hear("connected")
            go()
            seen = _watched(server, few, many)
        size = flood.info().size
        for run in (quiet, flood):
            run.stop(now=True)
            run.wait(60)
        forget(state)
    return seen, size


@contextmanager
def _gulping(ask: Ask, viewers: int) -> Iterator[Client]:
    with client("gulp", {"ask": asdict(ask), "viewers": viewers}, niceness=NICENESS) as many:
        many.hear("connected")
        yield many


def _watched(server: Server, few: Client, many: Client) -> Seen:
    """Look each second, until the quiet run's viewers have everything."""
    memory, kernel, before = [], [], cpu_s(server.pids())
    for _ in range(WARM_S + SECONDS):
        time.sleep(1)
        memory.append(pss_kib(server.pids()))
        kernel.append(sockets_kib())
    few.hear("warm")
    few.hear("done")
    server_s = cpu_s(server.pids()) - before
    ages = [age / 1000 for age in few.result()["ages_us"]]  # type: ignore[attr-defined]
    return Seen(ages_ms=ages, memory_kib=memory, kernel_kib=kernel, server_s=server_s, flood=many.result())


def _points(seen: Seen) -> str:
    ages = seen.ages_ms
    return f"{median(ages):.1f}/{quantile(ages, 0.99):.1f}/{max(ages):.1f}"
