"""A hook's command: a run of its own, like any other, which has what is told on its standard input.

It is labelled `hook`, with the hook's name, and told to no hook itself. How it ends is recorded with it; it is not run
again for having failed, only if it could not be started, or not be told all: then it is stopped first. A run that has
these labels already is this one's: whoever started it was killed before that was noted.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from tailrace.core.errors import TailraceError, WrongState
from tailrace.core.hook import EVENT, LABEL, RUN, Hook
from tailrace.core.outcome import Cancelled, Stopped
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.engine.base import Engine, Query
from tailrace.engine.run import Run
from tailrace.hooks.outbox import Delivery
from tailrace.hooks.webhook import NotDelivered

BY: Final = "hook"
PAUSE_S: Final = 0.05
PATIENCE_S: Final = 5.0
"""for a run's turn to come, before others are seen to"""
WAITING: Final = (State.QUEUED, State.STARTING)


def run(
    engine: Engine, hook: Hook, delivery: Delivery, is_ending: Callable[[], bool], private: Iterable[str] = ()
) -> bool:
    """Run the hook's command, once, however often this is called; does not wait for its end.

    Args:
        engine: where it runs.
        hook: whose command.
        delivery: what is told to it.
        is_ending: whether nobody can wait any longer.
        private: variables of our own environment that it does not get: in its output they would be in the clear.

    Returns:
        whether it has what is told; False: it waits for its turn, and this is to be called again.

    Raises:
        NotDelivered: it could not be started, or not be told; then it has been stopped.
    """
    try:
        started = _run_of(engine, hook, delivery, private)
        if not _is_its_turn(started, is_ending):
            return False
    except TailraceError as error:
        raise NotDelivered(error.message) from None
    try:
        started.send(delivery.body.encode())
        started.close_input()
    except WrongState:
        return True  # it is over already, or has closed its input: it did not want to know, or knows
    except TailraceError as error:
        raise NotDelivered(f"{error.message}{_abandoned(started)}") from None
    return True


def _abandoned(started: Run) -> str:
    """Stop a run that was not told all, as another will be; return what is to be said of that."""
    try:
        started.stop(by=BY)
    except TailraceError as error:
        return f"; run {started.id} goes on: {error.message}"
    return ""


def _run_of(engine: Engine, hook: Hook, delivery: Delivery, private: Iterable[str]) -> Run:
    """Return the run that is told this, which may have been started before.

    Raises:
        TailraceError: it cannot be found or started.
    """
    by, labels = f"{BY} {hook.name}", {RUN: delivery.run, EVENT: delivery.event, LABEL: hook.name}  # the first finds it
    found = engine.list(Query(by=by, labels=labels, limit=1)).runs
    if found and not _is_abandoned(found[0]):
        return Run(engine, found[0].id)
    env = dict.fromkeys(private)
    return engine.start(hook.argv, by=by, labels=labels, stdin=True, timeout=hook.timeout, env=env)


def _is_abandoned(info: RunInfo) -> bool:
    """Tell whether we have stopped it, as it was not told all."""
    return info.stopped_by == BY or (isinstance(info.outcome, Stopped | Cancelled) and info.outcome.by == BY)


def _is_its_turn(started: Run, is_ending: Callable[[], bool]) -> bool:
    """Wait until it has left the queue, before which it takes no input; tell whether it has."""
    deadline = time.monotonic() + PATIENCE_S
    while started.info().state in WAITING:
        if is_ending() or time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE_S)
    return True
