"""Who asks: a name, a role, groups, and how he came in. What a token or a link opens only is said by its scope."""

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from tailrace.core.errors import Fault
from tailrace.core.near import near

Role: TypeAlias = Literal["viewer", "operator", "admin"]
"""each may what the one before may, and more; see `tailrace.core.access.ROLE_ACTIONS`"""
ROLES: Final[tuple[Role, ...]] = get_args(Role)
KINDS: Final = ("user", "group", "role")
EVERYBODY: Final = "*"
WHO: Final = "user:NAME, group:NAME, role:NAME, or * for everybody"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a token or a link opens, of all that its holder's role may do. None: any."""

    actions: tuple[str, ...] | None = None
    commands: tuple[str, ...] | None = None
    """and the runs of these"""
    runs: tuple[str, ...] | None = None
    """by their ids"""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks."""

    name: str
    """what he is known by; a run that he starts has it as its `by`"""
    role: Role
    groups: tuple[str, ...] = ()
    via: str
    """how he came in: `token`, `session`, `proxy`, `share`, …"""
    scope: Scope = Scope()
    until: int | None = None
    """when that is no longer good, in seconds since 1970; None: that is not known, or never"""


def highest(roles: "set[Role]") -> Role | None:
    """Return the role that may most; None of none."""
    return next((role for role in reversed(ROLES) if role in roles), None)


def allow_faults(allow: tuple[str, ...] | None) -> Iterator[Fault]:
    """Yield what is wrong with a list without which everybody may; a fault's subject is a key: `allow[0]`."""
    if allow == ():
        yield Fault("allow", "names nobody", 'for admins alone allow = ["role:admin"]; leave it out for everybody')
    yield from (fault._replace(subject=f"allow{fault.subject}") for fault in whom_faults(allow or ()))


def whom_faults(whom: tuple[str, ...]) -> Iterator[Fault]:
    """Yield what is wrong with a list of those who may; a fault's subject is the place in it: `[0]`."""
    for index, text in enumerate(whom):
        kind, colon, name = text.partition(":")
        if text == EVERYBODY or (colon and name and kind in KINDS and (kind != "role" or name in ROLES)):
            continue
        hint = near(name, ROLES) if kind == "role" else WHO
        yield Fault(f"[{index}]", f"cannot be {text[:40]!r}", hint)
