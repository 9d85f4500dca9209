"""What `tailrace demo` serves: commands that show what a stream can be, each a small program in `tailrace.demo`."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from tailrace import demo
from tailrace.core.command import Command, Commands
from tailrace.core.parameters import Integer, Parameter, Text

LIMIT_S = 600.0
"""for each run: a demonstration that was killed leaves nothing that goes on for ever"""
FLOOD_BYTES = 64 << 20
HOME = Path(demo.__file__).parent
ENVIRONMENT = {"PYTHONUTF8": "1"}


def commands() -> Commands:
    """Return the commands."""
    return Commands(_commands())


def _commands() -> Iterator[Command]:
    yield _program(
        "count", "Count", "The article's loop: a number, a pause, the next number.", "{n}",
        parameters={"n": Integer(title="Up to", default=60, minimum=1, maximum=1000)},
    )  # fmt: skip
    yield _program("progress", "Progress bar", "One line, written again and again with carriage returns.")
    yield _program("colours", "Colours", "Sixteen, 256, and true colour, by escape sequences.")
    yield _program(
        "flood", "Flood", "As fast as it can, until its output limit of 64 MiB stops it. Others are not slowed.",
        timeout=60.0, max_output=FLOOD_BYTES, on_max_output="stop",
    )  # fmt: skip
    yield _program("mixed", "stdout and stderr", "Both, each on a pipe of its own, shown as they come.")
    yield _program(
        "ask",
        "Ask",
        "Asks for your name at a terminal, and answers what you type. An empty line ends it.",
        pty=True,
    )
    yield _greet()
    yield _program("fail", "Fail", "Writes to stderr, and exits with code 3.")
    yield _program("stubborn", "Stubborn", "Does not end when asked to. Stop it, and watch how that goes on.")
    yield _program("silent", "Silent", "Says nothing for half a minute. The connection stays, and notices the end.")
    yield _program("unicode", "Unicode", "Many scripts, and some markup that must stay text.")


def _greet() -> Command:
    name = Text(title="Name", default="World", maximum_length=40, help="whom to greet, in one line")
    times = Integer(title="Times", default=5, minimum=1, maximum=100)
    what = "Takes text and a number, and is given nothing else."
    return _program("greet", "Greet", what, "{name}", "{times}", parameters={"name": name, "times": times})


class _Options(TypedDict, total=False):
    parameters: dict[str, Parameter]
    pty: bool
    timeout: float
    max_output: int
    on_max_output: Literal["stop", "truncate"]


def _program(name: str, title: str, description: str, *arguments: str, **options: Unpack[_Options]) -> Command:
    """Return the command of a program, which is started by its file's name, from where it lies."""
    options.setdefault("timeout", LIMIT_S)
    start = ("sh", f"{name}.sh") if (HOME / f"{name}.sh").is_file() else (_python(), f"{name}.py")
    return Command(
        name=name, title=title, description=description, argv=(*start, *arguments), cwd=os.fspath(HOME),
        env=ENVIRONMENT, **options,
    )  # fmt: skip


def _python() -> str:
    """Return any Python that there is; by its short name, if it has one."""
    return "python3" if shutil.which("python3") else sys.executable
