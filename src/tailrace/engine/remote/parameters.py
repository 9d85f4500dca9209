"""What a server tells of a command that it declares, and values as people type them in the types that it wants."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec


class Property(msgspec.Struct, frozen=True, rename="camel"):
    """What is used of the JSON Schema of one parameter."""

    type: str | tuple[str, ...] = ()
    any_of: tuple["Property", ...] = ()
    format: str = ""
    """`password`: it is a secret; `binary`: a file that is sent along"""
    max_length: int | None = None
    """of a file: the most bytes that it may have"""

    @property
    def types(self) -> frozenset[str]:
        """The names of the JSON types that fit."""
        own = (self.type,) if isinstance(self.type, str) else self.type
        return frozenset(own).union(*(other.types for other in self.any_of))


class Schema(msgspec.Struct, frozen=True):
    """What is used of the JSON Schema of all parameters."""

    properties: dict[str, Property] = {}
    required: tuple[str, ...] = ()
    """those that must be given"""


class Declared(msgspec.Struct, frozen=True):
    """A command that a server declares."""

    name: str = ""
    parameters: Schema = Schema()
    takes_input: bool = True
    """as it is where a server does not say"""


_NUMBERS = msgspec.json.Decoder(int | float)


def typed(texts: Sequence[tuple[str, str]], schema: Schema) -> dict[str, object]:
    """Return the parameters' values as JSON has them.

    A text that is no value of its parameter's type stays a text, as does that of an unknown one: the server says best
    what is wrong with it. A list is given by naming its parameter several times.

    Args:
        texts: (parameter, value) as they were typed.
        schema: the server's.
    """
    values: dict[str, object] = {}
    for name, text in texts:
        types = schema.properties.get(name, Property()).types
        value = _value(text, types)
        earlier = values.get(name)
        if isinstance(earlier, list):
            earlier.append(value)
        elif name in values:
            values[name] = [earlier, value]
        else:
            values[name] = [value] if "array" in types else value
    return values


def _value(text: str, types: frozenset[str]) -> object:
    if "boolean" in types and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if types & {"integer", "number"}:
        try:
            return _NUMBERS.decode(text)
        except msgspec.MsgspecError:
            return text
    return text


def fields_of(parameters: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a form that mean these values, (name, text), a list as several of one name."""
    for name, value in parameters.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            yield name, each if isinstance(each, str) else msgspec.json.encode(each).decode()
