"""A hook's command: a run of its own, like any other, which has what is told on its standard input.

It is labelled `hook`, with the hook's name, and told to no hook itself. How it ends is recorded with it; it is not run
again for having failed, only if it could not be started.
"""

import time
from typing import Final

from tailrace.core.errors import TailraceError, WrongState
from tailrace.core.hook import LABEL, Hook
from tailrace.core.states import State
from tailrace.engine.base import Engine
from tailrace.engine.run import Run
from tailrace.hooks.outbox import Delivery
from tailrace.hooks.webhook import NotDelivered

BY: Final = "hook"
PAUSE_S: Final = 0.05
WAITING: Final = (State.QUEUED, State.STARTING)


def run(engine: Engine, hook: Hook, delivery: Delivery) -> None:
    """Run the hook's command; returns when it has what is told, and does not wait for its end.

    Raises:
        NotDelivered: it could not be started, or not be told; then it has been stopped.
    """
    labels = {LABEL: hook.name, "hook-event": delivery.event, "hook-run": delivery.run}
    try:
        started = engine.start(hook.argv, by=f"{BY} {hook.name}", labels=labels, stdin=True, timeout=hook.timeout)
    except TailraceError as error:
        raise NotDelivered(error.message) from None
    try:
        _wait_for_turn(started)
        started.send(delivery.body.encode())
        started.close_input()
    except WrongState:
        return  # it is over already, or has closed its input: it did not want to know
    except TailraceError as error:
        raise NotDelivered(f"{error.message}{_abandoned(started)}") from None


def _abandoned(started: Run) -> str:
    """Stop a run that was not told all, as another will be; return what is to be said of that."""
    try:
        started.stop(by=BY)
    except TailraceError as error:
        return f"; run {started.id} goes on: {error.message}"
    return ""


def _wait_for_turn(started: Run) -> None:
    """Wait until it has left the queue: before, it takes no input."""
    while started.info().state in WAITING:
        time.sleep(PAUSE_S)
