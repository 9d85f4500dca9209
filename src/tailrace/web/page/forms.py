"""The form of a command, from its parameters' JSON Schema."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, cast

from tailrace.core.command import Command
from tailrace.core.errors import Fault
from tailrace.core.parameters import (
    Boolean,
    Choice,
    Choices,
    Date,
    Integer,
    Number,
    Parameter,
    Secret,
    Text,
    Upload,
)  # fmt: skip
from tailrace.web.page.hints import hint_of
from tailrace.web.page.html import Html, element, joined

Schema: TypeAlias = Mapping[str, object]
Texts: TypeAlias = Mapping[str, Sequence[str]]
Attributes: TypeAlias = Mapping[str, str | bool | None]


class Field(NamedTuple):
    """What is known of one field."""

    parameter: Parameter
    name: str
    key: str
    """its id"""
    schema: Schema
    texts: Sequence[str] | None
    """what was sent already; None: nothing"""
    fault: Fault | None
    is_required: bool
    has_focus: bool = False
    """whether it is the first that is wrong"""

    @property
    def shown(self) -> str:
        """The text that it begins with."""
        if self.texts is not None:
            return self.texts[-1] if self.texts else ""
        return str(self.schema.get("default", ""))

    @property
    def chosen(self) -> Sequence[str]:
        """The texts of the boxes that are ticked."""
        return self.texts if self.texts is not None else cast("list[str]", self.schema.get("default", []))


def form_of(command: Command, root: str, texts: Texts | None = None, faults: Iterable[Fault] = ()) -> Html:
    """Return the form that starts the command.

    The browser checks nothing of it: it counts characters otherwise, and only the server knows what it takes.

    Args:
        command: what is started.
        root: the way to the page of all commands.
        texts: what was sent already, and is shown again; but for secrets and files.
        faults: what is wrong with it.
    """
    said = {fault.subject: fault for fault in faults}
    fields = [_field(each) for each in _fields(command, texts, said)]
    others = [_fault(fault, None) for name, fault in said.items() if name not in command.parameters]
    button = element("button", "Start", type="submit", class_="start")
    has_files = any(isinstance(each, Upload) for each in command.parameters.values())
    return element(
        "form", *others, *fields, button, method="post", action=f"{root}commands/{command.name}",
        enctype="multipart/form-data" if has_files else None, novalidate=True,
    )  # fmt: skip


def _fields(command: Command, texts: Texts | None, said: Mapping[str, Fault]) -> Iterable[Field]:
    schema = command.schema()
    properties = cast("Mapping[str, Schema]", schema["properties"])
    required = cast("list[str]", schema["required"])
    first = next((name for name in command.parameters if name in said), None)
    for name, parameter in command.parameters.items():
        sent = None if texts is None else texts.get(name)
        key = f"{command.name}-{name}"
        yield Field(parameter, name, key, properties[name], sent, said.get(name), name in required, name == first)


def _field(field: Field) -> Html:
    """Return a parameter's label, its input, what it is, and what is wrong with it."""
    schema, key, fault = field.schema, field.key, field.fault
    told = [f"{key}-fault"] if fault is not None else []
    told += [f"{key}-help"] if (helped := _help(schema)) else []
    common: dict[str, str | bool | None] = {
        "id": key, "name": field.name, "required": field.is_required and _wants_text(schema), "autocomplete": "off",
        "aria_describedby": " ".join(told) or None, "aria_invalid": "true" if fault is not None else None,
        "placeholder": _example(schema), "autofocus": field.has_focus,
    }  # fmt: skip
    title = _title(field)
    about = element("p", helped, id=f"{key}-help", class_="help") if helped else ""
    wrong = _fault(fault, f"{key}-fault") if fault is not None else ""
    if isinstance(field.parameter, Choices):
        return element(
            "fieldset", element("legend", title), *_boxes(field), about, wrong, class_="field",
            aria_describedby=common["aria_describedby"],
        )  # fmt: skip
    if isinstance(field.parameter, Boolean):
        off = element("input", type="hidden", name=field.name, value="false")
        box = _box(field, "true", is_on=field.shown.lower() == "true", common=common)
        return element("div", off, element("label", box, " ", title, for_=key), about, wrong, class_="field")
    return element("div", element("label", title, for_=key), _input(field, common), about, wrong, class_="field")


