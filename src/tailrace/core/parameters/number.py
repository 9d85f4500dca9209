"""Parameters that are numbers."""

import math
import re
from collections.abc import Iterator

from tailrace.core.errors import Fault
from tailrace.core.parameters.base import Base, described, kind_of, standing_faults, unfit

INT_BITS = 63
"""of an integer, without its sign"""

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")


class Integer(Base, frozen=True, kw_only=True, tag="integer"):
    """A whole number, of 64 bits at most."""

    default: int | None = None
    """the value when none is given"""
    example: int | None = None
    """a value that shows what is meant"""
    minimum: int | None = None
    """the least"""
    maximum: int | None = None
    """the greatest"""

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        if self._least > self._greatest:
            yield Fault("maximum", f"is less than the minimum, {self._least}", "no number would be taken: change one")
            return
        yield from standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        if isinstance(value, bool) or not isinstance(value, int):
            hint = f"give {_range('a whole number of 64 bits', self.minimum, self.maximum)}, without quotes in JSON"
            raise unfit(f"must be a whole number, not {kind_of(value)}", hint)
        if not self._least <= value <= self._greatest:
            hint = f"it takes {_range('a whole number of 64 bits', self.minimum, self.maximum)}"
            raise unfit("is out of range", hint)
        return str(value)

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a field that was left empty gives nothing; what is no number is left for `argument`."""
        if not text:
            return None
        return int(text) if _INTEGER.fullmatch(text) else text

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        return {"type": "integer", **described(self), "minimum": self._least, "maximum": self._greatest}

    @property
    def _least(self) -> int:
        return -(1 << INT_BITS) if self.minimum is None else self.minimum

    @property
    def _greatest(self) -> int:
        return (1 << INT_BITS) - 1 if self.maximum is None else self.maximum


class Number(Base, frozen=True, kw_only=True, tag="number"):
    """A number, with or without a fraction."""

    default: float | None = None
    """the value when none is given"""
    example: float | None = None
    """a value that shows what is meant"""
    minimum: float | None = None
    """the least"""
    maximum: float | None = None
    """the greatest"""

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        if self.minimum is not None and self.maximum is not None and not self.minimum <= self.maximum:
            yield Fault(
                "maximum", f"is less than the minimum, {self.minimum:g}", "no number would be taken: change one"
            )
            return
        yield from standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`: as short as can be, so that it means the same number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            hint = f"give {_range('a number', self.minimum, self.maximum)}, without quotes in JSON"
            raise unfit(f"must be a number, not {kind_of(value)}", hint)
        if not self._is_within(value):
            raise unfit("is out of range", f"it takes {_range('a number', self.minimum, self.maximum)}")
        return str(int(value)) if value == int(value) and abs(value) < 1 << 53 else repr(float(value))

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a field that was left empty gives nothing; what is no number is left for `argument`."""
        if not text:
            return None
        return float(text) if _NUMBER.fullmatch(text) else text

    def native(self, value: object) -> object:
        """See `Base.native`."""
        return float(value) if isinstance(value, int) else value

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        return {
            "type": "number",
            **described(self),
            **{key: bound for key, bound in bounds.items() if bound is not None},
        }

    def _is_within(self, value: float) -> bool:
        if isinstance(value, int) and abs(value) >= 1 << 1000:  # cannot be made a float
            return False
        least = -math.inf if self.minimum is None else self.minimum
        greatest = math.inf if self.maximum is None else self.maximum
        return math.isfinite(value) and least <= value <= greatest


def _range(what: str, least: float | None, greatest: float | None) -> str:
    match least, greatest:
        case None, None:
            return what
        case _, None:
            return f"{least} or more"
        case None, _:
            return f"{greatest} or less"
        case _:
            return f"{least} to {greatest}"
