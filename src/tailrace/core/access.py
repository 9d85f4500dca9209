"""Who may do what: one pure function, `authorize`, that every route, wire, event, search and list asks.

In this order, and the first that says no decides:

1. the scope of a token or a link: its actions, commands and runs;
2. `admin` may, whatever the rules say;
3. the role, or a rule that grants the action to him in spite of it;
4. the run that a link was made for is its holder's to see: whoever made it could;
5. every rule that fits what he asks for and has `allow`: he must be in it; of a run whose spec cannot be read, every
   rule could be about it;
6. `own_runs_only`: of runs, he has those that he has started, and no others.

Asked about nothing in particular (`about` is None), it tells whether he may do this to anything at all.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from tailrace.core.command import Command, Commands
from tailrace.core.errors import Fault
from tailrace.core.identity import EVERYBODY, Identity, Role, allow_faults, highest, whom_faults
from tailrace.core.run import RunInfo

Action: TypeAlias = Literal["list", "view", "start", "stop", "input", "pin", "share", "metrics"]
"""what a caller may be allowed to do"""
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

_VIEWER: Final[frozenset[Action]] = frozenset({"list", "view"})
_OPERATOR: Final[frozenset[Action]] = _VIEWER | {"start", "stop", "input", "pin", "share"}
ROLE_ACTIONS: Final[Mapping[Role, frozenset[Action]]] = MappingProxyType(
    {"viewer": _VIEWER, "operator": _OPERATOR, "admin": frozenset(ACTIONS)}
)
"""what each role may, as far as no rule says otherwise"""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What something is to be done to: a command, or a run."""

    command: str | None
    """its name; of a run, the command's that it is of"""
    labels: Mapping[str, str] = MappingProxyType({})
    run: str | None = None
    """its id; None: a command"""
    by: str | None = None
    """who has started the run"""
    is_unreadable: bool = False
    """a run of which is not known any more what it is of: its spec is damaged"""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule fits what has one of the commands, and all of the labels; with neither, everything."""

    commands: tuple[str, ...] = ()
    """of these commands, and their runs; none: of any"""
    labels: Mapping[str, str] = {}
    """with these labels"""
    actions: tuple[Action, ...] = ()
    """what the rule is about: `list`, `view`, `start`, `stop`, `input`, `pin`, `share`,
    `metrics`; none: all of them but `metrics`"""
    allow: tuple[str, ...] | None = None
    """only these may, as far as their roles do: `user:NAME`, `group:NAME`, `role:NAME`, `*`"""
    grant: tuple[str, ...] = ()
    """these may, whatever their roles: written like `allow`"""

    def is_about(self, action: Action) -> bool:
        """Tell whether it says something of the action; of metrics only one that names it."""
        return action in self.actions if self.actions else action != "metrics"

    def fits(self, about: Subject) -> bool:
        """Tell whether it says something of the command or the run."""
        if self.commands and about.command not in self.commands:
            return False
        return all(about.labels.get(name) == value for name, value in self.labels.items())

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with it."""
        if self.allow is None and not self.grant:
            yield Fault("allow", "is missing", 'a rule has allow, or grant: for example allow = ["group:ops"]')
        yield from allow_faults(self.allow)
        yield from (fault._replace(subject=f"grant{fault.subject}") for fault in whom_faults(self.grant))


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """`[access]`: who may do what."""

    own_runs_only: bool = False
    """whoever is no `admin` sees, and stops, only what he has started"""
    default_role: Role | Literal["none"] = "viewer"
    """of whom a proxy or an OpenID provider sends, if no group of his is in `roles`; `none` turns him away"""
    roles: Mapping[Role, tuple[str, ...]] = {}
    """the groups that have each role, of whom a proxy or an OpenID provider sends: `{ admin = ["ops"] }`"""
    rules: tuple[Rule, ...] = ()
    """`[[access.rules]]`, each as below"""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong; a fault's subject is a key: `rules[0].allow`."""
        for index, rule in enumerate(self.rules):
            yield from (fault._replace(subject=f"rules[{index}].{fault.subject}") for fault in rule.faults())

    def role_of(self, groups: tuple[str, ...]) -> Role | None:
        """Return the role of somebody in these groups; None: he is turned away."""
        found = highest({role for role, members in self.roles.items() if not set(members).isdisjoint(groups)})
        if found is not None or self.default_role == "none":
            return found
        return self.default_role


def authorize(who: Identity, action: Action, about: Subject | None, access: Access) -> bool:
    """Tell whether somebody may do something.

    Args:
        who: he.
        action: what he wants to do.
        about: what to; None: to anything at all.
        access: the rules.
    """
    if not _is_in_scope(who, action, about):
        return False
    if who.role == "admin":
        return True
    told = [rule for rule in access.rules if rule.is_about(action)]
    rules = [rule for rule in told if about is None or rule.fits(about)]
    if action not in ROLE_ACTIONS[who.role] and not any(_is_among(who, rule.grant) for rule in rules):
        return False
    if about is None:
        return True
    if about.run is not None and about.run in (who.scope.runs or ()):
        return True
    holding = told if about.is_unreadable else rules
    if not all(rule.allow is None or _is_among(who, (*rule.allow, *rule.grant)) for rule in holding):
        return False
    return about.run is None or not access.own_runs_only or about.by == who.name


def sees_all(who: Identity, access: Access) -> bool:
    """Tell whether there is no run that he may not view, so that their number may be told."""
    if who.scope.commands is not None or who.scope.runs is not None or not authorize(who, "view", None, access):
        return False
    is_held = access.own_runs_only or any(rule.allow is not None and rule.is_about("view") for rule in access.rules)
    return who.role == "admin" or not is_held


def of_run(info: RunInfo) -> Subject:
    """Return the run, as rules see it."""
    is_unreadable = info.damage is not None and not info.argv
    return Subject(
        command=info.command, labels=info.labels, run=info.id, by=info.by, is_unreadable=is_unreadable
    )  # fmt: skip


def of_command(command: Command) -> Subject:
    """Return the command, as rules see it."""
    return Subject(command=command.name, labels=command.labels)


def _is_in_scope(who: Identity, action: Action, about: Subject | None) -> bool:
    scope = who.scope
    if scope.actions is not None and action not in scope.actions:
        return False
    if about is None:
        return True
    if scope.commands is not None and about.command not in scope.commands:
        return False
    return scope.runs is None or about.run in scope.runs


def _is_among(who: Identity, whom: tuple[str, ...]) -> bool:
    names = {EVERYBODY, f"user:{who.name}", f"role:{who.role}", *(f"group:{group}" for group in who.groups)}
    return not names.isdisjoint(whom)


def with_commands(access: Access, commands: Commands) -> Access:
    """Return the rules, with one for each command that says who may (`allow`)."""
    saying = [command for command in commands.values() if command.allow is not None]
    more = tuple(Rule(commands=(command.name,), allow=command.allow) for command in saying)
    return msgspec.structs.replace(access, rules=(*access.rules, *more))
