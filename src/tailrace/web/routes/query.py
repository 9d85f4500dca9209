"""What a query says, for routes that refuse what means nothing to them: no typing error is silently left out."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tailrace.core.errors import InvalidInput

MAX = 2**63 - 1
"""the largest number that means anything: an offset"""
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class Asked:
    """The values by name, each name once; `op` is what is asked for."""

    op: str
    values: dict[str, str]

    def has(self, name: str) -> bool:
        """Tell whether the query has it."""
        return name in self.values

    def text(self, name: str) -> str:
        """Return the value; empty if the query has none."""
        return self.values.get(name, "")

    def number(self, name: str, default: int, *, least: int, most: int = MAX) -> int:
        """Return the value as a whole number.

        Raises:
            InvalidInput: it is none, or out of range.
        """
        text = self.values.get(name)
        if text is None:
            return default
        if _NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
            raise self.bad(name, f"cannot be {text[:40]!r}", f"a whole number from {least} to {most}")
        return int(text)

    def seconds(self, name: str) -> float:
        """Return the value as seconds.

        Raises:
            InvalidInput: it is no such number.
        """
        text = self.text(name)
        if _SECONDS.fullmatch(text) is None:
            raise self.bad(name, f"cannot be {text[:40]!r}", "seconds since the start, such as 7 or 0.25")
        return float(text)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return the value as yes or no.

        Raises:
            InvalidInput: it is neither 1 nor 0.
        """
        return self.one_of(name, str(int(default)), ("1", "0")) == "1"

    def one_of(self, name: str, default: str, choices: Collection[str]) -> str:
        """Return the value, one of the choices.

        Raises:
            InvalidInput: it is another.
        """
        text = self.values.get(name, default)
        if text not in choices:
            raise self.bad(name, f"cannot be {text[:40]!r}", f"one of: {', '.join(choices)}")
        return text

    def only_one(self, *names: str) -> None:
        """See that at most one of these is given.

        Raises:
            InvalidInput: there are more.
        """
        given = [name for name in names if name in self.values]
        if len(given) > 1:
            raise self.bad(given[1], f"and {given[0]!r} exclude each other", f"one of: {', '.join(names)}")

    def bad(self, name: str, what: str, hint: str) -> InvalidInput:
        """Return an error that says what is wrong with a value, and what to do."""
        return InvalidInput(f"{name!r} in the query {what}", op=self.op, subject=name, hint=hint)


def asked_of(pairs: Sequence[tuple[str, str]], op: str, names: Collection[str]) -> Asked:
    """Return what the query says.

    Raises:
        InvalidInput: it has another name than these, or one twice.
    """
    asked = Asked(op, {})
    for name, value in pairs:
        if name not in names:
            raise asked.bad(name[:40], "means nothing here", f"what does: {', '.join(names)}")
        if asked.has(name):
            raise asked.bad(name, "stands there twice", "give it once")
        asked.values[name] = value
    return asked
