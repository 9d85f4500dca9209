"""The parameters of a declared command: what a value may be, and which arguments it becomes.

Each type is one class, told from the others by its `type`. To add one: a class with the methods of `Base`, and its name
in `Parameter`; the server's file, the API, its JSON Schema and the reference then know it.

A value is what JSON gives (`5`, `"five"`); a form and a command line give text, of which `from_texts` makes one.
"""

from typing import Final, TypeAlias, get_args

from tailrace.core.parameters.base import Base
from tailrace.core.parameters.choice import Boolean, Choice, Choices
from tailrace.core.parameters.date import Date
from tailrace.core.parameters.file import PathBelow, Upload
from tailrace.core.parameters.number import Integer, Number
from tailrace.core.parameters.text import Secret, Text

__all__ = [
    "TYPES",
    "Base",
    "Boolean",
    "Choice",
    "Choices",
    "Date",
    "Integer",
    "Number",
    "Parameter",
    "PathBelow",
    "Secret",
    "Text",
    "Upload",
]

Parameter: TypeAlias = Text | Integer | Number | Boolean | Choice | Choices | PathBelow | Date | Secret | Upload
TYPES: Final[dict[str, type[Parameter]]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Parameter)}
"""the class of each type, by the name that it has in a file"""
