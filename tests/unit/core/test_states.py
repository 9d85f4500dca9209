"""The state table."""

import pytest

from tailrace.core.errors import IllegalTransition
from tailrace.core.states import TABLE, Event, State, after, diagram

LEGAL = {
    (State.QUEUED, Event.CLAIM): State.STARTING,
    (State.QUEUED, Event.CANCEL): State.FINISHED,
    (State.STARTING, Event.START): State.RUNNING,
    (State.STARTING, Event.FAIL): State.FINISHED,
    (State.STARTING, Event.LOSE): State.FINISHED,
    (State.RUNNING, Event.STOP): State.STOPPING,
    (State.RUNNING, Event.END): State.FINISHED,
    (State.RUNNING, Event.LOSE): State.FINISHED,
    (State.STOPPING, Event.STOP): State.STOPPING,
    (State.STOPPING, Event.END): State.FINISHED,
    (State.STOPPING, Event.LOSE): State.FINISHED,
}
"""written out once more, so that a change of the table is a change of a test"""

EVERY = [(state, event) for state in State for event in Event]


@pytest.mark.parametrize(("state", "event"), EVERY)
def test_each_event_in_each_state(state: State, event: Event) -> None:
    """It leads where the table says, or raises and says what would be possible."""
    if (state, event) in LEGAL:
        assert after(state, event) is LEGAL[state, event]
        return
    with pytest.raises(IllegalTransition) as caught:
        after(state, event)
    assert (caught.value.op, caught.value.subject) == (event, state)
    assert all(possible in caught.value.hint for possible in TABLE[state])


def test_every_state_has_a_row() -> None:
    """A new state cannot be forgotten."""
    assert list(TABLE) == list(State)


def test_a_run_only_moves_on() -> None:
    """No event leads back, so whoever saw a state never sees an earlier one."""
    order = list(State)
    assert all(order.index(to) >= order.index(state) for (state, _), to in LEGAL.items())


def test_every_state_is_reached_and_left() -> None:
    """Only `finished` is final, and every other state leads there in the end."""
    reached = {State.QUEUED}
    for _ in State:
        reached |= {to for (state, _), to in LEGAL.items() if state in reached}
    assert reached == set(State)
    assert [state for state in State if not TABLE[state]] == [State.FINISHED]
    assert all(State.FINISHED in TABLE[state].values() for state in State if state is not State.FINISHED)


def test_the_diagram_shows_the_table() -> None:
    """The docs' picture has each transition once, and nothing else."""
    lines = diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    arrows = {f"    {state} --> {to}: {event}" for (state, event), to in LEGAL.items()}
    assert sorted(lines[1:]) == sorted([*arrows, "    [*] --> queued", "    finished --> [*]"])
