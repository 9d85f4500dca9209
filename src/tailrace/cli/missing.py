"""What a server's file names, and is not there: on this machine, or among those whom the server knows."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tailrace.config.load import Config, Mistake
from tailrace.core.command import Command
from tailrace.core.errors import Fault, InvalidInput
from tailrace.core.near import near
from tailrace.core.parameters import PathBelow
from tailrace.host import accounts
from tailrace.host.statedir import default_path

if TYPE_CHECKING:
    from tailrace.config.server import Server

DIRECTORY = "make it, or name one that is there"


def missing(config: Config) -> Iterator[Mistake]:
    """Yield what is named and is not there: users, directories, programs, and whom rules allow."""
    for command in config.commands.values():
        at = ("commands", command.name)
        for fault in (*_user_faults(command), *_place_faults(command), *_program_faults(command)):
            yield (*at, *fault.subject.split(".")), fault.message, fault.hint
    known = _known(config.server)
    if known is None:
        return
    for keys, whom in _whom(config):
        for index, text in enumerate(whom):
            if (hint := known.hint_for(text)) is not None:
                yield (*keys[:-1], f"{keys[-1]}[{index}]"), f"names {text[:40]!r}, whom nobody is", hint


def _user_faults(command: Command) -> Iterator[Fault]:
    if command.user is None:
        return
    try:
        accounts.needs_change(accounts.find(command.user))
    except InvalidInput as error:
        yield Fault("user", f"cannot be: {error.message}", error.hint)


def _place_faults(command: Command) -> Iterator[Fault]:
    if command.cwd is not None and not os.path.isdir(command.cwd):  # noqa: PTH112  tells of none that may not be seen, and raises nothing
        yield Fault("cwd", f"is {command.cwd}, which is no directory here", DIRECTORY)
    for name, parameter in command.parameters.items():
        if isinstance(parameter, PathBelow) and not os.path.isdir(parameter.root):  # noqa: PTH112  as above
            yield Fault(f"parameters.{name}.root", f"is {parameter.root}, which is no directory here", DIRECTORY)


def _program_faults(command: Command) -> Iterator[Fault]:
    program = command.argv[0]
    path = command.env.get("PATH") or os.environ.get("PATH") or os.defpath
    if "/" not in program:
        if shutil.which(program, path=path) is None:
            yield Fault(
                "argv", f"begins with {program!r}, which is no program in {path}", "install it, or give its path"
            )
        return
    where = Path(command.cwd or ".") / program
    if command.cwd is not None or where.is_absolute():
        if not os.path.isfile(where):  # noqa: PTH113  as above
            yield Fault("argv", f"begins with {program!r}, and {where} is not there", "give the path of a program")
        elif not os.access(where, os.X_OK):
            yield Fault("argv", f"begins with {program!r}, and {where} cannot be run", f"chmod +x {where}")


class _Known(NamedTuple):
    """Whom the server knows."""

    users: frozenset[str]
    groups: frozenset[str]
    cure: str
    own: frozenset[str]
    """names that nobody means who writes another"""

    def hint_for(self, text: str) -> str | None:
        """Return what to do about a name in a rule; None: there is somebody of it."""
        kind, _, name = text.partition(":")
        names = {"user": self.users, "group": self.groups}.get(kind)
        if names is None or name in names:
            return None
        return near(name, names - self.own, otherwise=self.cure)


def _known(server: "Server") -> _Known | None:
    """Return whom the server knows; None: somebody else does, or nobody is asked."""
    if server.auth not in ("token", "users"):
        return None
    from tailrace.cli.keys import tokens_of, users_of
    from tailrace.server.auth.tokens import OWN
    from tailrace.server.auth.vault import DIRECTORY as AUTH

    has_vault = os.path.isdir(Path(server.state_dir or default_path()) / AUTH)  # noqa: PTH112  nothing is made by looking
    has_users = server.auth == "users" and (has_vault or server.users_file is not None)
    tokens = {OWN, *(f"token:{token.name}" for token in (tokens_of(server).all() if has_vault else ()))}
    users = users_of(server).all() if has_users else {}
    groups = frozenset(group for user in users.values() for group in user.groups)
    cure = "tailrace user add NAME --group GROUP" if server.auth == "users" else 'users and groups need auth = "users"'
    return _Known(frozenset(users) | tokens, groups, cure, frozenset((OWN,)))


def _whom(config: Config) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the keys to each list of those who may, and the list."""
    for command in config.commands.values():
        yield ("commands", command.name, "allow"), command.allow or ()
    for index, rule in enumerate(config.access.rules):
        yield ("access", f"rules[{index}]", "allow"), rule.allow or ()
        yield ("access", f"rules[{index}]", "grant"), rule.grant
