"""Parameters that are days."""

import datetime as dt
import re
from collections.abc import Iterator

from tailrace.core.errors import Fault
from tailrace.core.parameters.base import Base, described, kind_of, standing_faults, unfit

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Date(Base, frozen=True, kw_only=True, tag="date"):
    """A day, as ISO 8601 writes it: `2026-11-27`."""

    default: str | None = None
    """the value when none is given"""
    example: str | None = None
    """a value that shows what is meant"""
    minimum: str | None = None
    """the earliest"""
    maximum: str | None = None
    """the latest"""

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        wrong = {key for key, bound in bounds.items() if bound is not None and _day(bound) is None}
        for key in sorted(wrong):
            yield Fault(key, f"is no day: {str(bounds[key])[:40]!r}", "year, month and day: 2026-11-27")
        if wrong:
            return
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield Fault("maximum", f"is before the minimum, {self.minimum}", "no day would be taken: change one")
            return
        yield from standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        if not isinstance(value, str):
            raise unfit(f"must be a day, not {kind_of(value)}", 'year, month and day: "2026-11-27"')
        if _day(value) is None:
            raise unfit("is no day", "year, month and day: 2026-11-27")
        if not (self.minimum or value) <= value <= (self.maximum or value):
            raise unfit("is out of range", f"it takes days {self._range()}")
        return value

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a field that was left empty gives nothing."""
        return text or None

    def native(self, value: object) -> object:
        """See `Base.native`."""
        return _day(value) if isinstance(value, str) else value

    def schema(self) -> dict[str, object]:
        """See `Base.schema`: `formatMinimum` and `formatMaximum` are ajv's, for who knows them."""
        bounds = {"formatMinimum": self.minimum, "formatMaximum": self.maximum}
        return {
            "type": "string",
            "format": "date",
            **described(self),
            **{key: bound for key, bound in bounds.items() if bound is not None},
        }

    def _range(self) -> str:
        words = (("from", self.minimum), ("to", self.maximum))
        return " ".join(f"{word} {day}" for word, day in words if day is not None)


def _day(text: str) -> dt.date | None:
    """Return the day; None: it is none. Days of four-digit years sort as their texts do."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
