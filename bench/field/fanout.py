"""A thousand viewers of one source, 20 messages of 1 KiB a second: processor time for each send, and its lateness."""

from collections.abc import Sequence
from pathlib import Path

from bench import machine
from bench.field import cores
from bench.field.contenders import (
    ARTICLE,
    EPOLL,
    FLASK,
    NCHAN,
    OURS,
    SSE_STARLETTE,
    STARLETTE,
    WEBSOCKETD,
    Contender,
    Plan,
)
from bench.field.crowds import Seen, watch
from bench.field.verdicts import Row, in_turn
from bench.report import Figure, Measured, median, quantile

CONTENDERS: tuple[Contender, ...] = (OURS, NCHAN, EPOLL, STARLETTE, SSE_STARLETTE, WEBSOCKETD, FLASK, ARTICLE)
VIEWERS = 1000
RATE = 20
SECONDS = 5
WARM_S = 1
ROUNDS = 3
COST = {NCHAN: 1.0, EPOLL: 1.2}
"""times the other's, at most"""
LATENESS = 1.2


def measure(place: Path) -> Measured:
    """Let each have its turn in every round."""
    work = in_turn(CONTENDERS, lambda one: watch(one, place, _plan(one), RATE * WARM_S))
    with cores.divided():
        rounds = machine.quietly(work, ROUNDS, warm_up=0)
    seen = {contender: [one[contender.name] for one in rounds.values] for contender in CONTENDERS}
    return Measured(
        figures=[*_verdicts(seen), *(figure for one in CONTENDERS for figure in _rows(one, seen[one]))],
        details=[
            f"{RATE} messages a second, of 1 KiB with its newline, for {SECONDS} s; {WARM_S} s before is not measured",
            "every viewer's messages were counted; a tenth of the viewers checked them all, and looked at their stamps",
            f"{cores.told()}; processor time from /proc, of master and workers",
            *(f"{one.name}: {one.how}; source {_source_ms(seen[one]):.0f} ms of processor time" for one in CONTENDERS),
            f"{WEBSOCKETD.name}, {FLASK.name} and {ARTICLE.name}: {WEBSOCKETD.most} viewers, not {VIEWERS}",
            str(rounds),
        ],
    )


def _plan(contender: Contender) -> Plan:
    return Plan(viewers=contender.most or VIEWERS, count=RATE * (WARM_S + SECONDS), every_s=1 / RATE)


def _verdicts(seen: dict[Contender, list[Seen]]) -> list[Figure]:
    where = f"{VIEWERS} viewers, {RATE}/s, 1 KiB; lines; raw sockets"
    costs = {one: [each.each_us for each in seen[one]] for one in seen}
    rows = [
        Row(f"fan-out: processor time for each send, against {other.name}", "us", where).times_at_most(
            costs[OURS], costs[other], most
        )
        for other, most in COST.items()
    ]
    late = Row(f"fan-out: p99 of lateness, against {NCHAN.name}", "ms", where)
    return [*rows, late.times_at_most(_points(seen[OURS], 0.99), _points(seen[NCHAN], 0.99), LATENESS)]


def _rows(contender: Contender, seen: Sequence[Seen]) -> list[Figure]:
    name, where = f"fan-out, {contender.name}", f"{contender.most or VIEWERS} viewers"
    return [
        Row(f"{name}: processor time for each send", "us", where).shown([one.each_us for one in seen]),
        Row(f"{name}: lateness, p50", "ms", where).shown(_points(seen, 0.5)),
        Row(f"{name}: lateness, p99", "ms", where).shown(_points(seen, 0.99)),
    ]


def _points(seen: Sequence[Seen], share: float) -> list[float]:
    return [quantile(one.ages_ms, share) for one in seen]


def _source_ms(seen: Sequence[Seen]) -> float:
    return median([one.source_s for one in seen]) * 1000
