"""What a running, silent command costs in our own memory."""

import re
from collections import Counter
from pathlib import Path

import msgspec

from bench import machine
from bench.report import Figure, Measured, median, spread
from bench.serving import parent, state_dir
from tailrace.api import connect
from tailrace.engine.base import Query

COUNT = 100
WANTED_KIB = 1024
ROWS = ("Pss", "Pss_Dirty", "Pss_Anon", "Pss_File")


def measure(place: Path) -> Measured:
    """Start them all, and add up who holds which page with how many others."""
    with state_dir(place, "memory") as path:
        engine = connect(f"disk:{path}")
        runs = [engine.start(["sleep", "1000"]) for _ in range(COUNT)]
        while len(engine.list(Query(state="running", limit=COUNT)).runs) < COUNT:
            pass
        keepers = [_keeper(path, run.id) for run in runs]
        runner = int((path / "runner.lock").read_text().split()[0])
        shares = [_kib(pid) for pid in keepers]
        private = _private(keepers[COUNT // 2])
        both = [_kib(pid) for pid in (runner, parent(runner))]
        for run in runs:
            run.stop(now=True)
        for run in runs:
            run.wait(60)
        engine.close()
    each = [share["Pss"] for share in shares]
    mean = sum(each) / COUNT
    ours = mean + sum(share["Pss"] for share in both) / COUNT
    parts = ", ".join(f"{row} {median([share[row] for share in shares]):.0f}" for row in ROWS)
    return Measured(
        figures=[
            Figure(
                what=f"a running silent command, of {COUNT} at once: its keeper's PSS",
                wanted=f"≤ {WANTED_KIB} KiB",
                measured=f"{mean:.0f} KiB",
                spread=spread(each, "KiB", 0),
                is_met=mean <= WANTED_KIB,
                conditions="/proc/PID/smaps_rollup; the command's own memory is not in it",
            ),
            Figure(
                what=f"the same, with a {COUNT}th of runner and forker",
                wanted=f"≤ {WANTED_KIB} KiB",
                measured=f"{ours:.0f} KiB",
                spread="",
                is_met=ours <= WANTED_KIB,
                conditions=f"runner {both[0]['Pss']} KiB, forker {both[1]['Pss']} KiB",
            ),
        ],
        profile=["KiB that one keeper alone holds and has written to, by what is mapped:", *private],
        details=[f"a keeper, median, KiB: {parts}", f"runs kept on {machine.file_system(place)}"],
    )


def _keeper(path: Path, run_id: str) -> int:
    live = msgspec.json.decode((path / "runs" / run_id / "live.json").read_bytes())
    return int(live["keeper"]["pid"])


def _kib(pid: int) -> dict[str, int]:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(kib) for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}


def _private(pid: int) -> list[str]:
    """Return what of the process is its own and changed, by mapping, most first."""
    found: Counter[str] = Counter()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if head := re.match(r"[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \d+ *(.*)", line):
            name = f"{head[1]} {Path(head[2]).name or 'anonymous'}"
        elif line.startswith("Private_Dirty:"):
            found[name] += int(line.split()[1])
    return [f"{kib:6d}  {name}" for name, kib in found.most_common(8) if kib]
