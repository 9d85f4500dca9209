"""Parameters whose values stand in the declaration: a switch, one of several, some of several.

A switch with a `flag`, and a list of choices, are the only parameters that are not exactly one argument. They are an
element of the template by themselves, and stand for as many arguments as they have values, none included.
"""

from collections.abc import Iterator, Sequence

from tailrace.core.errors import Fault, InvalidInput
from tailrace.core.near import near
from tailrace.core.parameters.base import Base, described, kind_of, need_faults, standing_faults, text_of, unfit
from tailrace.core.template import END_OF_OPTIONS

MOST = 1000
"""choices of one parameter"""
SHOWN = 8
"""choices that are named where one is missing"""
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class Boolean(Base, frozen=True, kw_only=True, tag="boolean"):
    """A switch: true or false."""

    default: bool | None = False
    """the value when none is given"""
    flag: str | None = None
    """what stands for true, such as `--verbose`; for false, the argument is left out. Without it the argument is `true`
    or `false`"""

    @property
    def is_spread(self) -> bool:
        """See `Base.is_spread`."""
        return self.flag is not None

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        if self.flag is not None:
            yield from _option_faults("flag", self.flag)
        yield from need_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        if not isinstance(value, bool):
            raise unfit(f"must be true or false, not {kind_of(value)}", "give true or false, without quotes in JSON")
        return "true" if value else "false"

    def spread(self, value: object) -> tuple[str, ...]:
        """See `Base.spread`."""
        text = self.argument(value)
        if self.flag is None:
            return (text,)
        return (self.flag,) if value else ()

    def alone(self, value: object) -> tuple[str, ...]:
        """See `Base.alone`: the flag is the declaration's, not the value's."""
        return () if self.flag is not None else self.spread(value)

    def from_text(self, text: str) -> object:
        """See `Base.from_text`; what is neither is left for `argument`."""
        if not text:
            return None
        return text.lower() in TRUE if text.lower() in (*TRUE, *FALSE) else text

    def from_texts(self, texts: Sequence[str]) -> object:
        """See `Base.from_texts`: a form has a hidden `false` in front of its box, since an empty box sends nothing."""
        if tuple(texts) == ("false", "true"):
            return True
        return super().from_texts(texts)

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        return {"type": "boolean", **described(self)}


