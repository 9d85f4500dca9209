"""The parameters of a declared command: what a value may be, and which argument it becomes.

Each type is one class, told from the others by its `type`. To add one: a class with the four methods of `Base`, and its
name in `Parameter`; the server's file, the API, its JSON Schema and the reference then know it.

A value is what JSON gives (`5`, `"five"`); a form and a command line give text, of which `from_text` makes one.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from tailrace.core.errors import Fault, InvalidInput

NEWLINES = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""whatever begins a new line for somebody: a terminal, Python, JavaScript"""
LONGEST = 32_768
"""characters of a text: with four bytes each, the most that Linux takes for one argument (execve(2))"""
INT_BITS = 63
"""of an integer, without its sign"""

_INTEGER = re.compile(r"-?[0-9]{1,19}")


class Base(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"):
    """What parameters of every type have."""

    title: str = ""
    """its name for people"""
    help: str = ""
    """what it is, in a sentence"""
    required: bool | None = None
    """whether it must be given. By default it must if it has no `default`; `true` makes a default what a form begins
    with"""
    allow_dash: bool = False
    """let its value be an argument that begins with `-`, which the program may take for an option"""

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.standard is None if self.required is None else self.required

    @property
    def standard(self) -> object:
        """The value when none is given; None: there is none."""
        raise NotImplementedError

    @property
    def sample(self) -> object:
        """A value for people to see what is meant; None: there is none."""
        raise NotImplementedError

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the declaration; a fault's subject is a key of it."""
        raise NotImplementedError

    def argument(self, value: object) -> str:
        """Return the text of the value, as the command gets it.

        Raises:
            InvalidInput: this is no value of the parameter.
        """
        raise NotImplementedError

    def from_text(self, text: str) -> object:
        """Return the value that a field of a form, or a word of a command line, means; None: nothing was given."""
        raise NotImplementedError

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema (2020-12) of the values."""
        raise NotImplementedError


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

    @property
    def standard(self) -> object:
        """See `Base.standard`."""
        return self.default

    @property
    def sample(self) -> object:
        """See `Base.sample`."""
        return self.example

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        if not 0 <= self.minimum_length <= self.maximum_length <= LONGEST:
            hint = f"0 <= minimum_length <= maximum_length <= {LONGEST}"
            yield Fault("maximum_length", "and minimum_length do not fit together", hint)
        try:
            self._matches("")
        except (re.error, OverflowError, RecursionError) as error:
            yield Fault("pattern", f"is no regular expression: {error}", "in TOML, '…' keeps backslashes as they are")
            return
        yield from _standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        if not isinstance(value, str):
            raise _unfit(f"must be text, not {_kind(value)}", 'put it in quotes, as JSON does: "…"')
        if not self.minimum_length <= len(value) <= self.maximum_length:
            few, most = self.minimum_length, self.maximum_length
            raise _unfit(f"has {len(value)} characters", f"it takes {few} to {most}")
        if "\0" in value or not _is_encodable(value):
            raise _unfit("has a NUL, or half of a character", "the system cannot pass that to a program; leave it out")
        if not self.allow_newlines and any(char in value for char in NEWLINES):
            raise _unfit("has more than one line", "write it in one line")
        if not self._matches(value):
            shown = f", for example {self.example!r}" if self.example is not None else ""
            raise _unfit(f"does not match {self.pattern}", f"the whole of it must match{shown}")
        return value

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a form sends CRLF for each newline (HTML, 4.10.22.4)."""
        return text.replace("\r\n", "\n")

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        pattern = {} if self.pattern is None else {"pattern": f"^(?:{self.pattern})$"}
        lengths = {"minLength": self.minimum_length, "maxLength": self.maximum_length}
        return {"type": "string", **_described(self), **lengths, **pattern}

    def _matches(self, value: str) -> bool:
        return self.pattern is None or re.compile(self.pattern, re.ASCII).fullmatch(value) is not None


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

    @property
    def standard(self) -> object:
        """See `Base.standard`."""
        return self.default

    @property
    def sample(self) -> object:
        """See `Base.sample`."""
        return self.example

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        if self._least > self._greatest:
            yield Fault("maximum", f"is less than the minimum, {self._least}", "no number would be taken: change one")
            return
        yield from _standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise _unfit(f"must be a whole number, not {_kind(value)}", f"give {self._range()}, without quotes in JSON")
        if not self._least <= value <= self._greatest:
            raise _unfit("is out of range", f"it takes {self._range()}")
        return str(value)

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: a field that was left empty gives nothing; what is no number is left for `argument`."""
        if not text:
            return None
        return int(text) if _INTEGER.fullmatch(text) else text

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        return {"type": "integer", **_described(self), "minimum": self._least, "maximum": self._greatest}

    @property
    def _least(self) -> int:
        return -(1 << INT_BITS) if self.minimum is None else self.minimum

    @property
    def _greatest(self) -> int:
        return (1 << INT_BITS) - 1 if self.maximum is None else self.maximum

    def _range(self) -> str:
        match self.minimum, self.maximum:
            case None, None:
                return "a whole number of 64 bits"
            case least, None:
                return f"{least} or more"
            case None, most:
                return f"{most} or less"
            case _:
                return f"{self.minimum} to {self.maximum}"


Parameter: TypeAlias = Text | Integer
TYPES: Final[dict[str, type[Parameter]]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Parameter)}
"""the class of each type, by the name that it has in a file"""


def _standing_faults(parameter: Parameter) -> Iterator[Fault]:
    """Yield what is wrong with the values that stand in the declaration."""
    keys: tuple[tuple[Literal["default", "example"], object], ...] = (
        ("default", parameter.standard),
        ("example", parameter.sample),
    )
    for key, value in keys:
        try:
            if value is not None:
                parameter.argument(value)
        except InvalidInput as error:
            yield Fault(key, error.message, error.hint)
    if parameter.required is False and parameter.standard is None:
        yield Fault("required", "is false, and there is no default", "add a default, or leave `required` out")


def _described(parameter: Parameter) -> dict[str, object]:
    words = {
        "title": parameter.title or None,
        "description": parameter.help or None,
        "default": parameter.standard,
        "examples": None if parameter.sample is None else [parameter.sample],
    }
    return {key: value for key, value in words.items() if value is not None}


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def _unfit(message: str, hint: str) -> InvalidInput:
    return InvalidInput(message, op="start", subject="parameters", hint=hint)
