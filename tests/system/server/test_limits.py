"""How many viewers there may be."""

import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path

import msgspec
import pytest

import tailrace
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

PROBLEM = msgspec.json.Decoder(dict[str, object])
UPGRADING = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}  # fmt: skip


@pytest.mark.parametrize("setting", ["max_viewers_per_run", "max_viewers_per_address"])
def test_more_viewers_than_are_let_in(serve: Serve, setting: str) -> None:
    """They are told when to come back; when one has left, there is room. What is no stream is not counted."""
    serving = serve(f"{setting} = 2")
    output = f"/api/runs/{serving.start('wait')}/output?format=sse"
    with serving.asking(output) as first:
        with serving.asking(output) as second:
            refused = serving.ask(output)
            assert (first.status, second.status, refused.status) == (200, 200, 429)
            assert refused.headers["retry-after"] == "10"
            assert PROBLEM.decode(refused.body)["hint"]
            assert serving.ask("/api/runs").status == 200
        wait_for(lambda: _is_let_in(serving, output))


def test_nothing_is_started_for_one_viewer_too_many(serve: Serve) -> None:
    """It is told to come back, and would start it again then. Who does not want to watch may start it."""
    serving = serve("max_viewers_per_address = 1")
    start, sse = "/api/commands/wait/runs", {"Accept": "text/event-stream"}
    with serving.asking(start, "POST", headers=sse) as first:
        assert first.status == 200
        assert serving.post(start, headers=sse).status == 429
        assert len(tailrace.connect().list(tailrace.Query()).runs) == 1
        assert serving.post(start).status == 201


VIEWS = ("/api/runs/{run}/output?format=sse", "/api/events?run={run}", "/api/events?list=1", "/api/runs/{run}/socket")
"""ways to watch; the last is opened as a websocket"""


@pytest.mark.parametrize("view", VIEWS)
def test_viewers_of_all_workers_are_counted_together(serve: Serve, view: str) -> None:
    """Whatever they watch, and on whatever wire; who leaves makes room, however he leaves."""
    serving = serve("workers = 3\n[limits]\nmax_viewers = 2")
    path = view.format(run=serving.start("wait"))
    headers = UPGRADING if path.endswith("/socket") else {}
    with ExitStack() as stack:
        for _ in range(2):
            assert stack.enter_context(serving.asking(path, headers=headers)).status in {101, 200}
        for _ in range(6):
            refused = serving.ask(path, headers=headers)
            assert (refused.status, refused.headers["retry-after"]) == (429, "10")
            assert PROBLEM.decode(refused.body)["limit"] == "max_viewers"
    wait_for(lambda: _are_let_in(serving, path, headers))


def test_viewers_of_a_command_and_of_a_user(serve: Serve) -> None:
    """Those of another command are let in; a run is not started for who could not watch it, but for who does not."""
    two = "[commands.two]\nargv = ['sleep', '1000']\nmax_viewers = 1\n"
    serving = serve(f"[limits.user]\nmax_viewers = 3\n{two}")
    run, other = serving.start("two"), serving.start("wait")
    with serving.asking(f"/api/runs/{run}/output") as first:
        assert first.status == 200
        refused = serving.ask(f"/api/events?run={other}&run={run}")
        assert (refused.status, PROBLEM.decode(refused.body)["detail"]) == (
            429,
            "there is 1 viewer of two already, as many as are let in",
        )
        start = "/api/commands/two/runs"
        assert serving.post(start, headers={"Accept": "text/event-stream"}).status == 429
        assert serving.post(start).status == 201
        assert len(tailrace.connect().list(tailrace.Query()).runs) == 3
        with serving.asking(f"/api/runs/{other}/output"), serving.asking("/api/events?list=1"):
            refused = serving.ask(f"/api/runs/{other}/output")
            assert "of those who have no name" in str(PROBLEM.decode(refused.body)["detail"])


def test_a_worker_that_is_killed_leaves_no_viewers(serve: Serve) -> None:
    """What it counted goes with it."""
    serving = serve("workers = 2\n[limits]\nmax_viewers = 1")
    path = f"/api/runs/{serving.start('wait')}/output"
    with serving.asking(path) as first:
        assert (first.status, serving.ask(path).status) == (200, 429)
        for pid in _children(serving.process.pid):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: _is_let_in(serving, path))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _are_let_in(serving: Serving, path: str, headers: Mapping[str, str]) -> bool:
    """Tell whether two are, at the same time."""
    with serving.asking(path, headers=headers) as first, serving.asking(path, headers=headers) as second:
        return {first.status, second.status} <= {101, 200}


def _is_let_in(serving: Serving, path: str) -> bool:
    try:
        with serving.asking(path) as response:
            return response.status == 200
    except (OSError, HTTPException):  # a worker that has just been killed
        return False
