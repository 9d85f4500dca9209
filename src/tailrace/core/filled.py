"""What values are in an argv: as a part of an argument, as an element by itself, or as the path of a file."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from tailrace.core.errors import Fault
from tailrace.core.parameters import Parameter
from tailrace.core.secrets import secret_file


class Filled(NamedTuple):
    """What a value is in an argv."""

    text: str
    """as a part of an argument"""
    spread: tuple[str, ...]
    """as an element by itself"""
    alone: tuple[str, ...]
    """those arguments of a spread one that a value may begin"""


Locate: TypeAlias = Callable[[Parameter, str], str]
"""returns where a path really leads, or raises `InvalidInput`; files are no business of the core"""


def as_it_reads(_parameter: Parameter, text: str) -> str:
    """Return a path as it is."""
    return text


ANY = Filled("x", ("x",), ("x",))
"""stands for a value that is not known yet"""


def fill(parameter: Parameter, value: object, locate: Locate) -> Filled:
    """Return what the value is in an argv.

    Raises:
        InvalidInput: it is no value of the parameter.
    """
    if not parameter.is_path:
        return Filled(parameter.argument(value), parameter.spread(value), parameter.alone(value))
    text = locate(parameter, parameter.argument(value))
    return Filled(text, (text,), (text,))


def hide(name: str, parameter: Parameter, value: object) -> Filled:
    """Return what a secret is in an argv: the path of its file, once that is known; nothing, where none is given.

    Raises:
        InvalidInput: it is no value of the parameter.
    """
    path = secret_file(name) if parameter.argument(value) else ""
    return Filled(path, (path,), (path,))


def at_fault(name: str) -> Fault:
    """Return what is wrong with a value that begins with an `@`."""
    return Fault(
        name,
        "begins with '@', for which the command could put in the file of that name",
        "give a value that does not; whoever declares the command can say allow_at",
    )


def dash_fault(name: str) -> Fault:
    """Return what is wrong with a value that begins with a dash, where the program looks for options."""
    return Fault(
        name,
        "lets an argument begin with '-', which the command could take for an option",
        'give a value that does not; whoever declares the command can put it behind a "--", or say allow_dash',
    )
