"""What a viewer gets while the command is silent, and what becomes of a run that nobody watches."""

import json
from pathlib import Path

import pytest

from tailrace import Engine
from tailrace.core.outcome import Exited, Stopped
from tailrace.engine.run import Run
from tests.support.wait import wait_for
from tests.system.web.conftest import EACH_PATH
from tests.system.web.gate import gated, query
from tests.system.web.served import make_app
from tests.system.web.sites import FlaskSite, Site
from tests.unit.core.wires.event_source import EventSource, parse

pytestmark = EACH_PATH


def test_text_gets_interval_messages(app: Site, engine: Engine, tmp_path: Path) -> None:
    """As lines of their own, also behind half a line; without them nothing is added."""
    gate = tmp_path / "gate"
    run = engine.start(gated("echo one; printf half", gate, "echo; echo two"))
    wait_for(lambda: run.info().size == len(b"one\nhalf"))
    response = app.get(f"/paced/{run.id}?interval=0.05")
    seen = b""
    for data in response.pieces:
        seen += data
        if seen.count(b"*** Interval\n") == 2:
            gate.touch()
    response.close()
    rest = seen.replace(b"*** Interval\n", b"")
    assert seen.startswith(b"one\nhalf\n*** Interval\n*** Interval\n")
    assert rest == b"one\nhalf\n\ntwo\n"


@pytest.mark.parametrize("wire", ["lines", "sse", "ndjson"])
def test_events_get_interval_events(app: Site, engine: Engine, tmp_path: Path, wire: str) -> None:
    """An event of its own, so that what a page shows as output is only output."""
    gate = tmp_path / "gate"
    run = engine.start(gated("echo one", gate, "echo two"))
    response = app.get(f"/paced/{run.id}?interval=0.05&format={wire}")
    seen = b""
    for data in response.pieces:
        seen += data
        if seen.count(b"*** Interval") == 2:
            gate.touch()
    response.close()
    assert seen.count(b"*** Interval") >= 2
    if wire == "ndjson":
        rows = [json.loads(row) for row in seen.splitlines()]
        assert {row["text"] for row in rows if row["type"] == "interval"} == {"*** Interval"}
    else:
        assert {event.data for event in parse(seen) if event.type == "interval"} == {"*** Interval"}


def test_a_run_ends_with_its_last_viewer(app: Site, engine: Engine) -> None:
    """Nobody came back in time, so it is stopped, and says why."""
    response = app.get("/with-me" + query(["sh", "-c", "echo up; exec sleep 600"]) + "&unwatched=0.2")
    pieces = iter(response.pieces)
    while b"up\n" not in next(pieces):
        pass
    run = Run(engine, response.headers["Tailrace-Run"])
    assert not run.info().is_finished
    response.close()
    wait_for(lambda: run.info().is_finished)
    assert run.info().outcome == Stopped("the absence of viewers")


def test_another_viewer_keeps_it(app: Site, engine: Engine, state_dir: Path, tmp_path: Path) -> None:
    """It goes on for as long as anybody watches, whoever that is, and in whichever process."""
    gate = tmp_path / "gate"
    response = app.get("/with-me" + query(gated("echo up", gate, "echo done")) + "&unwatched=0.2")
    run = Run(engine, response.headers["Tailrace-Run"])
    other = FlaskSite(make_app(state_dir)).get(f"/paced/{run.id}?format=lines&heartbeat=0.1")
    client = EventSource()
    for data in other.pieces:
        client.read(data)
        if client.comments == 1:
            response.close()
        elif client.comments == 6:  # two limits of time later
            gate.touch()
    other.close()
    assert [event.data for event in client.events if event.type == "message"] == ["up", "done"]
    assert run.info().outcome == Exited(0)
