"""From the request to the first byte of `echo hi`, with a runner that is there already."""

from pathlib import Path
from typing import cast

from bench import machine
from bench.report import Figure, Measured, median, quantile, spread
from bench.serving import ask_client, served, state_dir

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
    seen = cast("list[dict[str, list[int]]]", rounds.values)
    ours, article = ([ns / 1e6 for one in seen for ns in one[name]] for name in ("ours", "article"))
    p50, ratio = median(ours), median(ours) / median(article)
    conditions = f"text; {machine.file_system(place)}; raw socket, a new connection each"
    return Measured(
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
