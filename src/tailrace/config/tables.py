"""From a table of the file to a frozen value: each key is checked by itself, so that every mistake is found."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from types import NoneType, UnionType
from typing import Final, Literal, TypeAlias, Union, get_args, get_origin

import msgspec

from tailrace.config.document import Keys, is_plain
from tailrace.core.errors import Fault
from tailrace.core.near import near
from tailrace.core.quantities import seconds, size_bytes

Report: TypeAlias = Callable[[Keys, str, str], None]
"""takes the keys to what is wrong, what is wrong with it, and the cure"""
NOTHING = "none"
"""lifts a limit that has a default"""
WITHOUT = "write it as it is, without quotes"

_WORDS: Final = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "text",
}
_TYPE = re.compile(r"`([a-z| ]+)`")
_PLACE = re.compile(r" - at `\$(?P<place>[^`]*)`$")
SHOWN_CHARS: Final = 60
"""of what was written, as it is to be written"""
_EXAMPLES: Final = {"a list": '["…", "…"]', "text": '"…"', "true or false": "true", "a table": "{ name = … }"}


def duration_s(value: object) -> object:
    """Return the seconds in `"10m"`; whatever else it is stays.

    Raises:
        ValueError: it is text, and no duration.
    """
    return seconds(value) if isinstance(value, str) else value


def bytes_of(value: object) -> object:
    """Return the bytes in `"1G"`, None for `"none"`; whatever else it is stays.

    Raises:
        ValueError: it is text, and no size.
    """
    if value == NOTHING:
        return None
    return size_bytes(value) if isinstance(value, str) else value


class Reader:
    """Reads tables that hold the fields of one kind of value.

    Args:
        kind: the kind, whose decoders are made here, at import.
        readings: for fields that may be written in another form: what makes a value of it, or raises `ValueError`.
        others: names that a table may have besides; they are left alone.
    """

    def __init__(
        self,
        kind: type[msgspec.Struct],
        *,
        readings: Mapping[str, Callable[[object], object]] | None = None,
        others: Iterable[str] = (),
    ) -> None:
        fields = msgspec.structs.fields(kind)
        self._others = frozenset(others)
        self._decoders = {
            field.name: msgspec.json.Decoder(field.type) for field in fields if field.name not in self._others
        }
        self._readings = readings or {}
        self._choices = {field.name: choices for field in fields if (choices := _choices_of(field.type))}

    def read(self, table: Mapping[str, object], at: Keys, report: Report) -> dict[str, object]:
        """Return the fields that the table has, each of its type; what is not is reported and left out."""
        found: dict[str, object] = {}
        for name, value in table.items():
            if name in self._decoders:
                try:
                    found[name] = self._field(name, value)
                except ValueError as error:
                    report((*at, *_within(error, name)), *self._said(error, name, value))
            elif name not in self._others:
                report((*at, name), "means nothing here", near(name, self._decoders))
        return found

    def _field(self, name: str, value: object) -> object:
        """Return the field's value.

        Raises:
            ValueError: it cannot be; among them msgspec's.
        """
        if not is_plain(value):
            raise ValueError("it is a date, or a number that is too large")
        if name in self._readings:
            value = self._readings[name](value)
        decoded: object = self._decoders[name].decode(msgspec.json.encode(value))
        return decoded

    def _said(self, error: ValueError, name: str, value: object) -> tuple[str, str]:
        """Return what is wrong with the value of the field, and the cure."""
        if not isinstance(error, msgspec.ValidationError):
            what, _, advice = str(error).partition("; ")
            return f"cannot be so: {what}", advice or "write text in quotes, and numbers without"
        types = [_worded(names) for names in _TYPE.findall(str(error))]
        if len(types) < 2:  # it is of the right type, and none of what it may be
            choices = self._choices.get(name, ())
            wrong = str(_stranger(value, choices))
            return f"cannot be {wrong[:40]!r}", near(wrong, choices) if choices else WITHOUT
        is_words = types[0] == "a list" and isinstance(value, str) and 0 < len(value) <= SHOWN_CHARS
        example = json.dumps(str(value).split()) if is_words else _EXAMPLES.get(types[0])
        return f"must be {types[0]}, not {types[1]}", f"for example {example}" if example else WITHOUT


def table_at(table: Mapping[str, object], name: str, at: Keys, report: Report) -> Mapping[str, object]:
    """Return the table of this name, an empty one if there is none; what is no table is reported."""
    value = table.get(name, {})
    if isinstance(value, dict):
        return value
    report((*at, name), "must be a table", f"write [{'.'.join((*at, name))}] above its keys")
    return {}


class Mistakes:
    """Passes mistakes on, and knows where some have been found, since one often causes others in the same place.

    Args:
        report: where they go.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self.places: list[Keys] = []

    def __call__(self, keys: Keys, message: str, hint: str) -> None:
        """Pass one on."""
        self.places.append(keys)
        self._report(keys, message, hint)

    def add(self, faults: Iterable[Fault], at: Keys) -> None:
        """Pass on what a value of the core finds wrong with itself, but for where something was wrong already.

        Args:
            faults: their subjects are dotted keys.
            at: the keys to the value.
        """
        known = {_whole(place) for place in self.places}
        for fault in faults:
            keys = (*at, *fault.subject.split("."))
            if not any(_whole(keys[:end]) in known for end in range(len(at) + 1, len(keys) + 1)):
                self(keys, fault.message, fault.hint)


def _choices_of(kind: object) -> tuple[str, ...]:
    """Return the words that a field may be, or may have as its elements or keys; none if it may have others."""
    if get_origin(kind) in (Union, UnionType):
        each = [_choices_of(one) for one in get_args(kind) if one is not NoneType]
        return tuple(chain.from_iterable(each)) if all(each) else ()
    if get_origin(kind) in (tuple, Mapping):
        kind = get_args(kind)[0]
    return get_args(kind) if get_origin(kind) is Literal else ()


def _stranger(value: object, choices: tuple[str, ...]) -> object:
    """Return what of the value is none of the words: an element, a key, or all of it."""
    each = value if isinstance(value, list | dict) else [value]
    return next((one for one in each if one not in choices), value)


def _whole(keys: Keys) -> Keys:
    """Return the keys to the list that the element is in."""
    return (*keys[:-1], keys[-1].partition("[")[0])


def _within(error: ValueError, name: str) -> Keys:
    """Return the field's name, with the element that the error is about."""
    place = _PLACE.search(str(error))
    return (name if place is None else f"{name}{place['place'].replace('...', '…')}",)


def _worded(names: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in names.split(" | ") if name != "null") or repr(NOTHING)
