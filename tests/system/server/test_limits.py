import msgspec
import pytest

import tailrace
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving


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
            assert msgspec.json.Decoder(dict[str, object]).decode(refused.body)["hint"]
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


def _is_let_in(serving: Serving, path: str) -> bool:
    with serving.asking(path) as response:
        return response.status == 200
