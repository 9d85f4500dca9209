"""A command that prints 10,000 lines a second for a minute: what its viewers get, and what the server's memory does."""

import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import cast

from bench import machine
from bench.report import Figure, Measured
from bench.serving import served as serve
from bench.serving import state_dir, talking_client, tree

VIEWERS = 10
SECONDS = 60
LINES_A_BURST = 100
BURST_S = 0.01
WARM_S = 10
GROWTH_KIB = 1024
PRINTER = f"""
import sys, time
due = time.monotonic()
print(0, flush=True)
for burst in range({round(SECONDS / BURST_S)}):
    sys.stdout.write("".join(f"{{burst * {LINES_A_BURST} + line + 1}}\\n" for line in range({LINES_A_BURST})))
    sys.stdout.flush()
    due += {BURST_S}
    time.sleep(max(0, due - time.monotonic()))
"""


def measure(place: Path) -> Measured:
    """Watch it with some viewers at once, on the wire `lines`."""
    commands = {"minute": [sys.executable, "-c", PRINTER]}
    with (
        state_dir(place, "minute") as state,
        serve(state, commands, names=("ours",), threads=VIEWERS + 8) as ports,
        talking_client("crowd", str(VIEWERS), f"{ports['ours']}/minute?key=1&format=lines") as client,
    ):
        assert client.hear() == "all have begun"
        memory: list[int] = []
        begun, is_over = time.monotonic(), Event()
        sampler = Thread(target=_sample, args=(ports["ours"], memory, is_over))
        sampler.start()
        seen = cast("dict[str, int]", client.result())
        taken_s = time.monotonic() - begun
        is_over.set()
        sampler.join()
    lines = VIEWERS * (1 + round(SECONDS / BURST_S) * LINES_A_BURST)
    growth = max(memory[WARM_S:]) - memory[WARM_S]
    return Measured(
        figures=[
            Figure(
                what=f"{SECONDS} s of 10,000 lines a second to {VIEWERS} viewers: lines that arrived",
                wanted=f"{lines:,}",
                measured=f"{seen['lines']:,} in {taken_s:.0f} s",
                spread="",
                is_met=seen["lines"] == lines,
                conditions="lines; gunicorn gthread; raw sockets",
            ),
            Figure(
                what=f"the same: growth of the server's memory after the first {WARM_S} s",
                wanted=f"≤ {GROWTH_KIB} KiB",
                measured=f"{growth} KiB",
                spread=f"{min(memory)} … {max(memory)} KiB, n={len(memory)}",
                is_met=growth <= GROWTH_KIB,
                conditions="PSS of its processes, looked at each second",
            ),
        ],
        details=[f"runs kept on {machine.file_system(place)}"],
    )


def _sample(port: int, memory: list[int], is_over: Event) -> None:
    while not is_over.wait(1):
        memory.append(sum(_pss_kib(pid) for pid in tree(port)))


def _pss_kib(pid: int) -> int:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
