"""What whoever looks after a server asks it, and reads of it."""

import asyncio
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from tailrace.config.load import load
from tailrace.server.app import ServerApp
from tailrace.web.loop.hall import hall_of
from tailrace.web.loop.sinks import Message, Scope
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving, raw

LINE = msgspec.json.Decoder(dict[str, object])


def test_it_is_healthy_and_ready(serving: Serving) -> None:
    """Before anything has run, too."""
    assert serving.ask("/healthz").status == 200
    assert serving.ask("/readyz").status == 200


def test_it_is_not_ready_without_its_runs(serve: Serve, state_dir_file: str) -> None:
    """A state directory that cannot be used is told, and its place is not; the server itself answers."""
    serving = serve(f'state_dir = "{state_dir_file}"', env={"TAILRACE_STATE": ""})
    answer = serving.ask("/readyz")
    assert answer.status in (500, 503)
    assert state_dir_file.encode() not in answer.body
    assert serving.ask("/healthz").status == 200


def test_it_is_not_ready_while_it_leaves(state_dir: Path) -> None:
    """Nor does it pretend to be on a connection that is still there."""
    told: list[Message] = []

    async def ask() -> None:
        async def send(message: Message) -> None:
            told.append(message)

        hall_of(asyncio.get_running_loop()).leave()
        app = ServerApp(load(None, flags={"auth": "none", "state_dir": str(state_dir)}))
        scope: Scope = {"type": "http", "method": "GET", "path": "/readyz", "headers": [], "client": None}
        await app(scope, _nothing, send)

    asyncio.run(ask())
    assert told[0]["status"] == 503


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def test_the_metrics_can_be_read(serving: Serving) -> None:
    """By Prometheus's own parser: runs by state, viewers by wire and by which path they are served."""
    run_id = serving.start("wait")
    with serving.asking(f"/api/runs/{run_id}/output?format=sse") as response:
        assert response.readline()
        found = wait_for(lambda: _running(serving))
        assert found is not None
        assert found["tailrace_viewers", ("lent", "sse")] == 1
        assert found["tailrace_streams_total", ("lent", "sse")] == 1
        assert found["tailrace_sent_bytes_total", ()] > 0
        assert found["tailrace_fanout_seconds_count", ()] >= 0
    wait_for(lambda: _metrics(serving)["tailrace_viewers", ("lent", "sse")] == 0)
    assert _metrics(serving)["tailrace_stream_ends_total", ("left",)] == 1


def test_the_access_log_has_a_line_for_each_request_and_no_query(serving: Serving) -> None:
    """A query may hold what is nobody's business, and a path what a terminal would obey."""
    serving.ask("/healthz?secret=1")
    raw(serving, b"GET /%1b%5b31m%0a HTTP/1.0\r\nHost: localhost\r\n\r\n")
    wait_for(lambda: len(serving.err().splitlines()) == 2)
    first, second = serving.err().splitlines()
    assert first.partition(" ")[2].startswith("127.0.0.1 GET /healthz 200 in ")
    assert r"/\x1b[31m\n 404" in second
    assert "secret" not in serving.err()


def test_the_log_as_json(serve: Serve) -> None:
    """Each line is an object with the same fields."""
    serving = serve('log_format = "json"')
    serving.ask("/nothing?secret=1")
    line = wait_for(lambda: serving.err().strip())
    fields = LINE.decode(line)
    assert (fields["path"], fields["status"], fields["method"]) == ("/nothing", 404, "GET")
    assert {"time", "level", "logger", "message", "address", "ms"} <= set(fields)
    assert "secret" not in line


def test_no_access_log(serve: Serve) -> None:
    """It can be left out."""
    serving = serve("access_log = false")
    serving.ask("/healthz")
    assert serving.stop() == 0
    assert "healthz" not in serving.err()


def _running(serving: Serving) -> dict[tuple[str, tuple[str, ...]], float] | None:
    """Return the metrics, once they tell of the run."""
    found = _metrics(serving)
    return found if found["tailrace_runs", ("running",)] == 1 else None


def _metrics(serving: Serving) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the samples by name and the values of their labels, in the order of the labels."""
    families = text_string_to_metric_families(serving.ask("/metrics").body.decode())
    return {
        (sample.name, tuple(value for _name, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }
