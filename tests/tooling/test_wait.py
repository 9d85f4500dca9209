"""Waiting for a condition."""

import threading
import time

import pytest

from tests.support.wait import DeadlinePassed, wait_for


def test_returns_the_first_true_value() -> None:
    """The value that ended the wait is the result."""
    values = iter([0, "", None, "ready"])
    assert wait_for(lambda: next(values)) == "ready"


def test_sees_what_another_thread_does() -> None:
    """The wait ends soon after the condition came true."""
    done = threading.Event()
    threading.Timer(0.05, done.set).start()
    assert wait_for(done.is_set) is True


def test_names_what_it_waited_for() -> None:
    """At the deadline the failure says what was waited for, and what was there instead."""
    with pytest.raises(DeadlinePassed, match=r"waited 0\.01 s for the fifth line; at last it was \[\]"):
        wait_for(list, deadline=0.01, what="the fifth line")


def test_shows_the_condition_when_it_has_no_name() -> None:
    """Without a description the condition's source stands for it."""
    lines: list[str] = []
    with pytest.raises(DeadlinePassed, match=r"len\(lines\) == 5"):
        wait_for(lambda: len(lines) == 5, deadline=0)


def test_looks_once_more_at_the_deadline() -> None:
    """A condition that came true during the last pause counts, however late we woke."""
    came_true_at = time.monotonic() + 0.01
    assert wait_for(lambda: time.monotonic() >= came_true_at, deadline=0.01)


def test_lets_the_condition_raise() -> None:
    """What the condition raises is not taken for false."""
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 / 0)