def _title(field: Field) -> Html:
    """Return what it is called, and whether it must be filled in."""
    must = element("span", " (required)", class_="must") if field.is_required and "default" not in field.schema else ""
    return joined(str(field.schema.get("title", field.name)), must)


def _help(schema: Schema) -> str:
    """Return what it is, and what it may be."""
    return " ".join(filter(None, (str(schema.get("description", "")), hint_of(schema))))


def _boxes(field: Field) -> Iterable[Html]:
    """Return a box for each choice, behind a field which says that there are any."""
    yield element("input", type="hidden", name=field.name, value="")
    for index, text in enumerate(cast("Choices", field.parameter).choices):
        common: Attributes = {
            "id": f"{field.key}-{index}", "name": field.name, "autofocus": field.has_focus and index == 0,
        }  # fmt: skip
        yield element("label", _box(field, text, is_on=text in field.chosen, common=common), f" {text}", class_="box")


def _box(field: Field, value: str, *, is_on: bool, common: Attributes) -> Html:
    kept = {name: said for name, said in common.items() if name not in ("required", "placeholder", "autocomplete")}
    wrong = {"aria_invalid": "true"} if field.fault is not None else {}
    return element("input", type="checkbox", value=value, checked=is_on, **{**kept, **wrong})


def _input(field: Field, common: Attributes) -> Html:
    parameter, shown = field.parameter, field.shown
    match parameter:
        case Text():
            if parameter.allow_newlines:
                return element("textarea", "\n" + shown, rows=4, **common)  # HTML drops the first newline
            return element("input", type="text", value=shown, **common)
        case Secret():
            if parameter.allow_newlines:
                return element("textarea", rows=4, **common)
            return element("input", type="password", **{**common, "autocomplete": "new-password"})
        case Choice():
            return _list(field, parameter, common)
        case Date():
            bounds = {"min": parameter.minimum, "max": parameter.maximum}
            return element("input", type="date", value=shown, **bounds, **common)
        case Upload():
            return element("input", type="file", accept=",".join(parameter.accept) or None, **common)
        case Integer():
            low, high = cast("int", field.schema["minimum"]), cast("int", field.schema["maximum"])
            exact = {"min": low if _is_exact(low) else None, "max": high if _is_exact(high) else None}
            return element("input", type="number", step=1, inputmode="numeric", value=shown, **exact, **common)
        case Number():
            near = {key: None if each is None else str(each) for key, each in _bounds(parameter)}
            return element("input", type="number", step="any", inputmode="decimal", value=shown, **near, **common)
        case _:
            return element("input", type="text", value=shown, **common)


def _bounds(parameter: Number) -> tuple[tuple[str, float | None], ...]:
    return ("min", parameter.minimum), ("max", parameter.maximum)


def _list(field: Field, parameter: Choice, common: Attributes) -> Html:
    """Return a list to choose from; with an empty line first, where nothing is chosen yet."""
    is_open = field.shown not in parameter.choices
    options = [element("option", "", value="")] if is_open else []
    options += [element("option", text, value=text, selected=text == field.shown) for text in parameter.choices]
    kept = {name: said for name, said in common.items() if name != "placeholder"}
    return element("select", *options, **kept)


def _wants_text(schema: Schema) -> bool:
    """Tell whether an empty field cannot be right: of a text without a minimum length, it can."""
    if "enum" in schema:
        return "" not in cast("list[str]", schema["enum"])
    return schema["type"] != "string" or cast("int", schema.get("minLength", 1)) > 0


def _is_exact(number: int) -> bool:
    """Tell whether a browser can count so far."""
    return abs(number) < 1 << 53


def _example(schema: Schema) -> str | None:
    examples = cast("list[object]", schema.get("examples", []))
    return f"for example {examples[0]}" if examples else None


def _fault(fault: Fault, key: str | None) -> Html:
    return joined(element("p", f"{fault}: {fault.hint}", id=key, class_="fault", role="alert"))
