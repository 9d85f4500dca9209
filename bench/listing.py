"""The first page of a list, with 100,000 runs kept."""

import cProfile
import io
import pstats
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import history, machine
from bench.report import Figure, Measured, median, spread
from bench.serving import ROOT, state_dir
from tailrace.api import connect
from tailrace.engine.base import Engine, Page, Query

COUNT = 100_000
WRITERS = 2
GOING = 10
ROUNDS = 4
CALLS = 5
PROCESSES = 20
WANTED_MS = 50.0
PROFILE_LINES = 14
QUERIES = {
    "unfiltered": Query(),
    "state finished": Query(state="finished"),
    "state running": Query(state="running"),
    "state exited": Query(state="exited"),
    "state lost (1 in 1000)": Query(state="lost"),
    "a command (1 in 20)": Query(command="command-7"),
    "a label (1 in 50)": Query(labels={"branch": "branch-7"}),
    "a label (1 in 1000)": Query(labels={"rare": "yes"}),
    "two labels and a command": Query(labels={"branch": "branch-7", "by": "person-3"}, command="command-7"),
    "a label that nobody has": Query(labels={"branch": "none"}),
}


def measure(place: Path) -> Measured:
    """Write the runs, start a few that go on, and list."""
    with state_dir(place, "listing") as path:
        begun = time.monotonic()
        _write(path)
        written_s = time.monotonic() - begun
        calm = machine.wait_for_quiet(machine.PATIENCE_S)
        engine = connect(f"disk:{path}")
        first_ms, _ = _timed(lambda: engine.list(Query()))
        runs = [engine.start(["sleep", "1000"]) for _ in range(GOING)]
        rounds = machine.quietly(lambda: {name: _calls(engine, query) for name, query in QUERIES.items()}, ROUNDS)
        taken = {name: [ms for one in rounds.values for ms in one[name]] for name in QUERIES}
        processes = [_timed(lambda: _list_process(path))[0] for _ in range(PROCESSES)]
        bare = [_timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))[0] for _ in range(PROCESSES)]
        figures = [_figure(place, name, ms) for name, ms in taken.items()]
        figures.append(_process_figure(place, processes, median(bare)))
        result = Measured(figures=figures, details=[
            f"{COUNT} finished runs and {GOING} going; {written_s:.0f} s to write them, unsynced",
            f"the first call, which builds the catalog: {first_ms / 1000:.1f} s",
            f"before listing: {calm}",
 str(rounds),
        ])  # fmt: skip
        if any(median(ms) > WANTED_MS for ms in taken.values()):
            slowest = max(taken, key=lambda name: median(taken[name]))
            result.profile = _profile(engine, slowest)
        for run in runs:
            run.stop(now=True)
        for run in runs:
            run.wait(60)
        engine.close()
    shutil.rmtree(path)
    return result


def _write(path: Path) -> None:
    """Write the history, up to now, with several processes."""
    each = COUNT // WRITERS
    first_us = time.time_ns() // 1000 - (each + 1) * history.EVERY_US
    argv = [sys.executable, str(ROOT / "bench" / "history.py"), str(path), str(each)]
    writers = [subprocess.Popen([*argv, str(first_us + number)]) for number in range(WRITERS)]
    assert [writer.wait() for writer in writers] == [0] * WRITERS


def _timed(call: Callable[[], object]) -> tuple[float, object]:
    begun = time.perf_counter()
    value = call()
    return (time.perf_counter() - begun) * 1000, value


def _calls(engine: Engine, query: Query) -> list[float]:
    taken = []
    for _ in range(CALLS):
        ms, page = _timed(lambda: engine.list(query))
        assert isinstance(page, Page)
        assert bool(page.runs) == ("none" not in query.labels.values())
        taken.append(ms)
    return taken


def _list_process(path: Path) -> None:
    limit = str(Query().limit)
    argv = [sys.executable, "-m", "tailrace", "--state-dir", str(path), "list", "--limit", limit]
    told = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    assert told.count(b"\n") >= int(limit), told


def _figure(place: Path, name: str, taken: list[float]) -> Figure:
    return Figure(
        what=f"list, first page of {Query().limit}, {COUNT} runs kept: {name}",
        wanted=f"≤ {WANTED_MS:g} ms",
        measured=f"{median(taken):.1f} ms",
        spread=spread(taken, "ms", 1),
        is_met=median(taken) <= WANTED_MS,
        conditions=f"library; {machine.file_system(place)}; catalog built before",
    )


def _process_figure(place: Path, taken: list[float], bare: float) -> Figure:
    return Figure(
        what="`tailrace list --limit 50` of them, the whole process",
        wanted="",
        measured=f"{median(taken):.0f} ms",
        spread=spread(taken, "ms", 0),
        is_met=None,
        conditions=f"command line; {machine.file_system(place)}; a bare interpreter takes {bare:.0f} ms",
    )


def _profile(engine: Engine, name: str) -> list[str]:
    profile = cProfile.Profile()
    profile.runcall(engine.list, QUERIES[name])
    told = io.StringIO()
    pstats.Stats(profile, stream=told).sort_stats("tottime").print_stats(PROFILE_LINES)
    return [f"{name}:", *(line for line in told.getvalue().splitlines() if line.strip())]
