"""`seq` to one viewer, live: messages a second with an id each, against websocketd; and text a second as JSON."""

from pathlib import Path

from bench import machine
from bench.field.contenders import FLASK, OURS, WEBSOCKETD
from bench.field.solo import by_websocketd, live, numbers
from bench.field.verdicts import Row
from bench.report import Figure, Measured

CONTENDERS = (OURS, WEBSOCKETD, FLASK)
OURS_COUNT = 5_000_000
THEIR_COUNT = 500_000
ROUNDS = 5
TIMES = 5.0
WANTED_MB_S = 100.0


def measure(place: Path) -> Measured:
    """Let each have its turn in every round."""
    many, few = numbers(OURS_COUNT), numbers(THEIR_COUNT)

    def one_round() -> dict[str, float]:
        found = {}
        for contender in (OURS, FLASK):
            argv = ["seq", "1", str(OURS_COUNT)]
            found[contender.name] = live(contender, place, argv, many, "lines").messages_s
            found[f"{contender.name}, sse"] = live(contender, place, argv, many, "sse").mb_s
        peer = by_websocketd(place, ["seq", "1", str(THEIR_COUNT)], few, "line-frames", 2.0)
        return {**found, WEBSOCKETD.name: peer.messages_s}

    rounds = machine.quietly(one_round, ROUNDS, warm_up=0)
    rates = {name: [one[name] for one in rounds.values] for name in rounds.values[0]}
    return Measured(
        figures=[*_verdicts(rates), *(_row(name, rates[name]) for name in rates)],
        details=[
            f"`seq 1 {OURS_COUNT}` here, `seq 1 {THEIR_COUNT}` there; every line was counted, and the digest was right",
            str(rounds),
        ],
    )


def _verdicts(rates: dict[str, list[float]]) -> list[Figure]:
    ours, theirs = ([rate / 1000 for rate in rates[name]] for name in (OURS.name, WEBSOCKETD.name))
    against = f"live `seq`, messages a second to one viewer, against {WEBSOCKETD.name}"
    return [
        Row(against, "thousand a second", "lines, an id each", 0).times_at_least(ours, theirs, TIMES),
        Row("live `seq`, text a second to one viewer", "MB/s", "sse", 0).at_least(
            rates[f"{OURS.name}, sse"], WANTED_MB_S
        ),
    ]


def _row(name: str, rates: list[float]) -> Figure:
    if name.endswith("sse"):
        return Row(f"live `seq`, {name}: text", "MB/s", "sse", 0).shown(rates)
    return Row(f"live `seq`, {name}", "thousand messages a second", "", 0).shown([rate / 1000 for rate in rates])
