"""From the request to the first byte of `echo hi`, with a runner that is there already."""

import subprocess
import time
from pathlib import Path
from typing import cast

from bench import machine
from bench.report import Figure, Measured, median, quantile, spread
from bench.serving import ask_client, served, state_dir
from tailrace.api import connect
from tailrace.engine.base import Engine, Query

ROUNDS = 10
EACH = 15
GAP_S = 0.03
WANTED_MS = 6.0
TIMES_ARTICLE = 2.0


def measure(place: Path) -> Measured:
    """Ask both servers in turn."""
    with state_dir(place, "first-byte") as state, served(state, {"hi": ["echo", "hi"]}) as ports:
        places = [f"{name}={port}/hi" for name, port in ports.items()]
        rounds = machine.quietly(lambda: ask_client("first", str(EACH), str(GAP_S), *places), ROUNDS)
        profile = _phases(state)
    seen = cast("list[dict[str, list[int]]]", rounds.values)
    ours, article = ([ns / 1e6 for one in seen for ns in one[name]] for name in ("ours", "article"))
    p50, ratio = median(ours), median(ours) / median(article)
    conditions = f"text; {machine.file_system(place)}; raw socket, a new connection each"
    return Measured(
        profile=profile,
        figures=[
            Figure(
                what="request to first byte of `echo hi`, p50",
                wanted=f"≤ {WANTED_MS:g} ms",
                measured=f"{p50:.2f} ms",
                spread=spread(ours, "ms"),
                is_met=p50 <= WANTED_MS,
                conditions=conditions,
            ),
            Figure(
                what="the same, against the article's server",
                wanted=f"≤ {TIMES_ARTICLE:g} x",
                measured=f"{ratio:.2f} x ({median(article):.2f} ms)",
                spread=spread(article, "ms (article)"),
                is_met=ratio <= TIMES_ARTICLE,
                conditions=conditions,
            ),
        ],
        details=[
            f"p90: ours {quantile(ours, 0.9):.2f} ms, article {quantile(article, 0.9):.2f} ms",
            f"alternately, {GAP_S:g} s apart; {rounds}",
        ],
    )


def _phases(path: Path) -> list[str]:
    """Return what the runs themselves recorded, and where the runner, forker and keepers spend the time of others."""
    engine = connect(f"disk:{path}")
    runs = engine.list(Query(limit=ROUNDS * EACH)).runs
    until_exec = [(run.started - run.created).total_seconds() * 1000 for run in runs if run.started and run.created]
    lasting = [(run.duration_s or 0) * 1000 for run in runs]
    alone = [_alone_ms(engine) for _ in range(ROUNDS)]
    bare = [_bare_ms() for _ in range(ROUNDS)]
    engine.close()
    return [
        f"spec made → command executed: {median(until_exec):.2f} ms; {spread(until_exec, 'ms')}",
        f"command executed → it and its output ended: {median(lasting):.2f} ms; {spread(lasting, 'ms')}",
        f"engine.start alone, until the runner has answered: {median(alone):.2f} ms; {spread(alone, 'ms')}",
        f"subprocess.run of the same command: {median(bare):.2f} ms; {spread(bare, 'ms')}",
    ]


def _alone_ms(engine: Engine) -> float:
    begun = time.perf_counter()
    run = engine.start(["echo", "hi"])
    taken = time.perf_counter() - begun
    run.wait(60)
    return taken * 1000


def _bare_ms() -> float:
    begun = time.perf_counter()
    subprocess.run(["echo", "hi"], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000
