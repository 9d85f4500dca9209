"""From 10 to 5,000 viewers: what each send costs, and how late it comes; with plots."""

from collections.abc import Sequence
from pathlib import Path

from bench import machine
from bench.field import cores
from bench.field.contenders import EPOLL, NCHAN, OURS, STARLETTE, Contender, Plan
from bench.field.crowds import Seen, watch
from bench.field.verdicts import Row, in_turn
from bench.plots import Plot
from bench.report import Figure, Measured, median, quantile

CONTENDERS: tuple[Contender, ...] = (OURS, NCHAN, EPOLL, STARLETTE)
VIEWERS = (10, 100, 1000, 2500, 5000)
RATE = 5
"""5,000 viewers get 25,000 a second: a processor has room for that"""
SECONDS = 5
WARM_S = 1
ROUNDS = 2
WANTED = 0.2
"""of a straight line"""


def measure(place: Path) -> Measured:
    """Let each have its turn at every number of viewers, in every round."""
    work = in_turn(CONTENDERS, lambda one: [watch(one, place, _plan(viewers), RATE * WARM_S) for viewers in VIEWERS])
    with cores.divided():
        rounds = machine.quietly(work, ROUNDS, warm_up=0)
    seen = {one: list(zip(*(values[one.name] for values in rounds.values), strict=True)) for one in CONTENDERS}
    costs = {one: [median([each.each_us for each in at]) for at in seen[one]] for one in CONTENDERS}
    return Measured(
        figures=[_straight(one, costs[one]) for one in CONTENDERS],
        details=[
            f"{RATE} messages a second, of 1 KiB, for {SECONDS} s; {cores.told()}",
            "the line: a cost for each message and one for each viewer, fitted so that it is off by the least shares",
            *(f"{one.name}, us for each send: {_row(costs[one])}" for one in CONTENDERS),
            *(f"{one.name}, lateness p50/p99, ms: {_late(seen[one])}" for one in CONTENDERS),
            str(rounds),
        ],
        plots={"cost": _cost_plot(costs), "lateness": _lateness_plot(seen)},
    )


def fit(counts: Sequence[int], costs: Sequence[float]) -> tuple[float, float]:
    """Return the fixed part, and that for each viewer, of the straight line that is off by the least shares."""
    weights = [1 / cost**2 for cost in costs]
    mass = sum(weights)
    mean_x = sum(w * x for w, x in zip(weights, counts, strict=True)) / mass
    mean_y = sum(w * y for w, y in zip(weights, costs, strict=True)) / mass
    up = sum(w * (x - mean_x) * (y - mean_y) for w, x, y in zip(weights, counts, costs, strict=True))
    slope = up / sum(w * (x - mean_x) ** 2 for w, x in zip(weights, counts, strict=True))
    return mean_y - slope * mean_x, slope


def _straight(contender: Contender, each_us: Sequence[float]) -> Figure:
    costs = [each * viewers for each, viewers in zip(each_us, VIEWERS, strict=True)]
    fixed, slope = fit(VIEWERS, costs)
    off = max(abs((fixed + slope * x) / y - 1) for x, y in zip(VIEWERS, costs, strict=True))
    what = f"fan-out from {VIEWERS[0]} to {VIEWERS[-1]} viewers, {contender.name}: off a straight line"
    row = Row(what, "%", f"{fixed:.0f} us a message and {slope:.1f} us a viewer", 0)
    return row.at_most([off * 100], WANTED * 100) if contender is OURS else row.shown([off * 100])


def _plan(viewers: int) -> Plan:
    return Plan(viewers=viewers, count=RATE * (WARM_S + SECONDS), every_s=1 / RATE)


def _row(costs: Sequence[float]) -> str:
    return ", ".join(f"{viewers}: {cost:.1f}" for viewers, cost in zip(VIEWERS, costs, strict=True))


def _ages(seen: Sequence[Seen]) -> list[float]:
    return [age for one in seen for age in one.ages_ms]


def _late(seen: Sequence[Sequence[Seen]]) -> str:
    ages = [_ages(at) for at in seen]
    points = [f"{median(at):.1f}/{quantile(at, 0.99):.1f}" for at in ages]
    return ", ".join(f"{viewers}: {told}" for viewers, told in zip(VIEWERS, points, strict=True))


def _cost_plot(costs: dict[Contender, list[float]]) -> str:
    series = {one.name: list(zip(VIEWERS, costs[one], strict=True)) for one in costs}
    return Plot("Processor time for each send", "viewers", "us", series).svg()


def _lateness_plot(seen: dict[Contender, list[tuple[Seen, ...]]]) -> str:
    series = {
        f"{one.name}, {point:.0%}": [
            (viewers, quantile(_ages(at), point)) for viewers, at in zip(VIEWERS, seen[one], strict=True)
        ]
        for one in seen
        for point in (0.5, 0.99)
    }
    return Plot(
        "From stamp to arrival: half of the messages, and 99 of 100, came within", "viewers", "ms", series
    ).svg()
