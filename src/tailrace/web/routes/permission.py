"""Whether a caller may do something: to any run, to view this one, to do it to this one; in this order, always."""

import dataclasses
from collections.abc import Collection
from http import HTTPStatus

from tailrace.core.access import Action
from tailrace.core.command import Command
from tailrace.core.errors import UnknownCommand, UnknownRun
from tailrace.core.run import RunInfo
from tailrace.web.routes.account import note_command, note_hidden, note_no_command, note_run
from tailrace.web.routes.call import Call, Refused


def check(call: Call, action: Action, info: RunInfo | None) -> None:
    """See that the caller may do this to any run (None), or to this one.

    Raises:
        Refused: he may not.
        Instead: the application answers itself.
    """
    if not call.may(action, info):
        what = "any run" if info is None else "this run"
        raise Refused(
            HTTPStatus.FORBIDDEN, f"you may not {action} {what}" if action != "list" else "you may not list runs",
            "ask whoever looks after this application",
        )  # fmt: skip


def viewable(call: Call, run_id: str) -> RunInfo:
    """Return the run as it is now.

    Raises:
        UnknownRun: it is not there, or not for this caller, who cannot tell the one from the other.
        Instead: the application answers itself.
    """
    try:
        info = call.engine().get(run_id)
    except UnknownRun:
        raise _no_run(run_id) from None
    if not call.may("view", info):
        note_hidden(call, info.id)
        raise _no_run(run_id)
    return info


def for_run(call: Call, action: Action, run_id: str) -> Call:
    """Return the call with its run, to which the caller may do this.

    Raises:
        UnknownRun: see `viewable`.
        Refused: he may view the run, and not do this to it.
        Instead: the application answers itself.
    """
    info = viewable(call, run_id)
    note_run(call, info.id)
    if action != "view":
        check(call, action, info)
    return dataclasses.replace(call, info=info)


def for_command(call: Call, action: Action, name: str) -> Call:
    """Return the call with its command, to which the caller may do this.

    Raises:
        UnknownCommand: it is not declared, or not for this caller, who cannot tell the one from the other.
        Refused: he may know of it, and not do this to it.
        Instead: the application answers itself.
    """
    try:
        command = call.commands.find(name)
    except UnknownCommand:
        note_no_command(call, name)
        raise
    note_command(call, command.name)
    if action != "list" and not call.may_command(action, command):
        raise Refused(
            HTTPStatus.FORBIDDEN, f"you may not {action} {command.name}", "ask whoever looks after this application"
        )
    return dataclasses.replace(call, command=command)


def with_known_commands(call: Call) -> Call:
    """Return the call with those commands that the caller may list, or start; of others he is told nothing.

    Raises:
        Refused: nobody knows who asks.
        Instead: the application answers itself.
    """
    return dataclasses.replace(
        call,
        commands=call.commands.only(
            lambda command: call.may_command("list", command) or call.may_command("start", command)
        ),
    )


def undecided(action: Action, command: Command) -> bool:
    """Decide on a command where the application does not: one that is not for everybody is started by nobody."""
    return action != "start" or command.allow is None


def _no_run(run_id: str) -> UnknownRun:
    return UnknownRun(
        f"there is no run {run_id[:40]!r} here",
        op="find",
        subject=run_id[:40],
        hint="the list of runs has those that there are",
    )


def checked_names(authorize: object, hosts: Collection[str], *, is_open: bool) -> frozenset[str] | None:
    """Return the names by which an API that is mounted so may be asked; None: any.

    Args:
        authorize: what decides who may do what; None: nothing does.
        hosts: names, besides addresses and those of this machine.
        is_open: whether everybody may do anything, and whoever mounts it has said so.

    Raises:
        TypeError: neither says who may, or both do.
    """
    if (authorize is None) != is_open or not (authorize is None or callable(authorize)):
        raise TypeError(
            "blueprint() needs authorize=…, a function that says who may do what; "
            "or, for everybody who can reach the server, open=True instead"
        )
    if isinstance(hosts, str):
        raise TypeError(f"hosts must be a list of names: [{hosts!r}]")
    return frozenset(host.lower() for host in hosts) if hosts or is_open else None
