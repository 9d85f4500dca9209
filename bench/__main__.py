"""Measures Tailrace, the article's server beside it: `python -m bench [--only NAME]...`, from the repository's root.

Everything is measured on a disk, below `--place`, and interleaved with what it is compared with. Before each benchmark
a quiet moment is waited for, a minute at most; how quiet it was is written beside the figures.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from bench import disk, first_byte, imports, latency, lines, listing, machine, memory, starts
from bench.report import Measured, document, table

BENCHMARKS = {
    "first-byte": first_byte.measure,
    "starts": starts.measure,
    "memory": memory.measure,
    "lines": lines.measure,
    "disk": disk.measure,
    "latency": latency.measure,
    "list": listing.measure,
    "import": imports.measure,
}
RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Measure; 1 if a figure is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Tailrace, and what it is compared with."
    )
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="this benchmark; may be repeated")
    parser.add_argument("--place", type=Path, default=Path("/var/tmp"), help="a directory on a disk")  # noqa: S108
    parser.add_argument("--results", type=Path, help="where to write; by default bench/RESULTS.md if all are measured")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    names = [name for name in BENCHMARKS if not asked.only or name in asked.only]
    results = _measured(names, asked.place)
    print(table(results))
    path = asked.results or (None if asked.only else RESULTS)
    if path is not None:
        path.write_text(document(results, machine.describe()))
    return int(any(result.is_missed for result in results.values()))


def _measured(names: list[str], parent: Path) -> dict[str, Measured]:
    place = Path(tempfile.mkdtemp(prefix="tailrace-bench-", dir=parent))
    try:
        print(f"on {machine.file_system(place)}", file=sys.stderr)
        return {name: _one(name, place) for name in names}
    finally:
        shutil.rmtree(place)


def _one(name: str, place: Path) -> Measured:
    calm = machine.wait_for_quiet()
    print(f"{name}: {calm}", file=sys.stderr)
    result = BENCHMARKS[name](place)
    result.before, result.after = calm, machine.look()
    for line in [*table({name: result}).splitlines()[2:], *result.details]:
        print(f"  {line}", file=sys.stderr)
    return result


if __name__ == "__main__":
    sys.exit(main())
