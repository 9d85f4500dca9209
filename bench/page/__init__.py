"""The page in a real browser: how soon it answers, opens, and gets anywhere in an output of any size."""

from pathlib import Path

from bench.page import flood, large, paint
from bench.report import Measured

PARTS = (paint, flood, large)


def measure(place: Path) -> Measured:
    """Measure all of it, one part after the other."""
    parts = [part.measure(place) for part in PARTS]
    return Measured(
        figures=[figure for part in parts for figure in part.figures],
        details=[line for part in parts for line in part.details],
    )
