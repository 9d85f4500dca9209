"""Figures, and how they are told: one table on the terminal and in RESULTS.md."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.machine import Calm

WHY = "\n## Why\n"
"""heads what was found out about figures, by hand"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row: what was measured against what, and whether that is enough."""

    what: str
    wanted: str
    measured: str
    spread: str
    is_met: bool | None
    """None: nothing was asked"""
    conditions: str
    """wire, file system, client"""


@dataclass(kw_only=True)
class Measured:
    """What one benchmark gives."""

    figures: list[Figure]
    details: list[str] = field(default_factory=list)
    profile: list[str] = field(default_factory=list)
    """where the time goes; measured only where a figure is missed"""
    plots: dict[str, str] = field(default_factory=dict)
    """SVG, by the name of its file"""
    before: Calm | None = None
    after: Calm | None = None

    @property
    def is_missed(self) -> bool:
        """Whether a figure is worse than wanted."""
        return any(figure.is_met is False for figure in self.figures)


def median(values: Sequence[float]) -> float:
    """Return the middle."""
    return statistics.median(values)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """Return least, middle half and most."""
    points = [min(values), quantile(values, 0.25), quantile(values, 0.75), max(values)]
    low, first, third, high = (f"{point:.{digits}f}" for point in points)
    return f"{low} … [{first}, {third}] … {high} {unit}, n={len(values)}"


def table(results: dict[str, Measured]) -> str:
    """Return all rows in Markdown."""
    rows = [
        "| what | wanted | measured | | spread: least … [middle half] … most | conditions |",
        "|---|---|---|---|---|---|",
    ]
    for result in results.values():
        for figure in result.figures:
            verdict = {True: "met", False: "**missed**", None: ""}[figure.is_met]
            cells = (figure.what, figure.wanted, figure.measured, verdict, figure.spread, figure.conditions)
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def why(before: str) -> str:
    """Return what somebody has written into the results of before: from this heading to the end; empty if nothing."""
    _, heading, text = before.partition(WHY)
    return heading + text


def document(results: dict[str, Measured], machine: Sequence[str], before: str = "") -> str:
    """Return RESULTS.md; what was written by hand into the one before, it keeps."""
    parts = ["# Measured", 'Written by `python -m bench`; see CONTRIBUTING.md, "Measuring".', "\n".join(machine)]
    parts += [table(results), "## Details"]
    for name, result in results.items():
        calm = [f"machine before: {result.before}", f"machine after: {result.after}"]
        parts.append("\n".join([f"**{name}**", "", *(f"- {line}" for line in [*result.details, *calm])]))
        parts += [f"![{name}: {plot}](figures/{name}-{plot}.svg)" for plot in result.plots]
    for name, result in results.items():
        if result.is_missed:
            lines = result.profile or ["no profile was taken"]
            parts.append("\n".join([f"## Missed: {name}", "", "```", *lines, "```"]))
    return "\n\n".join(parts) + "\n" + why(before)