class Choice(Base, frozen=True, kw_only=True, tag="choice"):
    """One of several texts."""

    choices: tuple[str, ...] = ()
    """what may be chosen"""
    default: str | None = None
    """the value when none is given"""

    @property
    def need(self) -> str:
        """See `Base.need`."""
        return f"choose one of: {_shown(self.choices)}"

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        yield from _choice_faults(self.choices)
        yield from standing_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`."""
        return _chosen(value, self.choices)

    def from_text(self, text: str) -> object:
        """See `Base.from_text`: an empty field gives nothing, unless that can be chosen."""
        return text if text or "" in self.choices else None

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        return {"type": "string", "enum": list(self.choices), **described(self)}


class Choices(Base, frozen=True, kw_only=True, tag="choices"):
    """Some of several texts, each at most once; the argument is repeated for each."""

    choices: tuple[str, ...] = ()
    """what may be chosen"""
    default: tuple[str, ...] | None = None
    """the value when none is given"""
    option: str | None = None
    """what comes in front of each: `--name` as an argument of its own, `--name=` or `--name={}` in the same"""
    minimum_count: int = 0
    """how many must be chosen"""
    maximum_count: int | None = None
    """how many may be chosen"""

    @property
    def need(self) -> str:
        """See `Base.need`."""
        return f"choose some of: {_shown(self.choices)}"

    @property
    def is_spread(self) -> bool:
        """See `Base.is_spread`."""
        return True

    @property
    def standard(self) -> object:
        """See `Base.standard`: nothing chosen, if nothing need be."""
        if self.default is None:
            return [] if self.minimum_count == 0 and self.required is not True else None
        return list(self.default)

    def faults(self) -> Iterator[Fault]:
        """See `Base.faults`."""
        yield from _choice_faults(self.choices)
        if self.option is not None:
            yield from _option_faults("option", self.option)
            if self._joint is None and ("{" in self.option or "}" in self.option):
                yield Fault("option", "has braces within", "--name, --name= or --name={}, where {} is the value")
        if not 0 <= self.minimum_count <= self._most <= len(self.choices):
            hint = f"0 <= minimum_count <= maximum_count <= {len(self.choices)}, the number of choices"
            yield Fault("maximum_count", "and minimum_count do not fit", hint)
        try:
            if self.default is not None:
                self.chosen(list(self.default))
        except InvalidInput as error:
            yield Fault("default", error.message, error.hint)
        yield from need_faults(self)

    def argument(self, value: object) -> str:
        """See `Base.argument`: all of them, with commas, for people."""
        return ",".join(self.chosen(value))

    def chosen(self, value: object) -> tuple[str, ...]:
        """Return what was chosen.

        Raises:
            InvalidInput: something that cannot be, or something twice, or too few or many.
        """
        if not isinstance(value, list | tuple):
            raise unfit(f"must be a list, not {kind_of(value)}", 'for example ["…", "…"] in JSON')
        if not self.minimum_count <= len(value) <= self._most:
            raise unfit(f"has {len(value)} values", f"it takes {self.minimum_count} to {self._most}")
        texts = tuple(_chosen(each, self.choices) for each in value)
        if len(set(texts)) < len(texts):
            raise unfit("has a value twice", "give each once")
        return texts

    def spread(self, value: object) -> tuple[str, ...]:
        """See `Base.spread`."""
        texts = self.chosen(value)
        if self.option is None:
            return texts
        if self._joint is not None:
            return tuple(self._joint + text for text in texts)
        return tuple(word for text in texts for word in (self.option, text))

    def alone(self, value: object) -> tuple[str, ...]:
        """See `Base.alone`."""
        return () if self._joint is not None else self.chosen(value)

    def from_text(self, text: str) -> object:
        """See `Base.from_text`."""
        return self.from_texts([text])

    def from_texts(self, texts: Sequence[str]) -> object:
        """See `Base.from_texts`: a form has a hidden empty field in front, since empty boxes send nothing."""
        if texts[0] == "" and "" not in self.choices:
            return list(texts[1:])
        return list(texts)

    def native(self, value: object) -> object:
        """See `Base.native`."""
        return list(self.chosen(value))

    def schema(self) -> dict[str, object]:
        """See `Base.schema`."""
        items = {"type": "string", "enum": list(self.choices)}
        counts = {"minItems": self.minimum_count, "maxItems": self._most}
        return {"type": "array", "items": items, "uniqueItems": True, **described(self), **counts}

    @property
    def _most(self) -> int:
        return len(self.choices) if self.maximum_count is None else self.maximum_count

    @property
    def _joint(self) -> str | None:
        """What begins each argument, if option and value are one."""
        if self.option is None:
            return None
        begin = self.option.removesuffix("{}")
        return begin if begin != self.option or begin.endswith("=") else None


def _chosen(value: object, choices: Sequence[str]) -> str:
    if not isinstance(value, str):
        raise unfit(f"must be text, not {kind_of(value)}", f"one of: {', '.join(choices)}")
    if value not in choices:
        raise unfit("is none of the choices", near(value, choices))
    return value


def _shown(choices: Sequence[str]) -> str:
    """Return as many of the choices as a message has room for."""
    rest = len(choices) - SHOWN
    listed = ", ".join(choices[:SHOWN])
    return f"{listed}, and {rest} more" if rest > 0 else listed


def _choice_faults(choices: Sequence[str]) -> Iterator[Fault]:
    if not choices:
        yield Fault("choices", "are missing", 'for example choices = ["staging", "production"]')
    if len(set(choices)) < len(choices) or len(choices) > MOST:
        yield Fault("choices", "have one twice, or are too many", f"up to {MOST}, each another")
    for index, choice in enumerate(choices):
        try:
            text_of(choice)
        except InvalidInput as error:
            yield Fault(f"choices[{index}]", error.message, error.hint)


def _option_faults(key: str, option: str) -> Iterator[Fault]:
    try:
        text_of(option)
    except InvalidInput as error:
        yield Fault(key, error.message, error.hint)
    if not option or option == END_OF_OPTIONS:
        yield Fault(key, f"cannot be {option!r}", "an option of the program's, such as --verbose")
