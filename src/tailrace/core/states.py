"""Where a run is in its life: one table, and nothing else decides.

The docs' diagram is generated from `TABLE`. An event that a state does not list raises `IllegalTransition` and changes
nothing (the shape is h11's `_state.py`).
"""

from enum import StrEnum

from tailrace.core.errors import IllegalTransition


class State(StrEnum):
    """The five states; a run only ever moves down this list."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"


class Event(StrEnum):
    """What can happen to a run."""

    CLAIM = "claim"
    """a keeper took it"""
    START = "start"
    """the command runs"""
    FAIL = "fail"
    """the command could not be started"""
    STOP = "stop"
    """somebody, or a limit, wants it ended: the ladder begins"""
    END = "end"
    """the command ended and its output is complete"""
    CANCEL = "cancel"
    """it left the queue unstarted"""
    LOSE = "lose"
    """its keeper is gone"""


TABLE: dict[State, dict[Event, State]] = {
    State.QUEUED: {Event.CLAIM: State.STARTING, Event.CANCEL: State.FINISHED},
    State.STARTING: {Event.START: State.RUNNING, Event.FAIL: State.FINISHED, Event.LOSE: State.FINISHED},
    State.RUNNING: {Event.STOP: State.STOPPING, Event.END: State.FINISHED, Event.LOSE: State.FINISHED},
    State.STOPPING: {Event.STOP: State.STOPPING, Event.END: State.FINISHED, Event.LOSE: State.FINISHED},
    State.FINISHED: {},
}


def after(state: State, event: Event) -> State:
    """Return the state that `event` leads to.

    Raises:
        IllegalTransition: the table has no such event in this state; the run is unchanged.
    """
    try:
        return TABLE[state][event]
    except KeyError:
        allowed = ", ".join(TABLE[state]) or "nothing"
        raise IllegalTransition(
            f"a run that is {state} cannot {event}", op=event, subject=state, hint=f"possible here: {allowed}"
        ) from None


def diagram() -> str:
    """Return the table as a Mermaid state diagram, as the docs show it."""
    rows = [f"    {state} --> {to}: {event}" for state, events in TABLE.items() for event, to in events.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {State.QUEUED}", *rows, f"    {State.FINISHED} --> [*]"]) + "\n"
