"""Markup that cannot be had by accident: whatever is put into an element is text, unless it was made here."""

from html import escape
from typing import Final

VOID: Final = ("input", "link", "meta")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | int | bool | None) -> Html:
    """Return an element.

    Args:
        name: of the element.
        *children: text, which is escaped, and other elements, which stay as they are.
        **attributes: by their names, with `_` for `-`, and one behind what is a word of Python's. True has no value;
            False and None leave the attribute out.
    """
    begin = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Html(begin if name in VOID else f"{begin}{joined(*children)}</{name}>")


def joined(*children: str) -> Html:
    """Return the text and the elements, one behind the other."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def _attribute(key: str, value: str | int | bool | None) -> str:  # noqa: FBT001  the value of one, as it was given
    name = key.rstrip("_").replace("_", "-")
    match value:
        case None | False:
            return ""
        case True:
            return f" {name}"
        case _:
            return f' {name}="{escape(str(value))}"'
