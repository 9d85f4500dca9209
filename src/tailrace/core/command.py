"""Declared commands: what may be run by name, and nothing else by whoever only knows the name.

A command turns values into an argv of exactly as many elements as its template has. No value can become an option,
unless its parameter says `allow_dash`: an argument must not begin with a `-` that a value brought, except behind a `--`
of the template's. So the template decides which words are options, and a value only ever fills its place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Literal

import msgspec

from tailrace.core import spec, template
from tailrace.core.errors import Fault, InvalidInput, InvalidValues, UnknownCommand
from tailrace.core.identity import whom_faults
from tailrace.core.near import near
from tailrace.core.parameters import Parameter
from tailrace.core.template import NAME, Element

OUTPUT_BYTES = 1 << 30
"""of a run's output that are kept, unless the command says otherwise"""
BRACES = "{name} stands for a parameter, {{ and }} for braces"
MOST_UNKNOWN = 10
"""names that a request may have wrong before the rest is not looked at"""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A declared command. Times in seconds, sizes in bytes."""

    name: str
    """what it is asked for by"""
    argv: tuple[str, ...]
    """the program and its arguments; `{n}` stands for the parameter `n`, as a whole argument or a part of one"""
    title: str = ""
    """its name for people"""
    description: str = ""
    """what it does"""
    parameters: Mapping[str, Parameter] = {}
    """what may be given, each a table of its own"""
    env: Mapping[str, str] = {}
    """variables to add to the server's environment; the values are as they stand"""
    cwd: str | None = None
    """the directory to run in, from the file's; by default where the server was started"""
    pty: bool = False
    """run it at a pseudo-terminal"""
    stdin: bool = False
    """give it a standard input, that viewers may type into"""
    merge: bool = False
    """stdout and stderr on one pipe, exactly interleaved"""
    unbuffer: bool = False
    """run it under stdbuf(1), line-buffered"""
    timeout: float | None = None
    """stop it after so long"""
    idle_timeout: float | None = None
    """stop it after so long without output"""
    max_output: int | None = OUTPUT_BYTES
    """of its output, keep at most so many bytes"""
    on_max_output: Literal["stop", "truncate"] = "stop"
    """then stop it, or let it go on and only count"""
    key: str | None = None
    """at most one run of a key goes at a time; `{n}` stands for a parameter here too"""
    when_busy: Literal["join", "queue", "reject"] = "join"
    """what to do when one of the same key is going: show that one, wait until it has ended, or refuse"""
    labels: Mapping[str, str] = {}
    """names and values to find its runs by"""
    allow: tuple[str, ...] | None = None
    """only these may see it and its runs, as far as their roles do: `user:NAME`, `group:NAME`, `role:NAME`, `*`"""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the declaration; a fault's subject is a key of it: `parameters.n.default`."""
        found = [*self._key_faults(), *self._argv_faults(), *_option_faults(self)]
        yield from found or self._default_faults()

    def _key_faults(self) -> Iterator[Fault]:
        if NAME.fullmatch(self.name) is None:
            yield Fault("name", f"cannot be {self.name[:40]!r}", "1 to 64 of a-z, 0-9, _ and -; not _ or - first")
        for name, parameter in self.parameters.items():
            yield from _parameter_faults(name, parameter)

    def argv_for(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """Return the argv that the values make of the template, which has as many elements.

        Args:
            values: by the names of the parameters, as JSON gives them.

        Raises:
            InvalidValues: values that do not fit, are missing, or unknown; all of them are named.
        """
        arguments, faults = self._arguments(values)
        elements = [template.parse(text) for text in self.argv]
        if not faults:
            faults += [self._dash_fault(name) for name in self._dashed(elements, arguments)]
        if faults:
            raise InvalidValues.of(faults, op="start")
        return tuple(template.render(element, arguments) for element in elements)

    def key_for(self, values: Mapping[str, object]) -> str | None:
        """Return the key of a run with these values, which `argv_for` has taken; None: it has none."""
        return None if self.key is None else template.render(template.parse(self.key), self._arguments(values)[0])

    def values_from(self, texts: Mapping[str, str]) -> dict[str, object]:
        """Return the values that the fields of a form, or the words of a command line, mean."""
        known = self.parameters
        values = {name: known[name].from_text(text) if name in known else text for name, text in texts.items()}
        return {name: value for name, value in values.items() if value is not None}

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema (2020-12) of what may be given."""
        return {
            "type": "object",
            "properties": {name: parameter.schema() for name, parameter in self.parameters.items()},
            "required": [name for name, parameter in self.parameters.items() if parameter.is_required],
            "additionalProperties": False,
        }

    def _arguments(self, values: Mapping[str, object]) -> tuple[dict[str, str], list[Fault]]:
        """Return the text of each parameter, and what is wrong with the values."""
        arguments: dict[str, str] = {}
        faults = list(self._unknown(values))
        for name, parameter in self.parameters.items():
            if name not in values and parameter.is_required:
                hint = parameter.help or f"give it a value of type {parameter.__struct_config__.tag}"
                faults.append(Fault(name, "is missing", hint))
                continue
            try:
                arguments[name] = parameter.argument(values.get(name, parameter.standard))
            except InvalidInput as error:
                faults.append(Fault(name, error.message, error.hint))
        return arguments, faults

    def _unknown(self, values: Mapping[str, object]) -> Iterator[Fault]:
        unknown = (name for name in values if name not in self.parameters)
        for name in islice(unknown, MOST_UNKNOWN):
            yield Fault(
                repr(name[:40]), "is no parameter of it", near(name, self.parameters, otherwise="it takes none")
            )

    def _dashed(self, elements: list[Element], arguments: Mapping[str, str]) -> dict[str, None]:
        """Return the parameters that would begin an argument with a dash, and may not."""
        leaders = {
            template.leader(element, arguments): None
            for element in template.optional_part(elements)
            if template.render(element, arguments).startswith("-")
        }
        return {name: None for name in leaders if name is not None and not self.parameters[name].allow_dash}

    def _dash_fault(self, name: str) -> Fault:
        return Fault(
            name,
            "lets an argument begin with '-', which the command could take for an option",
            'give a value that does not; whoever declares the command can put it behind a "--", or say allow_dash',
        )

    def _default_faults(self) -> Iterator[Fault]:
        """Yield the defaults that would be refused where they go."""
        given = {name: parameter.standard for name, parameter in self.parameters.items()}
        arguments = {name: "x" if value is None else str(value) for name, value in given.items()}
        for name in self._dashed([template.parse(text) for text in self.argv], arguments):
            hint = 'begin with something else, put it behind a "--", or say allow_dash'
            yield Fault(f"parameters.{name}.default", "begins an argument with '-'", hint)

    def _argv_faults(self) -> Iterator[Fault]:
        elements = []
        for index, text in enumerate(self.argv):
            try:
                elements.append(template.parse(text))
            except ValueError as error:
                yield Fault(f"argv[{index}]", str(error), BRACES)
        if len(elements) < len(self.argv):
            return
        if not elements or not elements[0]:
            yield Fault("argv", "names no program", 'for example ["seq", "1", "{n}"]')
        elif any(template.holes(elements[0])):
            yield Fault(
                "argv[0]", "lets a parameter choose the program", "name the program; declare a command for each"
            )
        if (fault := template.script_fault(elements)) is not None:
            yield fault
        yield from self._hole_faults(elements)

    def _hole_faults(self, elements: list[Element]) -> Iterator[Fault]:
        try:
            elements = [*elements, template.parse(self.key or "")]
        except ValueError as error:
            yield Fault("key", str(error), BRACES)
        used = dict.fromkeys(name for element in elements for name in template.holes(element))
        for name in used:
            if name not in self.parameters:
                hint = near(name, self.parameters, otherwise=f"declare it: [commands.{self.name}.parameters.{name}]")
                yield Fault("argv", f"has {{{name}}}, which is no parameter of it", hint)
        for name in self.parameters:
            if name not in used:
                yield Fault(f"parameters.{name}", "is not used", f"put {{{name}}} into argv, or remove it")


def _parameter_faults(name: str, parameter: Parameter) -> Iterator[Fault]:
    if NAME.fullmatch(name) is None:
        hint = "1 to 64 of a-z, 0-9, _ and -; not _ or - first"
        yield Fault(f"parameters.{name[:40]}", "cannot be a parameter's name", hint)
    for fault in parameter.faults():
        yield fault._replace(subject=f"parameters.{name}.{fault.subject}")


def _option_faults(command: Command) -> Iterator[Fault]:
    """Yield what is wrong with the options that every run of the command will have."""
    if command.pty and command.merge:
        yield Fault("merge", "and pty exclude each other", "a terminal is always one stream: leave merge out")
    if command.key is not None and not 0 < len(command.key) <= 256:
        yield Fault("key", "is empty or too long", "text of 1 to 256 characters, or leave it out")
    if command.max_output is not None and not 0 <= command.max_output < 1 << 63:
        yield Fault("max_output", f"cannot be {command.max_output}", "it is a number of bytes, 0 or more")
    yield from (fault._replace(subject=f"allow{fault.subject}") for fault in whom_faults(command.allow or ()))
    for check in _checks(command):
        try:
            check()
        except InvalidInput as error:
            yield Fault(error.subject.partition("[")[0], f"cannot be so: {error.message}", error.hint)


def _checks(command: Command) -> Iterator[Callable[[], object]]:
    """Yield what raises if an option is not usable."""
    for name, seconds in (("timeout", command.timeout), ("idle_timeout", command.idle_timeout)):
        if seconds is not None:
            yield partial(spec.positive, seconds, name)
    yield partial(spec.check_env, dict(command.env))
    yield partial(spec.check_labels, command.labels)


class Commands(Mapping[str, Command]):
    """The commands that may be run by name; it never changes.

    Args:
        commands: the commands, each of another name.

    Raises:
        InvalidValues: one is not usable, or two have the same name; everything that is wrong is told.
    """

    def __init__(self, commands: Iterable[Command] = ()) -> None:
        declared = tuple(commands)
        self._commands = {command.name: command for command in declared}
        faults = [
            fault._replace(subject=f"commands.{command.name}.{fault.subject}")
            for command in declared
            for fault in command.faults()
        ]
        if len(self._commands) < len(declared):
            faults.append(Fault("commands", "have a name twice", "each needs its own"))
        if faults:
            raise InvalidValues.of(faults, op="declare")

    def __getitem__(self, name: str) -> Command:
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)

    def only(self, is_wanted: Callable[[Command], bool]) -> "Commands":
        """Return those of them that are wanted."""
        found = Commands()
        found._commands = {name: command for name, command in self._commands.items() if is_wanted(command)}
        return found

    def find(self, name: str) -> Command:
        """Return the command of this name.

        Raises:
            UnknownCommand: there is none.
        """
        if name not in self._commands:
            hint = near(name, self._commands, otherwise="none is declared here")
            raise UnknownCommand(f"there is no command {name[:40]!r} here", op="find", subject=name[:40], hint=hint)
        return self._commands[name]
