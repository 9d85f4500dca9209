"""What every server must do, each really started."""

import json
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tailrace import Engine, Query
from tests.support.wait import wait_for
from tests.system.servers.kinds import KINDS, Kind
from tests.system.servers.viewing import ask, asking, until
from tests.system.web.gate import gated, query
from tests.system.web.server import Server

ENDLESS = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"]
SHARED_BYTES = 1000
VIEWERS = 50
CROWDS = [name for name, kind in KINDS.items() if kind.is_concurrent]
GREEN = [name for name, kind in KINDS.items() if kind.is_green]
FROZEN_S = 0.5
"""a blocking read of the commands below would freeze for their 2 s, and longer; bench/servers.py tells what is usual"""


def test_headers_and_first_byte_come_at_once(server: Server, kind: Kind, tmp_path: Path) -> None:
    """Headers before any output, on the wires that say something at once if not on text; then each byte as it comes."""
    first, second = tmp_path / "first", tmp_path / "second"
    wire = "text" if kind.sends_headers_first else "ndjson"
    with asking(server, "/start" + query(gated(":", first, "echo one"), format=wire)) as response:
        assert response.status == 200
        first.touch()
        until(response, b"one")
    with asking(server, "/start" + query(gated("echo one", second, "echo two"), format="text")) as response:
        assert until(response, b"one\n") == b"one\n"
        second.touch()
        assert response.read() == b"two\n"


@pytest.mark.parametrize("kind", CROWDS, indirect=True)
def test_streams_run_at_once(server: Server) -> None:
    """Two streams of two seconds overlap, line by line."""
    arrived: list[tuple[int, bytes]] = []

    def view(number: int) -> None:
        with asking(
            server, "/start" + query(["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.25; done"])
        ) as (response):
            arrived.extend((number, line) for line in response)

    viewers = [threading.Thread(target=view, args=(number,)) for number in (1, 2)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join(60)
    for number, other in ((1, 2), (2, 1)):
        assert [line for who, line in arrived if who == number] == [b"%d\n" % i for i in range(1, 9)]
        assert arrived.index((number, b"1\n")) < arrived.index((other, b"8\n"))


@pytest.mark.parametrize("kind", CROWDS, indirect=True)
def test_many_viewers_of_one_endless_run(server: Server, engine: Engine) -> None:
    """All get the same bytes while they come, and another request is answered meanwhile."""
    run = engine.start(ENDLESS)
    with ExitStack() as stack:
        responses = [stack.enter_context(asking(server, f"/watch/{run.id}?format=text")) for _ in range(VIEWERS)]
        seen = {response.read(SHARED_BYTES) for response in responses}
        assert ask(server, "/ping") == b"pong"
    assert seen == {b"".join(b"%d\n" % number for number in range(1, SHARED_BYTES))[:SHARED_BYTES]}
    run.stop(now=True)


@pytest.mark.parametrize("wire", ["text", "lines"])
def test_who_leaves_a_silent_command_is_let_go(
    server: Server, engine: Engine, state_dir: Path, tmp_path: Path, wire: str
) -> None:
    """The server closes what it held for the viewer, though nothing is written, and serves the next."""
    gate = tmp_path / "gate"
    with asking(server, "/start" + query(gated("echo one", gate, "echo two"), format=wire)) as response:
        until(response, b"one")
        [run] = engine.list(Query()).runs
        output = str(state_dir / "runs" / run.id / "output")
        assert output in server.open_files()
    wait_for(lambda: output not in server.open_files())
    assert ask(server, "/ping") == b"pong"
    gate.touch()
    wait_for(lambda: engine.get(run.id).is_finished)
    assert ask(server, f"/watch/{run.id}?format=text") == b"one\ntwo\n"
    assert "Traceback" not in server.log()


def test_missing_bytes_never_look_complete(server: Server) -> None:
    """A text that is cut, or that nobody has written, ends with an error of the transfer; nothing of ours is told."""
    for path in ("/limited?format=text", "/start" + query(["nosuchprogram"], format="text")):
        done = subprocess.run(["curl", "-sN", "--max-time", "60", server.url + path], capture_output=True, check=False)
        assert done.returncode in (18, 52, 56), (path, done)
        assert b"Traceback" not in done.stdout
        assert done.stdout[:4] in (b"1\n2\n", b"")
    answer = ask(server, "/limited?format=ndjson")
    assert json.loads(answer.splitlines()[-1])["type"] == "end"


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.resets], indirect=True)
def test_missing_bytes_never_look_complete_to_an_old_client(server: Server) -> None:
    """Over HTTP/1.0 the end of the connection is the end of the body; one that is cut ends by a reset."""
    argv = ["curl", "-sN", "--http1.0", "--max-time", "60", server.url + "/limited?format=text"]
    assert subprocess.run(argv, capture_output=True, check=False).returncode in (18, 52, 56)


@pytest.mark.parametrize("kind", GREEN, indirect=True)
def test_no_greenlet_is_frozen(server: Server, tmp_path: Path) -> None:
    """A greenlet that ticks goes on ticking while streams run, idle, wait for each other, and come in bulk."""
    bulk = ["sh", "-c", "head -c 30000000 /dev/zero | tr '\\0' x"]
    ask(server, "/start" + query(["true"]))  # the runner is there
    gate = tmp_path / "gate"
    ask(server, "/ticker")
    with ExitStack() as stack:
        silent = [
            stack.enter_context(asking(server, "/start" + query(gated("echo one", gate, "echo two")))) for _ in range(3)
        ]
        assert len(ask(server, "/start" + query(bulk, format="text"))) == 30_000_000
        assert len(ask(server, "/start" + query(["sh", "-c", "for i in 1 2 3 4; do echo x; sleep 0.5; done"]))) == 8
        gate.touch()
        assert [response.read() for response in silent] == [b"one\ntwo\n"] * 3
    assert 0 < json.loads(ask(server, "/ticker"))["longest_s"] < FROZEN_S
