"""How many runs of `true` a second can be started by several processes, until all have their results."""

import subprocess
import sys
import time
from pathlib import Path

from bench import machine
from bench.report import Figure, Measured, median, spread
from bench.serving import ROOT, state_dir, system_calls
from tailrace.host.statedir import StateDir

STARTERS = 4
EACH = 150
ROUNDS = 7
WANTED = 250.0


def measure(place: Path) -> Measured:
    """Let the starters go at once, several times."""
    with state_dir(place, "starts") as path:
        rounds = machine.quietly(lambda: _round(path), ROUNDS)
        rates = [STARTERS * EACH / until_results for _, until_results in rounds.values]
        began_s = median([began for began, _ in rounds.values])
        result = Measured(
            figures=[
                Figure(
                    what=f"starts of `true` sustained, from {STARTERS} processes, until all results are there",
                    wanted=f"≥ {WANTED:g} a second",
                    measured=f"{median(rates):.0f} a second",
                    spread=spread(rates, "a second", 0),
                    is_met=median(rates) >= WANTED,
                    conditions=f"library; {machine.file_system(place)}, results synced; {STARTERS * EACH} runs a round",
                )
            ],
            details=[f"all were started after {began_s:.2f} s of {STARTERS * EACH / median(rates):.2f} s", str(rounds)],
        )
        if result.is_missed:
            result.profile = system_calls(path, lambda: _round(path))
    return result


def _round(path: Path) -> tuple[float, float]:
    """Return the seconds until all were started, and until all had ended."""
    argv = [sys.executable, str(ROOT / "bench" / "starter.py"), str(path), str(EACH)]
    starters = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(STARTERS)]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
    state = StateDir(path, create=False)
    before = _results(path)
    begun = time.monotonic()
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write(b"go\n")
        starter.stdin.flush()
    assert [starter.wait() for starter in starters] == [0] * STARTERS
    began = time.monotonic() - begun
    while state.active():
        time.sleep(0.005)
    taken = time.monotonic() - begun
    state.close()
    for starter in starters:
        starter.communicate()
    assert _results(path) - before == STARTERS * EACH
    return began, taken


def _results(path: Path) -> int:
    return sum(1 for _ in path.glob("runs/*/result.json"))
