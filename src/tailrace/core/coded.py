"""Commands that are functions: their parameters are the function's, and what it returns is the argv.

    def deploy(target: Literal["a", "b"], n: Annotated[int, Meta(ge=1)] = 5) -> list[str]:
        return ["deploy", target, str(n)]

| hint | type |
|---|---|
| `str`, `int`, `float`, `bool`, `datetime.date` | text, integer, number, boolean, date |
| `Literal["a", "b"]`, an `Enum` | choice; of an `Enum`, its values, or its names if not all are text |
| `list[Literal["a", "b"]]`, a list of an `Enum` | choices |

`msgspec.Meta` in `Annotated` says more: `ge`, `le`, `min_length`, `max_length`, `pattern`, `title`, `description`,
`examples`. `Annotated[str, PathBelow(root="reports")]` has a parameter as a file declares it; with `Path` in place of
`str` the function gets one. A default of the function's is the parameter's.

The argv is looked at before it runs: it must be a list of texts, and where an argument is, or begins with, a value that
begins with `-` or `@`, the rules of a template hold (`tailrace.core.command`).
"""

import datetime as dt
import enum
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import (
    Annotated,
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypedDict,
    TypeGuard,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from tailrace.core.command import Command, Commands
from tailrace.core.errors import Fault, InvalidValues
from tailrace.core.filled import Filled, Locate, as_it_reads, at_fault, dash_fault
from tailrace.core.parameters import Base, Boolean, Choice, Choices, Date, Integer, Number, Parameter, Text, Upload
from tailrace.core.template import END_OF_OPTIONS

SIMPLE: Mapping[object, type[Parameter]] = {str: Text, int: Integer, float: Number, bool: Boolean, dt.date: Date}
"""the type of a parameter, by its hint"""


class Making(Protocol):
    """A function that makes an argv of values."""

    def __call__(self, **values: object) -> object:
        """Return the argv."""


P = ParamSpec("P")
Argv = TypeVar("Argv", bound=Sequence[str])
"""what such a function returns"""


class About(TypedDict, total=False):
    """What can be said of a command besides its function; see `tailrace.core.command.Command`."""

    name: str
    title: str
    description: str
    env: Mapping[str, str]
    cwd: str | None
    pty: bool
    stdin: bool
    merge: bool
    unbuffer: bool
    timeout: float | None
    idle_timeout: float | None
    max_output: int | None
    on_max_output: Literal["stop", "truncate"]
    key: str | None
    when_busy: Literal["join", "queue", "reject"]
    labels: Mapping[str, str]
    user: str | int | None
    max_memory: int | None
    max_cpu: float | None
    max_processes: int | None
    max_open_files: int | None
    max_running: int | None
    max_queued: int | None
    max_starts_per_minute: int | None
    max_viewers: int | None
    allow: tuple[str, ...] | None
    secret_env: tuple[str, ...]


Turn: TypeAlias = Callable[[object], object]
"""makes what a function gets of a parameter's value"""


class CodedCommand(Command, frozen=True, kw_only=True):
    """A command whose argv a function makes; its `argv` only says which parameters there are."""

    make: Making
    turns: Mapping[str, Turn] = {}
    """by the names of parameters whose values the function gets as something else"""

    def argv_for(self, values: Mapping[str, object], locate: Locate = as_it_reads) -> tuple[str, ...]:
        """See `Command.argv_for`.

        Raises:
            TypeError: the function returned no list of texts: its own mistake.
        """
        filled, faults = self._filled(values, locate)
        if faults:
            raise InvalidValues.of(faults, op="start")
        argv = self._made({name: self._native(name, values, each) for name, each in filled.items()})
        faults = [*self._secret_faults(argv, values), *self._rule_faults(argv, filled)]
        if faults:
            raise InvalidValues.of(faults, op="start")
        return argv

    def _native(self, name: str, values: Mapping[str, object], filled: Filled) -> object:
        parameter = self.parameters[name]
        is_path = parameter.is_path or isinstance(parameter, Upload) or (parameter.is_secret and parameter.is_argument)
        value = filled.text if is_path else parameter.native(values.get(name, parameter.standard))
        turn = self.turns.get(name)
        return value if turn is None else turn(value)

    def _made(self, values: Mapping[str, object]) -> tuple[str, ...]:
        argv = self.make(**{name.replace("-", "_"): value for name, value in values.items()})
        if not isinstance(argv, list | tuple) or not argv or not all(isinstance(each, str) for each in argv):
            what = type(argv).__name__  # and not what is in it, which may be a secret
            raise TypeError(f"the function of the command {self.name} must return a list of texts, not this {what}")
        return tuple(argv)

    def _secret_faults(self, argv: Sequence[str], values: Mapping[str, object]) -> Iterator[Fault]:
        for name, secret in self.secrets_for(values).items():
            if any(secret in argument for argument in argv):
                yield Fault(
                    name, "is secret, and would be an argument", "everybody can see arguments: leave it out there"
                )

    def _rule_faults(self, argv: Sequence[str], filled: Mapping[str, Filled]) -> Iterator[Fault]:
        """Yield what a template would not have let through."""
        end = argv.index(END_OF_OPTIONS) if END_OF_OPTIONS in argv else len(argv)
        for name, each in filled.items():
            parameter = self.parameters[name]
            if parameter.is_secret:
                continue
            for text in filter(None, dict.fromkeys((each.text, *each.alone))):
                is_first = any(argument.startswith(text) for argument in argv[:end])
                if text.startswith("-") and is_first and not parameter.allow_dash:
                    yield dash_fault(name)
                if text.startswith("@") and not parameter.allow_at and any(text in argument for argument in argv):
                    yield at_fault(name)


def coded(function: Callable[P, Argv], about: About) -> CodedCommand:
    """Return the command that a function declares.

    Args:
        function: returns an argv; its parameters are the command's.
        about: what else is said of it. Without a description, the first line of the function's docstring is it.

    Raises:
        InvalidValues: a parameter's hint means nothing, or something else is wrong; all that is, is told.
    """
    name = about.get("name", getattr(function, "__name__", "").replace("_", "-"))
    hints = get_type_hints(function, include_extras=True)
    faults: list[Fault] = []
    parameters: dict[str, Parameter] = {}
    turns: dict[str, Turn] = {}
    for each in inspect.signature(function).parameters.values():
        found = _parameter(each, hints.get(each.name, str))
        if isinstance(found, Fault):
            faults.append(found._replace(subject=f"commands.{name}.{found.subject}"))
        else:
            parameters[each.name.replace("_", "-")] = found
            if (turn := _turn(_noted(hints.get(each.name, str))[0])) is not None:
                turns[each.name.replace("_", "-")] = turn
    if faults:
        raise InvalidValues.of(faults, op="declare")
    shown = (f"{{{each}}}" for each, parameter in parameters.items() if parameter.is_argument)
    fields = {"description": (inspect.getdoc(function) or "").partition("\n")[0], **about, "name": name}
    return CodedCommand(
        argv=(name, *shown),
        parameters=parameters,
        make=cast("Making", function),
        turns=turns,
        **fields,  # type: ignore[arg-type]  # as `About` has them
    )


class Coded:
    """Declared commands, and those that functions declare besides, at any time.

    Args:
        commands: what is declared already.
    """

    def __init__(self, commands: Commands) -> None:
        self._all = commands

    def __call__(self) -> Commands:
        """Return all that are declared by now."""
        return self._all

    def add(self, command: Command) -> None:
        """Add one.

        Raises:
            InvalidValues: it is not usable, or there is one of its name.
        """
        self._all = Commands([*self._all.values(), command], self._all.limits, self._all.private)


def _parameter(given: inspect.Parameter, hint: object) -> Parameter | Fault:
    """Return the parameter that one of a function means; or why there is none."""
    if given.kind in (given.VAR_POSITIONAL, given.VAR_KEYWORD, given.POSITIONAL_ONLY):
        return Fault(f"parameters.{given.name}", "cannot be given by its name", "write def f(a: str, b: int = 1)")
    plain, notes = _noted(hint)
    declared = next((note for note in notes if isinstance(note, Base)), None)
    made = cast("Parameter", declared) if declared is not None else _hinted(plain)
    if made is None:
        return Fault(f"parameters.{given.name}", f"has a hint that means nothing here: {plain!r}", _cure(plain))
    changes = _said(notes, made)
    if strange := [key for key in changes if key not in made.__struct_fields__ and key != "example"]:
        message = f"has a bound that means nothing here: {', '.join(strange)}"
        return Fault(f"parameters.{given.name}", message, "leave it out, or look at the value in the function")
    if given.default is not given.empty:
        changes["default"] = _in_json(given.default)
    return msgspec.structs.replace(made, **{key: changes[key] for key in changes if key in made.__struct_fields__})


def _noted(hint: object) -> tuple[object, tuple[object, ...]]:
    if get_origin(hint) is Annotated:
        plain, *notes = get_args(hint)
        return plain, tuple(notes)
    return hint, ()


def _cure(hint: object) -> str:
    if _is_path(hint):
        return 'say where: Annotated[Path, PathBelow(root="reports")], or Annotated[Path, Upload()]'
    return "str, int, float, bool, datetime.date, Literal[…], an Enum, a list of those two, or Annotated[…, Text(…)]"


def _hinted(hint: object) -> Parameter | None:
    """Return the parameter that a hint alone means."""
    if hint in SIMPLE:
        return SIMPLE[hint]()
    if (texts := _texts(hint)) is not None:
        return Choice(choices=texts)
    if get_origin(hint) is list and (texts := _texts(get_args(hint)[0])) is not None:
        return Choices(choices=texts)
    return None


def _texts(hint: object) -> tuple[str, ...] | None:
    """Return what may be chosen, by a `Literal` of texts or an `Enum`; None: the hint is neither."""
    if _is_enum(hint):
        return tuple(_members(hint))
    found = get_args(hint)
    is_texts = get_origin(hint) is Literal and all(isinstance(each, str) for each in found)
    return tuple(map(str, found)) if is_texts else None


def _is_path(hint: object) -> bool:
    """Tell whether it is `Path` or one of its kind; the core does without them."""
    return isinstance(hint, type) and hasattr(hint, "__fspath__")


def _is_enum(hint: object) -> TypeGuard[type[enum.Enum]]:
    return isinstance(hint, type) and issubclass(hint, enum.Enum)


def _members(kind: type[enum.Enum]) -> dict[str, enum.Enum]:
    """Return the members by what they are called: their values, if all are text, else their names."""
    is_text = all(isinstance(each.value, str) for each in kind)
    return {str(each.value) if is_text else each.name: each for each in kind}


def _turn(hint: object) -> Turn | None:
    """Return what makes of a value what the hint says; None: it is that already."""
    if _is_path(hint):
        make = cast("Callable[[str], object]", hint)
        return lambda value: make(str(value))
    if _is_enum(hint):
        members = _members(hint)
        return lambda value: members[str(value)]
    if get_origin(hint) is list and _is_enum(inner := get_args(hint)[0]):
        chosen = _members(inner)
        return lambda value: [chosen[str(each)] for each in cast("Sequence[object]", value)]
    return None


def _said(notes: Sequence[object], made: Parameter) -> dict[str, object]:
    """Return the fields that `msgspec.Meta` says, those that the parameter does not have among them.

    Bounds that exclude themselves are whole numbers' alone.
    """
    fields: dict[str, object] = {}
    for note in notes:
        if not isinstance(note, msgspec.Meta):
            continue
        is_whole, few = isinstance(made, Integer), "count" if isinstance(made, Choices) else "length"
        said = {
            "minimum": note.gt + 1 if is_whole and note.gt is not None else note.ge,
            "maximum": note.lt - 1 if is_whole and note.lt is not None else note.le,
            "gt": None if is_whole else note.gt,
            "lt": None if is_whole else note.lt,
            "multiple_of": note.multiple_of,
            f"minimum_{few}": note.min_length,
            f"maximum_{few}": note.max_length,
            "pattern": note.pattern,
            "title": note.title,
            "help": note.description,
            "example": note.examples[0] if note.examples else None,
        }
        fields |= {key: value for key, value in said.items() if value is not None}
    return fields


def _in_json(value: object) -> object:
    match value:
        case dt.date():
            return value.isoformat()
        case enum.Enum():
            return next(text for text, each in _members(type(value)).items() if each is value)
        case list() | tuple():
            return tuple(map(_in_json, value))
        case _:
            return str(value) if _is_path(type(value)) else value
