"""What `import tailrace` costs, above a bare interpreter."""

import subprocess
import sys
import time
from pathlib import Path

from bench import machine
from bench.report import Figure, Measured, median, spread

ROUNDS = 6
EACH = 5
WANTED_MS = 60.0
PROGRAMS = {
    "bare": "pass",
    "import tailrace": "import tailrace",
    "tailrace.connect": "import tailrace; tailrace.connect",
}


def measure(place: Path) -> Measured:
    """Start an interpreter for each program in turn."""
    rounds = machine.quietly(lambda: [_round(place) for _ in range(EACH)], ROUNDS)
    taken = {name: [one[name] for each in rounds.values for one in each] for name in PROGRAMS}
    bare = median(taken["bare"])
    figures = [_figure(name, taken[name], bare) for name in PROGRAMS if name != "bare"]
    result = Measured(
        figures=figures, details=[f"bare interpreter: {bare:.1f} ms; {spread(taken['bare'], 'ms', 1)}", str(rounds)]
    )
    if result.is_missed:
        result.profile = _slowest(place)
    return result


def _round(place: Path) -> dict[str, float]:
    return {name: _run_ms(program, place) for name, program in PROGRAMS.items()}


def _run_ms(program: str, place: Path) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, cwd=place)
    return (time.perf_counter() - begun) * 1000


def _figure(name: str, taken: list[float], bare: float) -> Figure:
    above = [ms - bare for ms in taken]
    return Figure(
        what=f"`{PROGRAMS[name]}`, above a bare interpreter",
        wanted=f"≤ {WANTED_MS:g} ms",
        measured=f"{median(above):.1f} ms",
        spread=spread(above, "ms", 1),
        is_met=median(above) <= WANTED_MS,
        conditions="a new process each, in turn with a bare one; bytecode cached",
    )


def _slowest(place: Path) -> list[str]:
    program = PROGRAMS["tailrace.connect"]
    argv = [sys.executable, "-X", "importtime", "-c", program]
    told = subprocess.run(argv, stderr=subprocess.PIPE, text=True, check=True, cwd=place).stderr.splitlines()[1:]
    return sorted(told, key=lambda line: -int(line.split("|")[0].partition(":")[2]))[:15]
