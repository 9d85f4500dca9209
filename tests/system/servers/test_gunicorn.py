"""gunicorn's workers: several, reloaded, stopped; and those that cannot stream."""

import json
import os
import signal
from pathlib import Path

import pytest

from tailrace import Engine, Query
from tests.support.wait import wait_for
from tests.system.servers.app import WORKER_HEADER
from tests.system.servers.conftest import Serve
from tests.system.servers.kinds import KINDS, SERVE, Kind, gunicorn
from tests.system.servers.viewing import ask, asking, until
from tests.system.web.gate import gated, query
from tests.system.web.server import Server

TYPES = ["gthread", "gevent"]


def of_type(name: str, *options: str) -> Kind:
    """Return gunicorn with a type of worker and more options."""
    return Kind(command=gunicorn("--worker-class", name, "--threads", "8", *options))


def elsewhere(server: Server, path: str, worker: str, method: str = "GET") -> bytes:
    """Return what another worker answers; those that are asked besides answer the same."""

    def answers() -> list[bytes]:
        with asking(server, path, method) as response:
            body = response.read()
            assert response.status == 200, body
            return [body] if response.headers[WORKER_HEADER] != worker else []

    return wait_for(answers)[0]


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("options", [(), ("--preload",)])
def test_workers_share_runs(serve: Serve, engine: Engine, name: str, options: tuple[str, ...]) -> None:
    """A run that one worker has started is watched, fed and stopped by another."""
    server = serve(of_type(name, "--workers", "2", *options))
    with asking(server, "/fed?format=text", "POST") as response:
        worker = response.headers[WORKER_HEADER]
        [run] = wait_for(lambda: engine.list(Query(state="running")).runs)
        elsewhere(server, f"/feed/{run.id}/hi", worker, "POST")
        assert until(response, b"got hi\n").startswith(b"got hi\n")
        assert elsewhere(server, f"/watch/{run.id}?format=text&follow=0", worker).startswith(b"got hi\n")
        elsewhere(server, f"/stop/{run.id}", worker, "POST")
        response.read()
    assert wait_for(lambda: engine.get(run.id).outcome) is not None


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("options", [(), ("--preload",)])
def test_a_reload_changes_nothing(
    serve: Serve, engine: Engine, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    """Told to reload, the old worker ends its event streams at once, which resume at the new one; a text goes on."""
    server = serve(of_type(name, *options))
    gate = tmp_path / "gate"
    with asking(server, "/start" + query(gated("echo one", gate, "echo two"), format="lines")) as response:
        worker = response.headers[WORKER_HEADER]
        seen = until(response, b"data: one\n\n")
        [run] = engine.list(Query()).runs
        with asking(server, f"/watch/{run.id}?format=text") as text:
            assert until(text, b"one\n") == b"one\n"
            os.kill(server.process.pid, signal.SIGHUP)
            seen += response.read()
            assert b"event: end" not in seen
            gate.touch()
            resumed = wait_for(lambda: _resumed(server, run.id, seen, worker))
            assert text.read() == b"two\n"
    assert b"data: one\n" not in resumed
    assert b"data: two\n\n" in resumed


def _resumed(server: Server, run_id: str, seen: bytes, worker: str) -> bytes:
    """Go on as an EventSource does; nothing, if the old worker has taken the connection, for a last time."""
    last_id = [line[4:] for line in seen.splitlines() if line.startswith(b"id: ")][-1].decode()
    with asking(server, f"/watch/{run_id}?format=lines", headers={"Last-Event-ID": last_id}) as response:
        rest = response.read()
        is_old = response.headers[WORKER_HEADER] == worker
    assert is_old or b"event: end" in rest
    return b"" if is_old else rest


@pytest.mark.parametrize("command", [gunicorn("--worker-class", "tornado"), (*SERVE, "tornado", "{port}")])
def test_who_cannot_stream_refuses(serve: Serve, engine: Engine, command: tuple[str, ...]) -> None:
    """Under Tornado the answer is a problem that says what to use instead, and nothing is started."""
    server = serve(Kind(command=command))
    with asking(server, "/start" + query(["true"])) as response:
        problem = json.loads(response.read())
        assert response.status == 501
    assert "--worker-class gthread" in problem["hint"]
    assert engine.list(Query()).runs == ()


@pytest.mark.parametrize("timeout", ["0", "30"])
def test_a_worker_for_one_viewer_warns(serve: Serve, timeout: str) -> None:
    """Under gunicorn's sync worker the log says once what will happen, and what to use instead."""
    server = serve(Kind(command=gunicorn("--worker-class", "sync", "--timeout", timeout)))
    for _request in range(2):
        assert ask(server, "/start" + query(["echo", "hi"], format="text")) == b"hi\n"
    assert server.log().count("serves one viewer at a time") == 1
    assert ("is cut after --timeout, 30 s" in server.log()) == (timeout == "30")


@pytest.mark.parametrize("lookahead", ["0", "1"])
def test_a_server_that_hides_its_viewers_warns(serve: Serve, lookahead: str) -> None:
    """Waitress does not look at its clients without an option; the log names it, once."""
    command = tuple(word.replace("lookahead=1", f"lookahead={lookahead}") for word in KINDS["waitress"].command)
    server = serve(Kind(command=command))
    for _request in range(2):
        assert ask(server, "/start" + query(["echo", "hi"], format="text")) == b"hi\n"
    assert server.log().count("set channel_request_lookahead=1") == (lookahead == "0")
