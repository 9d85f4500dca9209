"""What parameters of every type have, and the checks that several share."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from tailrace.core.errors import Fault, InvalidInput

NEWLINES = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""whatever begins a new line for somebody: a terminal, Python, JavaScript"""
LONGEST = 32_768
"""characters of a text: with four bytes each, the most that Linux takes for one argument (execve(2))"""


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
    allow_at: bool = False
    """let its value begin with `@`, for which some programs put in the file of that name"""

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.standard is None if self.required is None else self.required

    @property
    def is_spread(self) -> bool:
        """Whether it is an element of the template by itself, and any number of arguments in its place."""
        return False

    @property
    def need(self) -> str:
        """What to do where it is missing."""
        return f"give it a value of type {self.__struct_config__.tag}"

    @property
    def is_secret(self) -> bool:
        """Whether nobody may see its values: not in an argv, a key, a message, nor in a form that is shown again."""
        return False

    @property
    def is_argument(self) -> bool:
        """Whether it stands in the argv."""
        return True

    @property
    def is_path(self) -> bool:
        """Whether its argument is a path that must be looked at."""
        return False

    @property
    def standard(self) -> object:
        """The value when none is given; None: there is none."""
        return getattr(self, "default", None)

    @property
    def sample(self) -> object:
        """A value for people to see what is meant; None: there is none."""
        return getattr(self, "example", None)

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the declaration; a fault's subject is a key of it."""
        raise NotImplementedError

    def argument(self, value: object) -> str:
        """Return the text of the value, as the command gets it.

        Raises:
            InvalidInput: this is no value of the parameter.
        """
        raise NotImplementedError

    def spread(self, value: object) -> tuple[str, ...]:
        """Return the arguments that stand for an element which is this parameter alone.

        Raises:
            InvalidInput: this is no value of the parameter.
        """
        return (self.argument(value),)

    def alone(self, value: object) -> tuple[str, ...]:
        """Return those of the arguments of a spread parameter that the value alone makes, without an option's text."""
        return self.spread(value)

    def from_text(self, text: str) -> object:
        """Return the value that a field of a form, or a word of a command line, means; None: nothing was given."""
        raise NotImplementedError

    def from_texts(self, texts: Sequence[str]) -> object:
        """Return the value that all fields of its name mean, in their order; None: nothing was given.

        Raises:
            InvalidInput: it takes one, and there are several.
        """
        if len(texts) > 1:
            raise unfit("stands there twice", "give each once")
        return self.from_text(texts[0])

    def native(self, value: object) -> object:
        """Return a value that is taken as what a function of Python's gets."""
        return value

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema (2020-12) of the values."""
        raise NotImplementedError


def text_of(value: object, *, allow_newlines: bool = False) -> str:
    """Return the value, a text that a program can be given.

    Raises:
        InvalidInput: it is none.
    """
    if not isinstance(value, str):
        raise unfit(f"must be text, not {kind_of(value)}", 'put it in quotes, as JSON does: "…"')
    if "\0" in value or not _is_encodable(value):
        raise unfit("has a NUL, or half of a character", "the system cannot pass that to a program; leave it out")
    if not allow_newlines and any(char in value for char in NEWLINES):
        raise unfit("has more than one line", "write it in one line")
    return value


def standing_faults(parameter: Base) -> Iterator[Fault]:
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
    yield from need_faults(parameter)


def need_faults(parameter: Base) -> Iterator[Fault]:
    """Yield what is wrong with whether it must be given."""
    if parameter.required is False and parameter.standard is None:
        yield Fault("required", "is false, and there is no default", "add the `default` that counts then")


def described(parameter: Base) -> dict[str, object]:
    """Return what a JSON Schema says of any parameter."""
    words = {
        "title": parameter.title or None,
        "description": parameter.help or None,
        "default": parameter.standard,
        "examples": None if parameter.sample is None else [parameter.sample],
    }
    return {key: value for key, value in words.items() if value is not None}


def kind_of(value: object) -> str:
    """Return what JSON calls the value, in words."""
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


def unfit(message: str, hint: str) -> InvalidInput:
    """Return the error of a value that does not fit."""
    return InvalidInput(message, op="start", subject="parameters", hint=hint)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
