"""What a declared command takes, as `tailrace run … NAME --help` says it."""

from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

HELP = ("--help", "-h")
COLUMN = 28
SAID = {
    "password": "\nA secret is asked for, or comes from NAME=@FILE, NAME=env:VARIABLE or NAME=- (standard input).",
    "binary": "\nA file is given by its path, or by - for what comes on standard input.",
}
"""how values of these formats are given"""

Schema = Mapping[str, object]


def words_of(value: object) -> str:
    """Return a value as JSON has it; text without its quotes would be less clear."""
    return repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


def help_of(name: str, about: str, schema: Schema, call: str) -> str:
    """Return what there is to know before a command is run.

    Args:
        name: the command's.
        about: its title and description.
        schema: the JSON Schema of its parameters.
        call: what is typed to run it, up to its name.
    """
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    required = cast("list[str]", schema.get("required", []))
    given = "".join(f" {each}=…" if each in required else f" [{each}=…]" for each in properties)
    lines = [f"Usage: {call} {name}{given}"]
    lines += ["", f"  {about}"] if about else []
    if properties:
        lines += ["", "Parameters:"]
    for each, property_ in properties.items():
        lines += _lines(each, property_, is_required=each in required)
    kinds = {property_.get("format") for property_ in properties.values()}
    lines += [text for kind, text in SAID.items() if kind in kinds]
    return "\n".join(lines)


def _lines(name: str, schema: Schema, *, is_required: bool) -> Iterator[str]:
    head = f"  {name}=<{_kind(schema)}>"
    words = [str(schema[key]) for key in ("title", "description") if schema.get(key)]
    notes = ["required"] if is_required else []
    if "default" in schema and not is_required:
        notes.append(f"default {words_of(schema['default'])}")
    examples = cast("list[object]", schema.get("examples", []))
    notes += [f"for example {words_of(examples[0])}"] if examples else []
    text = ". ".join(each.rstrip(".") for each in words) + (f"  [{'; '.join(notes)}]" if notes else "")
    if len(head) < COLUMN:
        yield f"{head:<{COLUMN}}{text.strip()}"
    else:
        yield head
        yield " " * COLUMN + text.strip()


def _kind(schema: Schema) -> str:
    items = cast("Schema", schema.get("items", {}))
    choices = cast("list[str]", schema.get("enum", items.get("enum", [])))
    if choices:
        return "|".join(choices) + (", several times" if schema.get("type") == "array" else "")
    kind = str(schema.get("format", schema.get("type", "text")))
    known = {"string": "text", "boolean": "true|false", "password": "secret", "binary": "file"}
    return known.get(kind, kind) + _range(schema)


def _range(schema: Schema) -> str:
    least, most = (_bound(schema.get(key)) for key in ("minimum", "maximum"))
    return f" {least}…{most}" if least or most else ""


def _bound(value: object) -> str:
    is_telling = isinstance(value, int | float) and abs(value) < 1 << 62
    return f"{value}" if is_telling else ""
