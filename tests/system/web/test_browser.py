"""Chromium's own EventSource."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tailrace
from tailrace import Query
from tests.support.browser import DEADLINE_S
from tests.support.wait import wait_for
from tests.system.web.gate import gated, query
from tests.system.web.server import Server


@pytest.mark.parametrize("kind", ["werkzeug", "gthread"])
def test_a_browser_sees_every_line_once_across_a_restart(
    serve: Callable[[str], Server],
    browse: Callable[[str], None],
    state_dir: Path,
    reports: Path,
    kind: str,
) -> None:
    """The server is killed half way and comes back: no line is missing or twice, one run, and the browser stops."""
    gate = reports / "gate"
    server = serve(kind)
    browse(server.url + "/page" + query(gated("seq 20; echo half", gate, "seq 21 40")))
    wait_for((reports / "half").exists, DEADLINE_S)
    server.kill()
    gate.touch()
    engine = tailrace.connect(state_dir)
    wait_for(lambda: all(run.is_finished for run in engine.list(Query()).runs))
    server.restart()
    wait_for((reports / "done").exists, DEADLINE_S)
    report = json.loads((reports / "done").read_bytes())
    assert report == {"seen": [*map(str, range(1, 21)), "half", *map(str, range(21, 41))], "ended": 1}
    [run] = engine.list(Query()).runs
    half = len("".join(f"{number}\n" for number in range(1, 21)) + "half\n")
    assert (reports / "requests").read_text().splitlines() == [
        "GET /start '-'",
        f"GET /start '{run.id}/{half}'",
        f"GET /start '{run.id}/{run.size}/end'",
    ]
