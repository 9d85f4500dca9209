from datetime import UTC, datetime

import pytest

from tailrace.core.hook import has_failed
from tailrace.core.outcome import Cancelled, Exited, Lost, Outcome, OutputLimit, Signaled, Stopped, TimedOut, limited
from tailrace.core.run import RunInfo
from tailrace.core.states import State


@pytest.mark.parametrize(
    ("outcome", "is_failure"),
    [
        (Exited(0), False),
        (Exited(1), True),
        (Signaled(9), True),
        (TimedOut("wall"), True),
        (OutputLimit(), True),
        (Stopped("ann"), False),
        (limited("memory"), True),
        (Cancelled(), False),
        (Lost("its keeper died"), True),
    ],
)
def test_what_nobody_wanted_is_a_failure(outcome: Outcome, *, is_failure: bool) -> None:
    """A limit's end is one, of memory as well as of time; what somebody stopped or cancelled is none."""
    info = RunInfo(
        id="r", command=None, argv=("true",), state=State.FINISHED, outcome=outcome, created=datetime.now(UTC)
    )  # fmt: skip
    assert has_failed(info) is is_failure
