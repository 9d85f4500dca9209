"""What viewers are told of a run whose command minds no INT, and is stopped by `test`."""

from collections.abc import Iterable

import msgspec

from tailrace import RunInfo
from tests.unit.core.wires.event_source import Event

_RUNS = msgspec.json.Decoder(RunInfo)


def assert_stopped_by_ladder(events: Iterable[Event]) -> None:
    """See that the run was being stopped, by INT, then by KILL, and ended; each once."""
    runs = [_RUNS.decode(event.data) for event in events if event.type in ("state", "end")]
    told = [(run.state, [step.signal for step in run.ladder]) for run in runs]
    ended = ("finished", ["INT", "KILL"])
    assert told[-2:] in ([("stopping", ["INT"]), ended], [("stopping", ["INT", "KILL"]), ended])
    assert runs[-2].stopped_by == "test"
    assert all(told[n] != told[n + 1] for n in range(len(told) - 1)), "nothing is told twice"
