"""What a page is given besides its plain version, for its script to begin with: the JSON in the element `#given`."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from tailrace.core.access import Action
from tailrace.core.command import Command
from tailrace.core.identity import Role
from tailrace.core.run import RunInfo
from tailrace.web.page.html import Html, element
from tailrace.web.problems import OneOf, Problem

Kind: TypeAlias = Literal["home", "command", "run", "runs", "problem"]


class CommandShown(msgspec.Struct, frozen=True, kw_only=True):
    """A command as whoever may list them sees it. Its environment, which may hold secrets, is not shown."""

    name: str
    title: str
    description: str
    argv: tuple[str, ...]
    """the template"""
    parameters: dict[str, object]
    """the JSON Schema (2020-12) of what may be given"""
    takes_input: bool
    """whether its runs can be written to"""
    may: tuple[Action, ...] = ()
    """what whoever asks may do: `list`, `start`"""


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what he may."""

    name: str | None
    """null: nobody is asked who he is"""
    role: Role | None = None
    """null: an application decides by itself"""
    via: str = ""
    """how he came in: `session`, `token`, `proxy`, `share`"""
    until: datetime | None = None
    """when that ends; null: that is not known, or never"""
    may: tuple[Action, ...] = ()
    """what he may do, to some run or command"""
    sees_all: bool = False
    """whether there is no run that he may not view"""
    can_leave: bool = False
    """whether he has logged in here, and so can log out"""

    @property
    def is_guest(self) -> bool:
        """Whether he has a link to one run, and nothing else is for him."""
        return self.via == "share"


class Allowed(msgspec.Struct, frozen=True):
    """What whoever looks at the page may do: to the page's run, or, where it has none, at all."""

    start: bool = False
    stop: bool = False
    input: bool = False
    """and the run takes some"""
    pin: bool = False
    share: bool = False
    """make links by which it is watched"""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is, and about what."""

    page: Kind
    root: str
    """the way from the page to the one of all commands, `./` or `../`; the API is below it"""
    who: Who | None = None
    """null: nobody is asked who he is"""
    may: Allowed = Allowed()
    notice: str = ""
    """what whoever looks after the server is to know"""
    commands: tuple[CommandShown, ...] = ()
    """all that there are; on a command's page and those of runs, theirs"""
    run: RunInfo | None = None
    runs: tuple[RunInfo, ...] = ()
    """that are shown side by side"""
    values: dict[str, str] = {}
    """what a form said that could not be used"""
    errors: tuple[OneOf, ...] = ()
    """and what is wrong with it"""
    problem: Problem | None = None


def shown(command: Command, may: tuple[Action, ...] = ()) -> CommandShown:
    """Return what is shown of a command to whoever may do this."""
    return CommandShown(
        name=command.name,
        title=command.title,
        description=command.description,
        argv=command.argv,
        parameters=command.schema(),
        takes_input=command.stdin or command.pty,
        may=may,
    )


def all_shown(
    commands: Iterable[Command], may: Callable[[Command], tuple[Action, ...]] = lambda _command: ()
) -> tuple[CommandShown, ...]:
    """Return what is shown of the commands.

    Args:
        commands: all of them.
        may: tells what whoever asks may do to one.
    """
    return tuple(shown(command, may(command)) for command in commands)


def script_of(given: Given) -> Html:
    """Return the element.

    In JSON `<` stands in texts only, and is written so that no text can end the element, or begin a comment in it
    (HTML, 4.12.1.3).
    """
    text = msgspec.json.encode(given).decode().replace("<", "\\u003c")
    return element("script", Html(text), type="application/json", id="given")
