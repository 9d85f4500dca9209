"""A crowd watching one contender: what was sent, what it cost, and how late it came."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.field import cores
from bench.field.contenders import Contender, Plan, Stage
from bench.field.costs import cpu_s
from bench.field.servers import ROOT
from bench.field.viewers import Ask, Count

SAMPLED = 100
END_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one contender has shown once."""

    sends: int
    """messages times viewers, in the time that was measured"""
    server_s: float
    """of processor time"""
    source_s: float
    ages_ms: list[float]

    @property
    def each_us(self) -> float:
        """Return the server's processor time for each send."""
        return self.server_s * 1e6 / self.sends


class Client:
    """The viewers' process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def hear(self, word: str) -> None:
        """Wait until it says so."""
        assert self._process.stdout
        said = self._process.stdout.readline().strip()
        assert said == word, f"the viewers' process was to say {word!r}, and said {said!r}"

    def result(self) -> dict[str, object]:
        """Return what it saw; one that gulps ends by this."""
        told, _ = self._process.communicate(timeout=END_S)
        assert self._process.returncode == 0
        seen: dict[str, object] = json.loads(told)
        return seen


@contextmanager
def client(mode: str, told: dict[str, object], *, niceness: int = 0) -> Iterator[Client]:
    """Start a process of viewers; it ends with the block."""
    argv = ["nice", "-n", str(niceness), sys.executable, "-m", "bench.field.viewers", mode, json.dumps(told)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield Client(process)
        finally:
            process.kill()


@contextmanager
def counting(ask: Ask, plan: Plan, warm: int) -> Iterator[Client]:
    """Start viewers who count."""
    seconds = plan.count * plan.every_s
    told = Count(
        ask=ask,
        viewers=plan.viewers,
        messages=plan.count,
        warm=warm,
        size=plan.size,
        sampled=SAMPLED,
        seconds=seconds,
    )
    with client("count", asdict(told)) as viewers:
        yield viewers


def watch(contender: Contender, place: Path, plan: Plan, warm: int) -> Seen:
    """Have so many watch; the first `warm` messages are not measured."""
    with contender.stage(place, plan) as stage, counting(stage.ask, plan, warm) as viewers:
        viewers.hear("connected")
        cores.spread(stage.source())
        stage.go()
        viewers.hear("warm")
        before = _spent(stage)
        viewers.hear("done")
        server_s, source_s = (after - then for after, then in zip(_spent(stage), before, strict=True))
        told = viewers.result()
    ages = [age / 1000 for age in told["ages_us"]]  # type: ignore[attr-defined]
    return Seen(sends=plan.viewers * (plan.count - warm), server_s=server_s, source_s=source_s, ages_ms=ages)


def _spent(stage: Stage) -> tuple[float, float]:
    return cpu_s(stage.server()), cpu_s(stage.source())
