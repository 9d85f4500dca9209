"""Declared commands: what may be run by name, and nothing else by whoever only knows the name.

A command turns values into an argv of exactly as many elements as its template has; the exceptions, switches and lists
of choices, are elements of their own (`Base.is_spread`). No value can become an option, unless its parameter says
`allow_dash`: an argument must not begin with a `-` that a value brought, except behind a `--` of the template's. So the
template decides which words are options, and a value only ever fills its place. Nor does a value begin with `@`, unless
its parameter says `allow_at`: behind a `--` or a `=` too, there are programs that put in the file of that name.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Literal

import msgspec

from tailrace.core import hiding, spec, template
from tailrace.core.errors import Fault, InvalidInput, InvalidValues, UnknownCommand
from tailrace.core.filled import ANY, Filled, Locate, as_it_reads, at_fault, dash_fault, fill, hide
from tailrace.core.hook import LABELS
from tailrace.core.identity import allow_faults
from tailrace.core.limits import Limits, Quota, Resources, Scope, quota_faults, resource_faults, viewer_faults
from tailrace.core.near import near
from tailrace.core.parameters import Boolean, Parameter, Secret, Upload
from tailrace.core.template import NAME, Element

OUTPUT_BYTES = 1 << 30
"""of a run's output that are kept, unless the command says otherwise"""
BRACES = "{name} stands for a parameter, {{ and }} for braces"
NO_LIMITS = Limits()
MOST_UNKNOWN = 10
"""names that a request may have wrong before the rest is not looked at"""
MOST_ARGUMENTS = 10_000
"""elements of a template"""

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?")


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
    user: str | int | None = None
    """the name or number of the user that it runs as, with the groups of that one; for a server that runs as root"""
    max_cpu: float | None = None
    """stop it when all its processes together have used so much processor time"""
    max_memory: int | None = None
    """stop it when all its processes together take more memory"""
    max_processes: int | None = None
    """stop it when it has more processes"""
    max_open_files: int | None = None
    """each of its processes can open at most so many files"""
    max_running: int | None = None
    """at most so many of its runs go at a time; more wait"""
    max_queued: int | None = None
    """at most so many of its runs wait because of `max_running`; more are refused"""
    max_starts_per_minute: int | None = None
    """at most so many of its runs are started in a minute; more are refused"""
    max_viewers: int | None = None
    """at most so many viewers watch its runs at a time, all of them together; more are refused"""
    allow: tuple[str, ...] | None = None
    """only these may see it and its runs, as far as their roles do: `user:NAME`, `group:NAME`, `role:NAME`, `*`"""
    secret_env: tuple[str, ...] = ()
    """the variables whose values are secret, and are masked in the output: of `env`, or else of the server's own"""

    @property
    def resources(self) -> Resources:
        """Return what a run of it may use."""
        return Resources(self.max_cpu, self.max_memory, self.max_processes, self.max_open_files)

    @property
    def quota(self) -> Quota:
        """Return how many runs of it there may be."""
        return Quota(Scope.COMMAND, self.max_running, self.max_queued, self.max_starts_per_minute)

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the declaration; a fault's subject is a key of it: `parameters.n.default`."""
        found = [*self._key_faults(), *self._argv_faults(), *_option_faults(self)]
        yield from found or self._default_faults()

    def _key_faults(self) -> Iterator[Fault]:
        if NAME.fullmatch(self.name) is None:
            yield Fault("name", f"cannot be {self.name[:40]!r}", "1 to 64 of a-z, 0-9, _ and -; not _ or - first")
        for name, parameter in self.parameters.items():
            yield from _parameter_faults(name, parameter)

    def argv_for(self, values: Mapping[str, object], locate: Locate = as_it_reads) -> tuple[str, ...]:
        """Return the argv that the values make of the template.

        It has as many elements, but for parameters that are spread (`Base.is_spread`).

        Args:
            values: by the names of the parameters, as JSON gives them.
            locate: called for each path. The usual one looks at no file: `tailrace.engine.declared` has one that does.

        Raises:
            InvalidValues: values that do not fit, are missing, or unknown; all of them are named.
        """
        filled = self.filled(values, locate)
        return tuple(argument for element in self._elements() for argument in self._rendered(element, filled))

    def filled(self, values: Mapping[str, object], locate: Locate = as_it_reads) -> dict[str, Filled]:
        """Return what each parameter is in the argv.

        Raises:
            InvalidValues: as `argv_for`.
        """
        filled, faults = self._filled(values, locate)
        if not faults:
            faults += [at_fault(name) for name in self._at(filled)]
            faults += [dash_fault(name) for name in self._dashed(filled)]
        if faults:
            raise InvalidValues.of(faults, op="start")
        return filled

    def key_for(self, values: Mapping[str, object]) -> str | None:
        """Return the key of a run with these values, which `argv_for` has taken; None: it has none."""
        if self.key is None:
            return None
        filled, _faults = self._filled(values, as_it_reads)
        return template.render(template.parse(self.key), {name: each.text for name, each in filled.items()})

    def secrets_for(self, values: Mapping[str, object]) -> dict[str, str]:
        """Return the values of the secret parameters, which `argv_for` has taken; the argv has none of them."""
        secret = {name: each for name, each in self.parameters.items() if each.is_secret and name in values}
        texts = {name: each.argument(values[name]) for name, each in secret.items()}
        return {name: text for name, text in texts.items() if text}

    def values_from(self, texts: Mapping[str, str | Sequence[str]]) -> dict[str, object]:
        """Return the values that the fields of a form, or the words of a command line, mean.

        Args:
            texts: by the names of the parameters; several, where a name stands there several times.

        Raises:
            InvalidValues: a name stands there more often than its parameter takes.
        """
        values: dict[str, object] = {}
        faults: list[Fault] = []
        for name, given in texts.items():
            each = [given] if isinstance(given, str) else given
            try:
                value = self.parameters[name].from_texts(each) if name in self.parameters else each[0]
            except InvalidInput as error:
                faults.append(Fault(name, error.message, error.hint))
                continue
            if value is not None:
                values[name] = value
        if faults:
            raise InvalidValues.of(faults, op="start")
        return values

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema (2020-12) of what may be given."""
        return {
            "type": "object",
            "properties": {name: parameter.schema() for name, parameter in self.parameters.items()},
            "required": [name for name, parameter in self.parameters.items() if parameter.is_required],
            "additionalProperties": False,
        }

    def _elements(self) -> list[Element]:
        return [template.parse(text) for text in self.argv]

    def _rendered(self, element: Element, filled: Mapping[str, Filled]) -> tuple[str, ...]:
        name = template.sole(element)
        if name is not None:
            return filled[name].spread
        return (template.render(element, {name: filled[name].text for name in template.holes(element)}),)

    def _filled(self, values: Mapping[str, object], locate: Locate) -> tuple[dict[str, Filled], list[Fault]]:
        """Return what each parameter is in the argv, and what is wrong with the values."""
        filled: dict[str, Filled] = {}
        faults = list(self._unknown(values))
        for name, parameter in self.parameters.items():
            if name not in values and parameter.is_required:
                hint = parameter.help or parameter.need
                faults.append(Fault(name, "is missing", hint))
                continue
            try:
                value = values.get(name, parameter.standard)
                filled[name] = hide(name, parameter, value) if parameter.is_secret else fill(parameter, value, locate)
            except InvalidInput as error:
                faults.append(Fault(name, error.message, error.hint))
        return filled, faults

    def _unknown(self, values: Mapping[str, object]) -> Iterator[Fault]:
        unknown = (name for name in values if name not in self.parameters)
        for name in islice(unknown, MOST_UNKNOWN):
            yield Fault(
                repr(name[:40]), "is no parameter of it", near(name, self.parameters, otherwise="it takes none")
            )

    def _dashed(self, filled: Mapping[str, Filled]) -> dict[str, None]:
        """Return the parameters that would begin an argument with a dash, and may not."""
        return self._leading(template.optional_part(self._elements()), filled, "-", "allow_dash")

    def _at(self, filled: Mapping[str, Filled]) -> dict[str, None]:
        """Return the parameters whose values begin with an `@`, or would begin an argument with one, and may not."""
        brought = {
            name: None
            for name, each in filled.items()
            if each.text.startswith("@") and not self.parameters[name].allow_at
        }
        return brought | self._leading(self._elements(), filled, "@", "allow_at")

    def _leading(
        self,
        elements: Sequence[Element],
        filled: Mapping[str, Filled],
        sign: str,
        allowing: Literal["allow_dash", "allow_at"],
    ) -> dict[str, None]:
        """Return the parameters because of which an argument begins with the sign, and which do not allow that."""
        texts = {name: each.text for name, each in filled.items()}
        leaders: dict[str, None] = {}
        for element in elements:
            name = template.sole(element)
            begins = filled[name].alone if name is not None else (template.render(element, texts),)
            leader = template.leader(element, texts) if name is None else name
            if leader is not None and any(text.startswith(sign) for text in begins):
                leaders[leader] = None
        return {name: None for name in leaders if not getattr(self.parameters[name], allowing)}

    def _default_faults(self) -> Iterator[Fault]:
        """Yield the defaults that would be refused where they go."""
        filled = {
            name: fill(parameter, parameter.standard, as_it_reads) if parameter.standard is not None else ANY
            for name, parameter in self.parameters.items()
        }
        for name in self._dashed(filled):
            hint = 'begin with something else, put it behind a "--", or say allow_dash'
            yield Fault(f"parameters.{name}.default", "begins an argument with '-'", hint)
        for name in self._at(filled):
            yield Fault(f"parameters.{name}.default", "begins with '@'", "begin with something else, or say allow_at")

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
        if (fault := template.script_fault([self._at_worst(element) for element in elements])) is not None:
            yield fault
        yield from self._hole_faults(elements)

    def _at_worst(self, element: Element) -> Element:
        """Return the element as a shell would take it, if a value can make an option of it."""
        parameter = self.parameters.get(template.sole(element) or "")
        if isinstance(parameter, Boolean) and parameter.flag is not None:
            return (parameter.flag,)
        return ("-c", *element) if parameter is not None and parameter.allow_dash else element

    def _hole_faults(self, elements: list[Element]) -> Iterator[Fault]:
        key: Element = ()
        try:
            key = template.parse(self.key or "")
        except ValueError as error:
            yield Fault("key", str(error), BRACES)
        used = dict.fromkeys(name for element in [*elements, key] for name in template.holes(element))
        for name in used:
            if name not in self.parameters:
                hint = near(name, self.parameters, otherwise=f"declare it: [commands.{self.name}.parameters.{name}]")
                yield Fault("argv", f"has {{{name}}}, which is no parameter of it", hint)
        for name, parameter in self.parameters.items():
            yield from _place_faults(name, parameter, elements, key)


def _place_faults(name: str, parameter: Parameter, elements: Sequence[Element], key: Element) -> Iterator[Fault]:
    """Yield what is wrong with where a template has the parameter."""
    places = [element for element in elements if name in template.holes(element)]
    where = f"parameters.{name}"
    if isinstance(parameter, Secret):
        yield from hiding.place_faults(name, parameter, in_key=name in template.holes(key), in_argv=bool(places))
        return
    if not places and name not in template.holes(key):
        yield Fault(where, "is not used", f"put {{{name}}} into argv, or remove it")
    if isinstance(parameter, Upload) and name in template.holes(key):
        yield Fault("key", f"has {{{name}}}, which is a file", "its path is another one in each run")
    if parameter.is_spread and any(template.sole(element) != name for element in places):
        hint = f'write "{{{name}}}" by itself: it stands for several arguments, or none'
        yield Fault("argv", f"has {{{name}}} within an element", hint)


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
    if command.cwd is not None and "\0" in command.cwd:
        yield Fault("cwd", "has a NUL, which no directory's name can have", "an absolute path")
    if command.key is not None and not 0 < len(command.key) <= 256:
        yield Fault("key", "is empty or too long", "text of 1 to 256 characters, or leave it out")
    if len(command.argv) > MOST_ARGUMENTS:
        yield Fault("argv", f"has more than {MOST_ARGUMENTS} elements", "is it the right file?")
    if command.max_output is not None and not 0 <= command.max_output < 1 << 63:
        yield Fault("max_output", f"cannot be {command.max_output}", "it is a number of bytes, 0 or more")
    if ours := sorted({*LABELS} & {*command.labels}):
        yield Fault(
            "labels", f"cannot have {ours[0]!r}, as runs of hooks do", "hooks are not told of those: another name"
        )
    yield from resource_faults(command.resources)
    yield from quota_faults(command.max_running, command.max_queued, command.max_starts_per_minute)
    yield from viewer_faults(command.max_viewers)
    yield from _people_faults(command)
    for check in _checks(command):
        try:
            check()
        except InvalidInput as error:
            yield Fault(error.subject.partition("[")[0], f"cannot be so: {error.message}", error.hint)


def _people_faults(command: Command) -> Iterator[Fault]:
    """Yield what is wrong with who it is for, whose it is, and what nobody may see."""
    is_name = isinstance(command.user, str) and not _USER.fullmatch(command.user)
    is_number = isinstance(command.user, int) and not 0 <= command.user < (1 << 32) - 1
    if is_name or is_number:
        yield Fault("user", f"cannot be {str(command.user)[:40]!r}", "the name of a user here, or its number")
    yield from allow_faults(command.allow)
    yield from hiding.env_faults(command.secret_env, command.env)
    yield from hiding.delivery_faults(command.parameters, is_pty=command.pty, has_user=command.user is not None)
    if command.user is not None and any(isinstance(each, Upload) for each in command.parameters.values()):
        yield Fault("user", "and a parameter that is a file exclude each other", "the other user could not read it")


def _checks(command: Command) -> Iterator[Callable[[], object]]:
    """Yield what raises if an option is not usable."""
    for name, seconds in {"timeout": command.timeout, "idle_timeout": command.idle_timeout}.items():
        if seconds is not None:
            yield partial(spec.positive, seconds, name)
    yield partial(spec.check_env, dict(command.env))
    yield partial(spec.check_labels, command.labels)


class Commands(Mapping[str, Command]):
    """The commands that may be run by name; it never changes.

    Args:
        commands: the commands, each of another name.
        limits: what holds for their runs besides what each says itself.
        private: variables of our own environment that are for no command.

    Raises:
        InvalidValues: one is not usable, or two have the same name; everything that is wrong is told.
    """

    def __init__(
        self, commands: Iterable[Command] = (), limits: Limits = NO_LIMITS, private: Iterable[str] = ()
    ) -> None:
        self.limits = limits
        declared = tuple(commands)
        self.private = frozenset([*private, *(name for command in declared for name in command.secret_env)])
        """variables that only those commands have which name them in `secret_env`, or in `env`"""
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
        found = Commands(limits=self.limits, private=self.private)
        found._commands = {name: command for name, command in self._commands.items() if is_wanted(command)}
        return found

    def find(self, name: str) -> Command:
        """Return the command of this name.

        Raises:
            UnknownCommand: there is none.
        """
        if name not in self._commands:
            hint = near(name, self._commands, otherwise="none is declared here, or none that you may see")
            raise UnknownCommand(f"there is no command {name[:40]!r} here", op="find", subject=name[:40], hint=hint)
        return self._commands[name]
