"""What a value may be, in a few words, from its JSON Schema: told beside a field, before anything is sent.

They are hints. Only the server decides, and nothing here keeps a browser from sending what it would take.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from tailrace.core.parameters.base import LONGEST
from tailrace.core.words import size

Schema: TypeAlias = Mapping[str, object]

FAR: Final = 1 << 53
"""a bound beyond which it is none for people"""
LONG: Final = 1000
"""characters that nobody types by hand"""


def hint_of(schema: Schema) -> str:
    """Return what a value may be, as a sentence; empty: anything of its kind."""
    words = _words(schema)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _words(schema: Schema) -> str:
    match schema:
        case {"format": "binary", "maxLength": int(most)}:
            kinds = ", ".join(cast("list[str]", schema.get("accept", [])))
            return f"up to {size(most)}" + (f"; {kinds}" if kinds else "")
        case {"format": "date"}:
            return _between("from", schema.get("formatMinimum"), "to", schema.get("formatMaximum"))
        case {"format": "path"}:
            return ""
        case {"type": "integer" | "number"}:
            return _range(schema.get("minimum"), schema.get("maximum"))
        case {"type": "array", "items": {"enum": [*choices]}}:
            return _count(cast("int", schema.get("minItems", 0)), cast("int", schema.get("maxItems", 0)), len(choices))
        case {"type": "string"} if "enum" not in schema:
            return _length(cast("int", schema.get("minLength", 0)), cast("int", schema.get("maxLength", LONGEST)))
        case _:
            return ""


def _range(least: object, most: object) -> str:
    low, high = (bound if isinstance(bound, int | float) and abs(bound) < FAR else None for bound in (least, most))
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f"{low} or more"
        case None, _:
            return f"{high} or less"
        case _:
            return f"{low} to {high}"


def _between(first: str, least: object, second: str, most: object) -> str:
    return " ".join(f"{word} {bound}" for word, bound in ((first, least), (second, most)) if bound is not None)


def _count(least: int, most: int, choices: int) -> str:
    if most < choices:
        return f"choose {least} to {most}" if least else f"choose up to {most}"
    return f"choose {least} or more" if least else ""


def _length(least: int, most: int) -> str:
    if most < LONG:
        return f"{least} to {most} characters" if least > 1 else f"up to {most} characters"
    return f"{least} characters or more" if least > 1 else ""
