"""Measures Tailrace, the article's server beside it: `python -m bench [--only NAME]...`, from the repository's root.

Everything is measured on a disk, below `--place`, and interleaved with what it is compared with. Before each benchmark
a quiet moment is waited for, a minute at most; how quiet it was is written beside the figures.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import (
    disk,
    events,
    first_byte,
    imports,
    latency,
    lines,
    listing,
    machine,
    memory,
    minute,
    numbers,
    page,
    servers,
    starts,
)
from bench.field import binary, fanout, finished, flood, idle, printed, scaling, seq
from bench.report import Measured, document, table

BENCHMARKS = {
    "first-byte": first_byte.measure,
    "starts": starts.measure,
    "memory": memory.measure,
    "lines": lines.measure,
    "events": events.measure,
    "numbers": numbers.measure,
    "minute": minute.measure,
    "disk": disk.measure,
    "latency": latency.measure,
    "list": listing.measure,
    "import": imports.measure,
    "servers": servers.measure,
    "page": page.measure,
}
CONTESTS = {
    "fanout": fanout,
    "scaling": scaling,
    "idle": idle,
    "printed": printed,
    "binary": binary,
    "seq": seq,
    "finished": finished,
    "flood": flood,
}
"""those of the benchmarks that need other systems"""
BENCHMARKS |= {name: contest.measure for name, contest in CONTESTS.items()}
RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Measure; 1 if a figure is missed, 2 if something is not installed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Tailrace, and what it is compared with."
    )
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="this benchmark; may be repeated")
    parser.add_argument("--place", type=Path, default=Path("/var/tmp"), help="a directory on a disk")  # noqa: S108
    parser.add_argument("--results", type=Path, help="where to write; by default bench/RESULTS.md if all are measured")
    parser.add_argument(
        "--patience", type=float, default=machine.PATIENCE_S, metavar="S", help="to wait for a quiet moment"
    )
    asked = parser.parse_args()
    machine.PATIENCE_S = asked.patience
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    names = [name for name in BENCHMARKS if not asked.only or name in asked.only]
    if missing := _missing(names):
        print(*missing, sep="\n", file=sys.stderr)
        return 2
    path = asked.results or (None if asked.only else RESULTS)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text() if path is not None and path.exists() else ""
    results: dict[str, Measured] = {}
    for name, result in _measured(names, asked.place):
        results[name] = result
        if path is not None:
            path.write_text(document(results, machine.describe(), before))
            _draw(name, result, path.parent / "figures")
    print(table(results))
    return int(any(result.is_missed for result in results.values()))


def _missing(names: list[str]) -> list[str]:
    """Return what must be installed before these can be measured."""
    contenders = [one for name in names if name in CONTESTS for one in CONTESTS[name].CONTENDERS]
    return list(dict.fromkeys(told for one in contenders if (told := one.missing())))


def _draw(name: str, result: Measured, folder: Path) -> None:
    for plot, svg in result.plots.items():
        folder.mkdir(exist_ok=True)
        (folder / f"{name}-{plot}.svg").write_text(svg)


def _measured(names: list[str], parent: Path) -> Iterator[tuple[str, Measured]]:
    place = Path(tempfile.mkdtemp(prefix="tailrace-bench-", dir=parent))
    try:
        print(f"on {machine.file_system(place)}", file=sys.stderr)
        for name in names:
            yield name, _one(name, place)
    finally:
        shutil.rmtree(place)


def _one(name: str, place: Path) -> Measured:
    calm = machine.wait_for_quiet(machine.PATIENCE_S)
    print(f"{name}: {calm}", file=sys.stderr)
    result = BENCHMARKS[name](place)
    result.before, result.after = calm, machine.look()
    for line in [*table({name: result}).splitlines()[2:], *result.details]:
        print(f"  {line}", file=sys.stderr)
    return result


if __name__ == "__main__":
    sys.exit(main())
