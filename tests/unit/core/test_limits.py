"""How many runs there may be, and what one may use: the rules, without any run."""

from collections.abc import Callable

import pytest

from tailrace.core.errors import LimitReached
from tailrace.core.limits import (
    MOST_PROCESSES,
    Allowance,
    Count,
    Limits,
    Member,
    Quota,
    Resources,
    Scope,
    check_admission,
    is_within,
    least,
    quota_faults,
    resource_faults,
)

ANN = Member("build", "ann")
NOW_US = 1_000_000_000_000
S = 1_000_000


def refused(quota: Quota, count: Count) -> LimitReached:
    """Return the refusal."""
    with pytest.raises(LimitReached) as caught:
        check_admission(quota, count, ANN, NOW_US)
    return caught.value


@pytest.mark.parametrize(
    ("quota", "unfinished"),
    [
        (Quota(Scope.ALL), 10_000),
        (Quota(Scope.ALL, running=2), 10_000),
        (Quota(Scope.COMMAND, running=2, queued=0), 1),
        (Quota(Scope.COMMAND, running=2, queued=3), 4),
    ],
)
def test_there_is_room(quota: Quota, unfinished: int) -> None:
    """Below its numbers, or without them, a quota lets a run pass."""
    check_admission(quota, Count(unfinished, ()), ANN, NOW_US)


def test_too_many_at_once() -> None:
    """It is said which limit it is, whose, and when to try again."""
    error = refused(Quota(Scope.COMMAND, running=1, queued=0), Count(1, ()))
    assert (error.subject, error.retry_s) == ("max_running", 10)
    assert error.message == "only 1 run of build may go at a time, and none may wait"
    error = refused(Quota(Scope.USER, running=2, queued=3), Count(5, ()))
    assert error.subject == "max_queued"
    assert error.message == "only 2 runs of ann may go at a time, and 3 more wait already"
    assert "try again in 10 s" in error.hint


def test_too_many_a_minute() -> None:
    """The time to wait is until the one leaves the minute whose place is needed."""
    quota = Quota(Scope.ALL, starts_per_minute=2)
    check_admission(quota, Count(0, (NOW_US - 61 * S, NOW_US - 5 * S)), ANN, NOW_US)
    error = refused(quota, Count(0, (NOW_US - 50 * S, NOW_US - 30 * S)))
    assert (error.subject, error.retry_s) == ("max_starts_per_minute", 10)
    error = refused(quota, Count(0, (NOW_US - 50 * S, NOW_US - 30 * S, NOW_US - 20 * S)))
    assert error.retry_s == 30
    assert refused(Quota(Scope.ALL, starts_per_minute=0), Count(0, ())).retry_s == 60


@pytest.mark.parametrize(
    ("scope", "other", "is_counted"),
    [
        (Scope.COMMAND, Member("build", "bob"), True),
        (Scope.COMMAND, Member("test", "ann"), False),
        (Scope.USER, Member("test", "ann"), True),
        (Scope.USER, Member("build", None), False),
        (Scope.ALL, Member(None, None), True),
    ],
)
def test_scopes(scope: Scope, other: Member, *, is_counted: bool) -> None:
    """A quota counts the runs of its scope, and no others."""
    assert is_within(scope, other, ANN) == is_counted


def test_the_stricter_holds() -> None:
    """Of two limits of one thing the smaller counts; where one says nothing, the other does."""
    one = Resources(cpu_s=5, memory=100, processes=None, open_files=10)
    other = Resources(cpu_s=9, memory=50, processes=7)
    assert least(one, other) == Resources(cpu_s=5, memory=50, processes=7, open_files=10)


@pytest.mark.parametrize(
    ("faults", "names"),
    [
        (lambda: quota_faults(None, None, None), []),
        (lambda: quota_faults(1, 0, 0), []),
        (lambda: quota_faults(0, -1, -1), ["max_running", "max_queued", "max_starts_per_minute"]),
        (lambda: quota_faults(None, 3, None), ["max_queued"]),
        (lambda: resource_faults(Resources()), []),
        (lambda: resource_faults(Resources(0.5, 1 << 20, 1, 8)), []),
        (
            lambda: resource_faults(Resources(0, 1, 0, 7)),
            ["max_cpu", "max_memory", "max_processes", "max_open_files"],
        ),
        (lambda: resource_faults(Resources(processes=MOST_PROCESSES + 1)), ["max_processes"]),
        (lambda: resource_faults(Resources(float("nan"))), ["max_cpu"]),
    ],
)
def test_numbers_that_make_no_sense(faults: Callable[[], list[tuple[str, str, str]]], names: list[str]) -> None:
    """Each is told by its name, with a cure."""
    found = list(faults())
    assert [subject for subject, _message, _hint in found] == names
    assert all(hint for _subject, _message, hint in found)


def test_rows_of_a_file() -> None:
    """Only rows that say something are carried by runs."""
    assert Limits().quotas == ()
    limits = Limits(max_running=5, user=Allowance(max_starts_per_minute=3))
    assert limits.quotas == (Quota(Scope.USER, starts_per_minute=3), Quota(Scope.ALL, running=5))
