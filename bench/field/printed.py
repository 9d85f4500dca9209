"""From a line's printing, or a message's sending, to its arrival at one viewer."""

from pathlib import Path

from bench import machine
from bench.field.contenders import ARTICLE, EPOLL, FLASK, NCHAN, OURS, STARLETTE, WEBSOCKETD, Contender, Plan
from bench.field.crowds import watch
from bench.field.verdicts import Row, in_turn
from bench.report import Figure, Measured, median, quantile

CONTENDERS = (OURS, NCHAN, EPOLL, STARLETTE, WEBSOCKETD, FLASK, ARTICLE)
ROUNDS = 5
EACH = 150
WARM = 10
APART_S = 0.02
SIZE = 64
WANTED_MS = {"p50": 0.4, "p99": 1.0}
SHARES = {"p50": 0.5, "p99": 0.99}


def measure(place: Path) -> Measured:
    """Let each have its turn in every round; the system places the processes as it likes."""
    plan = Plan(viewers=1, count=EACH, every_s=APART_S, size=SIZE)
    rounds = machine.quietly(in_turn(CONTENDERS, lambda one: watch(one, place, plan, WARM).ages_ms), ROUNDS, warm_up=0)
    ages = {one: [values[one.name] for values in rounds.values] for one in CONTENDERS}
    return Measured(
        figures=[figure for one in CONTENDERS for figure in _rows(one, ages[one])],
        details=[
            f"{EACH} messages of {SIZE} bytes, {APART_S * 1000:g} ms apart, {WARM} left out; medians of rounds",
            *(f"{one.name}, all rounds: {_points(ages[one])}" for one in CONTENDERS),
            f"ours is kept on {machine.file_system(place)}; no process was kept to a processor",
            str(rounds),
        ],
    )


def _rows(contender: Contender, ages: list[list[float]]) -> list[Figure]:
    rows = []
    for point, share in SHARES.items():
        row = Row(f"printed to received, one viewer, {contender.name}, {point}", "ms", contender.how, 3)
        values = [quantile(one, share) for one in ages]
        rows.append(row.at_most(values, WANTED_MS[point]) if contender is OURS else row.shown(values))
    return rows


def _points(ages: list[list[float]]) -> str:
    every = [age for one in ages for age in one]
    return f"p50 {median(every):.3f} ms, p99 {quantile(every, 0.99):.3f} ms, n={len(every)}"
