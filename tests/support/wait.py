"""Waiting for a condition, with a deadline; the only way in which a test lets time pass."""

import inspect
import select
import time
from collections.abc import Callable
from typing import TypeVar

FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.05

T = TypeVar("T")


class DeadlinePassed(AssertionError):
    """The condition did not come true in time."""


def wait_for(condition: Callable[[], T], deadline: float = 30.0, *, what: str | None = None) -> T:
    """Return the condition's first true value.

    The deadline is there to end a test that hangs, not to measure: leave it generous.

    Args:
        condition: called again and again, after pauses that grow from 1 to 50 ms. What it raises, this raises.
        deadline: seconds after which to give up. The condition is called once more when they are over.
        what: what is waited for, for the failure's text; the condition's own source, if left out.

    Raises:
        DeadlinePassed: the condition was false for all that time. Says what was waited for, and the last value.
    """
    begun = time.monotonic()
    pause_s = FIRST_PAUSE_S
    while True:
        is_last = time.monotonic() - begun >= deadline
        value = condition()
        if value:
            return value
        if is_last:
            raise DeadlinePassed(f"waited {deadline:g} s for {what or _source_of(condition)}; at last it was {value!r}")
        select.select([], [], [], pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _source_of(condition: Callable[[], T]) -> str:
    """Return the lines that define the condition, in one; or its representation where there are none."""
    try:
        return " ".join(inspect.getsource(condition).split())
    except (OSError, TypeError):
        return repr(condition)
