"""Parameters that are text: what everybody may see, and what nobody may."""

import re
from collections.abc import Iterator
from typing import Literal

from tailrace.core.errors import Fault
from tailrace.core.masking import SHORTEST
from tailrace.core.parameters.base import LONGEST, Base, described, need_faults, standing_faults, text_of, unfit
from tailrace.core.patterns import compiled

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class Text(Base, frozen=True, kw_only=True, tag="text"):
    """Text, of one line."""

    default: str | None = None
    """the value when none is given"""
    example: str | None = None
    """a value that shows what is meant"""
    pattern: str | None = None
    r"""a regular expression that the whole of it must match; `\d` and `\w` are ASCII"""
    minimum_length: int = 0
    """the fewest characters"""
    maximum_length: int = 4096
    """the most characters"""
    allow_newlines: bool = False
    """let it have several lines"""

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        yield from _length_faults(self.minimum_length, self.maximum_length)
        try:
            fault = "" if self.pattern is None else compiled(self.pattern).fault
        except (re.error, OverflowError, RecursionError) as error:
            yield Fault("pattern", f"is no regular expression: {error}", "in TOML, '…' keeps backslashes as they are")
            return
        if fault:
            hint = "write it without look-around, back-references and more than 1000 repeats (RE2)"
            yield Fault("pattern", f"cannot be matched in linear time: {fault}", hint)
            return
        yield from standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        if isinstance(value, str):
            _check_length(value, self.minimum_length, self.maximum_length)
        text = text_of(value, allow_newlines=self.allow_newlines)
        if not self._matches(text):
            shown = f", for example {self.example!r}" if self.example is not None else ""
            raise unfit(f"does not match {self.pattern}", f"the whole of it must match{shown}")
        return text

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a form sends CRLF for each newline (HTML, 4.10.22.4)."""
        return text.replace("\r\n", "\n")

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        pattern = {} if self.pattern is None else {"pattern": f"^(?:{self.pattern})$"}
        lengths = {"minLength": self.minimum_length, "maxLength": self.maximum_length}
        return {"type": "string", **described(self), **_lines(self), **lengths, **pattern}

    def _matches(self, value: str) -> bool:
        return self.pattern is None or compiled(self.pattern).matcher.fullmatch(value) is not None


class Secret(Base, frozen=True, kw_only=True, tag="secret"):
    """Text that nobody is shown: never an argument, never in a list, a message or a form that is shown again."""

    deliver: Literal["env", "stdin", "file"] = "env"
    """how the command gets it: in the variable `variable`, as a line that its standard input begins with, or in a file
    of mode 0600, for whose path `{name}` stands in argv, and which `variable` then names"""
    variable: str | None = None
    """the variable of its environment"""
    minimum_length: int = 6
    """the fewest characters"""
    maximum_length: int = 4096
    """the most characters"""
    allow_newlines: bool = False
    """let it have several lines"""

    @property
    def is_secret(self) -> bool:
        """See `Base.is_secret`."""
        return True

    @property
    def is_argument(self) -> bool:
        """See `Base.is_argument`: the path of its file may be."""
        return self.deliver == "file"

    @property
    def standard(self) -> object:
        """See `Base.standard`: a secret that stands in a file for everybody is none; "" where it need not be given."""
        return "" if self.required is False else None

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        yield from _length_faults(self.minimum_length, self.maximum_length)
        if self.minimum_length < SHORTEST:
            yield Fault("minimum_length", f"is less than {SHORTEST}", "a shorter secret could not be masked")
        yield from self._delivery_faults()
        yield from need_faults(self)

    def _delivery_faults(self) -> Iterator[Fault]:
        if self.deliver == "env" and self.variable is None:
            yield Fault("variable", "is missing", 'name the variable that it goes into, for example "TOKEN"')
        if self.deliver == "stdin" and self.variable is not None:
            yield Fault("variable", "means nothing here", 'leave it out, or say deliver = "env"')
        if self.deliver == "stdin" and self.allow_newlines:
            yield Fault("allow_newlines", "does not go with the input", 'it becomes one line there: deliver = "file"')
        if self.variable is not None and _VARIABLE.fullmatch(self.variable) is None:
            yield Fault("variable", "cannot be a variable's name", "letters, digits and _, no digit first")

    def argument(self, value: object) -> str:
        """See `Base.argument`: its text, for whoever hands it over. No message repeats any of it."""
        if value == "" and self.required is False:
            return ""
        if isinstance(value, str):
            _check_length(value, self.minimum_length, self.maximum_length)
        return text_of(value, allow_newlines=self.allow_newlines)

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a field that was left empty gives nothing."""
        return text.replace("\r\n", "\n") or None

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        lengths = {"minLength": self.minimum_length, "maxLength": self.maximum_length}
        words = {key: text for key, text in described(self).items() if key != "default"}
        return {"type": "string", "format": "password", "writeOnly": True, **words, **_lines(self), **lengths}


def _lines(parameter: Text | Secret) -> dict[str, object]:
    """Return what a schema says of several lines, for forms."""
    return {"multiline": True} if parameter.allow_newlines else {}


def _length_faults(few: int, most: int) -> Iterator[Fault]:
    if not 0 <= few <= most <= LONGEST:
        hint = f"0 <= minimum_length <= maximum_length <= {LONGEST}"
        yield Fault("maximum_length", "and minimum_length do not fit together", hint)


def _check_length(text: str, few: int, most: int) -> None:
    """See that a text has as many characters as it may; before anything slower is done with it.

    Raises:
        InvalidInput: it has not.
    """
    if not few <= len(text) <= most:
        raise unfit(f"has {len(text)} characters", f"it takes {few} to {most}")
