"""The template of an argv: `{name}` in an element stands for a parameter, `{{` and `}}` for braces.

A template has as many elements as the argv that is made of it, whatever the values: a placeholder is a whole argument,
or a part of one, and never several. There is one exception, for parameters that say so themselves and are a whole
element (see `tailrace.core.parameters.choice`). Nothing here is ever given to a shell.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from tailrace.core.errors import Fault

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""of commands and parameters"""
END_OF_OPTIONS = "--"
"""an argument behind which none is an option (POSIX, XBD 12.2, guideline 10)"""
SHELLS = frozenset({"sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "zsh"})
SWITCHERS = frozenset({"su", "runuser"})
"""programs that give a script to somebody's shell: su(1), runuser(1)"""

_PART = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<name>[^{}]*)\}|(?P<text>[^{}]+)|(?P<lone>[{}])")
_SCRIPT = re.compile(r"-[A-Za-z]*c[A-Za-z]*")
"""the option of a shell that takes a script: `-c`, `-ec`"""
_NAMED = re.compile(r"[-+][A-Za-z]*[oO][A-Za-z]*|--(?:rcfile|init-file)")
"""one that has the next argument for itself: `-o pipefail`, `-euo pipefail`"""
_FISH = re.compile(r"-[A-Za-z]*[cC](?P<short>.*)|--(?:init-command|command)(?:=(?P<long>.*))?", re.DOTALL)
"""the options by which fish(1) takes scripts, several if need be"""
_SWITCHER = re.compile(r"-[flmpPT]*c(?P<short>.*)|--(?:c|se)[a-z-]*(?:=(?P<long>.*))?", re.DOTALL)
"""those of su(1), wherever they stand, and abbreviated: `--command`, `--session-command`"""
_DIRECT = re.compile(r"-u.*|--u.*", re.DOTALL)
"""by which runuser(1) starts a program itself, without a shell"""


class Hole(NamedTuple):
    """Where a parameter goes."""

    name: str


Element: TypeAlias = tuple[str | Hole, ...]
"""one argument: texts and holes, in order"""


def parse(text: str) -> Element:
    """Return the parts of one element of a template.

    Raises:
        ValueError: a brace stands alone, there is no name between two, or there is a NUL.
    """
    if "\0" in text:
        raise ValueError("has a NUL, which the system cannot pass to a program")
    parts: list[str | Hole] = []
    for found in _PART.finditer(text):
        if found["lone"]:
            raise ValueError(f"has a lone {found['lone']!r}")
        if found["name"] is not None:
            parts.append(Hole(_name(found["name"])))
        else:
            parts.append(found["text"] or found["brace"][0])
    return tuple(parts)


def _name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise ValueError(f"has {{{text[:40]}}}, which cannot be a parameter's name")
    return text


def render(element: Element, values: Mapping[str, str]) -> str:
    """Return the argument that the element makes of the values."""
    return "".join(values[part.name] if isinstance(part, Hole) else part for part in element)


def holes(element: Element) -> Iterator[str]:
    """Yield the names of the parameters in the element."""
    return (part.name for part in element if isinstance(part, Hole))


def sole(element: Element) -> str | None:
    """Return the parameter that is all of the element; None: there is more in it, or none."""
    match element:
        case (Hole(name),):
            return name
        case _:
            return None


def leader(element: Element, values: Mapping[str, str]) -> str | None:
    """Return the parameter that decides how the argument begins; None: the template does.

    It is the first one that is not empty; or, where the template's own text comes before that, the first of those that
    are empty, and have let it come to the front.
    """
    empty = None
    for part in element:
        if not isinstance(part, Hole):
            return empty
        if values[part.name]:
            return part.name
        empty = empty or part.name
    return empty


def optional_part(argv: Sequence[Element]) -> Sequence[Element]:
    """Return the elements that a program may take for options: those up to a `--`."""
    end = (END_OF_OPTIONS,)
    return argv[: argv.index(end)] if end in argv else argv


def script_fault(argv: Sequence[Element]) -> Fault | None:
    """Return what is wrong with a template that puts a value into a shell's script; None: it does not."""
    words = ["".join(part for part in element if isinstance(part, str)) for element in argv]
    for index, word in enumerate(words):
        if any(any(holes(argv[script])) for script in _scripts(words, index, word.rpartition("/")[2])):
            return Fault(
                "argv",
                "puts a parameter into a shell's script, which would run whatever it says",
                """hand it over as an argument: ["sh", "-c", 'echo "$1"', "sh", "{name}"]""",
            )
    return None


def _scripts(words: Sequence[str], program: int, name: str) -> Iterator[int]:
    """Yield where the scripts are that the program at this index gives to a shell, if it is one that does."""
    if name in SHELLS and (script := _script_of(words, program)) is not None:
        yield script
    if name == "fish":
        yield from _by_option(_FISH, words, program, _end_of_options(words, program))
    elif name in SWITCHERS and not any(map(_DIRECT.fullmatch, words[program + 1 :])):
        yield from _by_option(_SWITCHER, words, program, len(words))
        for end in (index for index in range(program, len(words)) if words[index] == END_OF_OPTIONS):
            yield from filter(None, (_script_of(words, end), _script_of(words, end + 1)))  # the shell has these


def _by_option(option: re.Pattern[str], words: Sequence[str], program: int, end: int) -> Iterator[int]:
    """Yield where the scripts of such options are: in the argument itself, if it goes on, or in the next."""
    for index in range(program + 1, end):
        if (found := option.fullmatch(words[index])) is not None:
            yield index
            if not found["short"] and found["long"] is None and index + 1 < len(words):
                yield index + 1


def _end_of_options(words: Sequence[str], program: int) -> int:
    """Return where options end at the latest: behind one, there may be what it takes."""
    for index in range(program + 1, len(words)):
        is_taken = words[index - 1].startswith("-")
        if words[index] == END_OF_OPTIONS or not (words[index].startswith("-") or is_taken):
            return index
    return len(words)


def _script_of(words: Sequence[str], shell: int) -> int | None:
    """Return where the script of the shell at this index is; None: it is given none."""
    takes_script = False
    is_name = False
    for index in range(shell + 1, len(words)):
        word = words[index]
        if is_name:
            is_name = False
            continue
        if not word.startswith(("-", "+")):
            return index if takes_script else None
        takes_script = takes_script or _SCRIPT.fullmatch(word) is not None
        is_name = _NAMED.fullmatch(word) is not None
    return None
