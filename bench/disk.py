"""From the command to the disk, against `cat > file` behind the same pipe."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from bench import machine
from bench.content import Content, digest, irregular_lines
from bench.report import Figure, Measured, median, spread
from bench.serving import state_dir, system_calls
from tailrace.api import connect
from tailrace.engine.base import Engine

BYTES = 512 << 20
ROUNDS = 9
WANTED = 0.8

Taken: TypeAlias = tuple[float, float]
"""seconds until all was written, and until it was synced"""


def measure(place: Path) -> Measured:
    """Alternate; each round gives a ratio, without and with the sync."""
    content = irregular_lines(place / "irregular-lines", BYTES)
    order = itertools.cycle((1, -1))
    with state_dir(place, "disk") as path:
        engine = connect(f"disk:{path}")
        sides = (lambda: _ours(engine, path, content), lambda: _cat(place, content))
        rounds = machine.quietly(lambda: _in_order(sides, next(order)), ROUNDS)
        profile = system_calls(path, sides[0])
        engine.close()
    unsynced, synced = ([cat[how] / ours[how] for ours, cat in rounds.values] for how in (0, 1))
    ours_rates, cat_rates = ([BYTES / one[side][0] / 1e6 for one in rounds.values] for side in (0, 1))
    conditions = f"no wire; {machine.file_system(place)}; SHA-256 right"
    return Measured(
        profile=profile,
        figures=[
            Figure(
                what=f"command → disk, against `cat > file` of the same pipe, {how}",
                wanted=f"≥ {WANTED:g} x",
                measured=f"{median(ratios):.2f} x",
                spread=spread(ratios, "x"),
                is_met=median(ratios) >= WANTED,
                conditions=conditions,
            )
            for how, ratios in (("sync left out on both sides", unsynced), ("sync included on both sides", synced))
        ],
        details=[
            f"ours {median(ours_rates):.0f} MB/s, sync left out; {spread(ours_rates, 'MB/s', 0)}",
            f"`cat > file` {median(cat_rates):.0f} MB/s, sync left out; {spread(cat_rates, 'MB/s', 0)}",
            str(rounds),
            f"`cat` of {BYTES >> 20} MiB of irregular lines; each ratio is of two neighbours, the order alternating",
        ],
    )


def _in_order(sides: Sequence[Callable[[], Taken]], step: int) -> tuple[Taken, ...]:
    """Do both sides, the second one first where the step is -1; return them as they are given."""
    return tuple([side() for side in sides[::step]][::step])


def _ours(engine: Engine, path: Path, content: Content) -> Taken:
    """Return the seconds until the command and its output had ended, and until all was synced."""
    os.sync()
    begun = time.monotonic()
    run = engine.start(["cat", str(content.path)])
    info = run.wait(120)
    synced = time.monotonic() - begun
    output = path / "runs" / run.id / "output"
    assert digest(output) == content.sha256, "the bytes are not those that the command printed"
    output.write_bytes(b"")
    assert info.duration_s is not None
    return info.duration_s, synced


def _cat(place: Path, content: Content) -> Taken:
    """Do the same with a pipe and `cat`."""
    output = place / "cat-output"
    os.sync()
    begun = time.monotonic()
    with output.open("wb") as file:
        printing = subprocess.Popen(["cat", str(content.path)], stdout=subprocess.PIPE)
        subprocess.run(["cat"], stdin=printing.stdout, stdout=file, check=True)
        assert printing.wait() == 0
        written = time.monotonic() - begun
        os.fdatasync(file.fileno())
    synced = time.monotonic() - begun
    assert digest(output) == content.sha256
    output.unlink()
    return written, synced
