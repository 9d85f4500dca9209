"""The form of a command, from its parameters' JSON Schema."""

from collections.abc import Iterable, Mapping
from typing import cast

from tailrace.core.command import Command
from tailrace.core.errors import Fault
from tailrace.core.parameters import Text
from tailrace.web.page.html import Html, element, joined

Schema = Mapping[str, object]


def form_of(command: Command, root: str, values: Mapping[str, str] | None = None, faults: Iterable[Fault] = ()) -> Html:
    """Return the form that starts the command.

    Args:
        command: what is started.
        root: the way to the page of all commands.
        values: what was sent already, and is shown again.
        faults: what is wrong with it.
    """
    said = {fault.subject: fault for fault in faults}
    schema = command.schema()
    properties = cast("Mapping[str, Schema]", schema["properties"])
    required = cast("list[str]", schema["required"])
    fields = [
        _field(command, name, properties[name], (values or {}).get(name), said.get(name), is_required=name in required)
        for name in properties
    ]
    others = [_fault(fault, None) for name, fault in said.items() if name not in properties]
    button = element("button", "Start", type="submit", class_="start")
    return element("form", *others, *fields, button, method="post", action=f"{root}commands/{command.name}")


def _field(  # noqa: PLR0913  what is known of one field
    command: Command, name: str, schema: Schema, value: str | None, fault: Fault | None, *, is_required: bool
) -> Html:
    """Return a parameter's label, its input, what it is, and what is wrong with it."""
    key = f"{command.name}-{name}"
    shown = value if value is not None else str(schema.get("default", ""))
    told = [f"{key}-help"] if "description" in schema else []
    told += [f"{key}-fault"] if fault is not None else []
    common: dict[str, str | bool | None] = {
        "id": key, "name": name, "required": is_required and _wants_text(schema), "autocomplete": "off",
        "aria_describedby": " ".join(told) or None, "aria_invalid": "true" if fault is not None else None,
        "placeholder": _example(schema),
    }  # fmt: skip
    label = element("label", str(schema.get("title", name)), for_=key)
    about = element("p", str(schema["description"]), id=f"{key}-help", class_="help") if "description" in schema else ""
    wrong = _fault(fault, f"{key}-fault") if fault is not None else ""
    return element("div", label, _input(command, name, schema, shown, common), about, wrong, class_="field")


def _input(command: Command, name: str, schema: Schema, shown: str, common: Mapping[str, str | bool | None]) -> Html:
    parameter = command.parameters[name]
    if isinstance(parameter, Text):
        limits = {"minlength": parameter.minimum_length or None, "maxlength": parameter.maximum_length}
        if parameter.allow_newlines:
            return element("textarea", "\n" + shown, rows=4, **limits, **common)  # HTML drops the first newline
        return element("input", type="text", value=shown, **limits, **common)
    low, high = cast("int", schema["minimum"]), cast("int", schema["maximum"])
    bounds = {"min": low if _is_exact(low) else None, "max": high if _is_exact(high) else None}
    return element("input", type="number", step=1, inputmode="numeric", value=shown, **bounds, **common)


def _wants_text(schema: Schema) -> bool:
    """Tell whether an empty field cannot be right: of a text without a minimum length, it can."""
    return schema["type"] != "string" or cast("int", schema["minLength"]) > 0


def _is_exact(number: int) -> bool:
    """Tell whether a browser can count so far."""
    return abs(number) < 1 << 53


def _example(schema: Schema) -> str | None:
    examples = cast("list[object]", schema.get("examples", []))
    return f"for example {examples[0]}" if examples else None


def _fault(fault: Fault, key: str | None) -> Html:
    return joined(element("p", f"{fault}: {fault.hint}", id=key, class_="fault", role="alert"))
