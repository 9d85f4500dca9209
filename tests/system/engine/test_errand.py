"""A hook's command that cannot be told what it is for."""

import time
from pathlib import Path

import pytest

from tailrace.core.errors import EngineUnavailable
from tailrace.core.hook import Hook
from tailrace.core.outcome import Exited, Stopped
from tailrace.engine.base import Query, Request
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.hooks import errand
from tailrace.hooks.outbox import Delivery
from tailrace.hooks.webhook import NotDelivered
from tailrace.host.messages import Input


class Deaf(DiskEngine):
    """One whose runs cannot be sent anything."""

    def control(self, run_id: str, request: Request) -> None:
        """See `Engine.control`."""
        if isinstance(request, Input):
            raise EngineUnavailable("nothing can be sent", op="control", subject=run_id, hint="try again later")
        super().control(run_id, request)


def test_a_run_that_was_not_told_is_stopped(state_dir: Path) -> None:
    """Before it is tried again: no run waits for an input that never comes. Then another is told."""
    engine = Deaf(state_dir)
    hook = Hook(name="h", on=("finished",), argv=("cat",))
    delivery = Delivery(id="d", hook="h", event="finished", run="r", since=time.time(), body="{}")
    with pytest.raises(NotDelivered, match="nothing can be sent"):
        errand.run(engine, hook, delivery, lambda: False)
    (info,) = engine.list(Query()).runs
    assert Run(engine, info.id).wait(timeout=60).outcome == Stopped("hook")
    hearing = DiskEngine(state_dir)
    assert errand.run(hearing, hook, delivery, lambda: False)
    told = hearing.list(Query()).runs[0]
    assert told.id != info.id
    assert Run(hearing, told.id).wait(timeout=60).outcome == Exited(0)
