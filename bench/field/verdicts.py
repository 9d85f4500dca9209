"""Figures of a contest: ours against another, round by round, and what each has shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.field.contenders import Contender
from bench.report import Figure, median, spread

T = TypeVar("T")
Round = Mapping[str, T]
"""what each contender gave, by its name"""


def in_turn(contenders: Sequence[Contender], work: Callable[[Contender], T]) -> Callable[[], Round[T]]:
    """Return a round: the work for each of them, one after another, every second time from the last to the first."""
    order = list(contenders)

    def one_round() -> Round[T]:
        order.reverse()
        return {contender.name: work(contender) for contender in order}

    return one_round


@dataclass(frozen=True)
class Row:
    """What a figure is of; its calls give the figure."""

    what: str
    unit: str
    conditions: str = ""
    digits: int = 1

    def shown(self, values: Sequence[float]) -> Figure:
        """Return a figure of which nothing is asked."""
        return self._figure(values, "", is_met=None)

    def at_most(self, values: Sequence[float], most: float) -> Figure:
        """Return a figure whose median may be so much."""
        return self._figure(values, f"≤ {most:g} {self.unit}", is_met=median(values) <= most)

    def at_least(self, values: Sequence[float], least: float) -> Figure:
        """Return a figure whose median must be so much."""
        return self._figure(values, f"≥ {least:g} {self.unit}", is_met=median(values) >= least)

    def times_at_most(self, ours: Sequence[float], theirs: Sequence[float], most: float) -> Figure:
        """Return ours against another's, round by round: the median of the ratios may be so much."""
        return self._ratio(ours, theirs, f"≤ {most:g} x", lambda times: times <= most)

    def times_at_least(self, ours: Sequence[float], theirs: Sequence[float], least: float) -> Figure:
        """Return ours against another's, round by round: the median of the ratios must be so much."""
        return self._ratio(ours, theirs, f"≥ {least:g} x", lambda times: times >= least)

    def _figure(self, values: Sequence[float], wanted: str, *, is_met: bool | None) -> Figure:
        return Figure(
            what=self.what,
            wanted=wanted,
            measured=f"{self._told(values)} {self.unit}",
            spread=spread(values, self.unit, self.digits),
            is_met=is_met,
            conditions=self.conditions,
        )

    def _ratio(
        self, ours: Sequence[float], theirs: Sequence[float], wanted: str, is_enough: Callable[[float], bool]
    ) -> Figure:
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        return Figure(
            what=self.what,
            wanted=wanted,
            measured=f"{median(ratios):.2f} x ({self._told(ours)} and {self._told(theirs)} {self.unit})",
            spread=spread(ratios, "x"),
            is_met=is_enough(median(ratios)),
            conditions=self.conditions,
        )

    def _told(self, values: Sequence[float]) -> str:
        return f"{median(values):,.{self.digits}f}"
