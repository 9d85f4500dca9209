"""What a viewer costs that has nothing to read: memory of the server's processes, and of the kernel."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.field import cores
from bench.field.contenders import EPOLL, NCHAN, OURS, SSE_STARLETTE, STARLETTE, WEBSOCKETD, Contender, Plan, Stage
from bench.field.costs import pss_kib, sockets_kib
from bench.field.crowds import Client, counting
from bench.field.verdicts import Row, in_turn
from bench.report import Figure, Measured

CONTENDERS = (OURS, NCHAN, EPOLL, STARLETTE, SSE_STARLETTE, WEBSOCKETD)
VIEWERS = 3000
FEW = 10
"""viewers who are there first: a server that has had none lacks what it needs for any"""
ROUNDS = 3
SETTLE_S = 0.5
TIMES_NCHAN = 1.0


@dataclass(frozen=True)
class Held:
    """KiB for each viewer."""

    idle: float
    after: float
    """when each has had a message of 1 KiB"""
    kernel: float


def measure(place: Path) -> Measured:
    """Let each have its turn in every round."""
    with cores.divided():
        rounds = machine.quietly(in_turn(CONTENDERS, lambda one: _held(one, place)), ROUNDS, warm_up=0)
    seen = {one: [values[one.name] for values in rounds.values] for one in CONTENDERS}
    ours, theirs = ([held.idle for held in seen[one]] for one in (OURS, NCHAN))
    where = f"{VIEWERS} viewers; PSS of the server's processes"
    against = Row(f"memory for each idle viewer, against {NCHAN.name}", "KiB", where)
    return Measured(
        figures=[
            against.times_at_most(ours, theirs, TIMES_NCHAN),
            *(figure for one in CONTENDERS for figure in _rows(one, seen[one])),
        ],
        details=[
            f"growth from {FEW} viewers on, each having the head of its answer, {SETTLE_S:g} s after the last had it",
            f"{WEBSOCKETD.name}: {WEBSOCKETD.most} viewers; their commands are not in it",
            "the kernel's: `mem` of /proc/net/sockstat, of the whole machine, idle",
            str(rounds),
        ],
    )


def _held(contender: Contender, place: Path) -> Held:
    many = contender.most or VIEWERS
    plan = Plan(viewers=many, count=1, every_s=0.0)
    with contender.stage(place, plan) as stage, _crowd(stage, Plan(viewers=FEW, count=1, every_s=0.0)) as few:
        before, kernel = _now_kib(stage)
        with _crowd(stage, plan) as crowd:
            idle, idle_kernel = _now_kib(stage)
            stage.go()
            crowd.hear("done")
            after, _ = _now_kib(stage)
            crowd.result()
        few.hear("done")
    return Held((idle - before) / many, (after - before) / many, (idle_kernel - kernel) / many)


@contextmanager
def _crowd(stage: Stage, plan: Plan) -> Iterator[Client]:
    with counting(stage.ask, plan, 0) as viewers:
        viewers.hear("connected")
        viewers.hear("warm")
        yield viewers


def _now_kib(stage: Stage) -> tuple[int, float]:
    time.sleep(SETTLE_S)
    return pss_kib(stage.server()), sockets_kib()


def _rows(contender: Contender, seen: list[Held]) -> list[Figure]:
    where = f"{contender.most or VIEWERS} viewers"
    name = f"memory for each idle viewer, {contender.name}"
    return [
        Row(name, "KiB", where).shown([held.idle for held in seen]),
        Row(f"{name}, after a message", "KiB", where).shown([held.after for held in seen]),
        Row(f"{name}, the kernel's", "KiB", where).shown([held.kernel for held in seen]),
    ]
