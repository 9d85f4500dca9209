"""What a caller may do, told beforehand: a page does not offer what would be refused.

It is told, not decided, here: each request is asked about anew, at the door.
"""

from datetime import UTC, datetime
from typing import Final

from tailrace.core.access import Action
from tailrace.core.command import Command
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec, Stdio
from tailrace.web.page.given import Who
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, Instead, json_response

OF_RUNS: Final[tuple[Action, ...]] = ("view", "stop", "input", "pin", "share")
OF_COMMANDS: Final[tuple[Action, ...]] = ("list", "start")
AT_ALL: Final[tuple[Action, ...]] = ("list", "view", "start", "stop", "input", "pin", "share")
SESSION: Final = "session"
"""how whoever has logged in here comes in"""


def on_run(call: Call, info: RunInfo, spec: Spec | None) -> tuple[Action, ...]:
    """Return what the caller may do to the run. To one that takes no input, nobody may give any.

    Args:
        call: who asks.
        info: the run.
        spec: what it was asked to be; None: that is not known.
    """
    return tuple(action for action in OF_RUNS if _is_possible(call, action, spec) and _may(call, action, info))


def on_command(call: Call, command: Command) -> tuple[Action, ...]:
    """Return what the caller may do to the command."""
    return tuple(each for each in OF_COMMANDS if _may(call, each, None) and _may_command(call, each, command))


def at_all(call: Call) -> tuple[Action, ...]:
    """Return what the caller may do to some run, or command."""
    return tuple(action for action in AT_ALL if _is_made(call, action) and _may(call, action, None))


def who(call: Call) -> Who:
    """Return who asks, and what he may."""
    found = call.who
    if found is None:
        return Who(name=call.request.user or None, may=at_all(call), sees_all=call.sees_all)
    return Who(
        name=found.name,
        role=found.role,
        via=found.via,
        until=None if found.until is None else datetime.fromtimestamp(found.until, UTC),
        may=at_all(call),
        sees_all=call.sees_all,
        can_leave=found.via == SESSION,
    )


def show_me(call: Call) -> Response:
    """Return who asks, and what he may."""
    return json_response(who(call))


def _is_made(call: Call, action: Action) -> bool:
    """Tell whether there is such a thing here: links to runs are not made everywhere."""
    return action != "share" or call.sharing is not None


def _is_possible(call: Call, action: Action, spec: Spec | None) -> bool:
    if action == "input":
        return spec is not None and (spec.stdin or spec.stdio is Stdio.PTY)
    return _is_made(call, action)


def _may(call: Call, action: Action, info: RunInfo | None) -> bool:
    """Tell whether the caller may do this to any run, and, where one is named, to it; see `door`."""
    try:
        return call.may(action, None) and (info is None or call.may(action, info))
    except Instead:
        return False


def _may_command(call: Call, action: Action, command: Command) -> bool:
    try:
        return call.may_command(action, command)
    except Instead:
        return False
