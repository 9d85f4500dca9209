import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import tailrace
from tailrace.core.errors import WrongState
from tailrace.host.messages import CloseInput, Input
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import UPGRADE, Serving, read_all
from tests.system.web.server import children

STREAM = b"GET /api/runs/%b/output?format=%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
END = b"0\r\n\r\n"
SLOW = b"POST /api/probe/request HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def view(serving_two: Serving) -> Iterator[Callable[[str, bytes], socket.socket]]:
    """Give what opens a stream, and has seen its headers."""
    with ExitStack() as stack:

        def open_stream(run_id: str, wire: bytes) -> socket.socket:
            connection = stack.enter_context(closing(serving_two.connect()))
            connection.sendall(STREAM % (run_id.encode(), wire))
            seen = b""
            while b"begun" not in seen.partition(b"\r\n\r\n")[2].replace(b'"sh","-c","echo begun;', b""):
                seen += connection.recv(65536)
            return connection

        yield open_stream


@pytest.fixture(params=["1", "2"])
def serving_two(serve: Serve, request: pytest.FixtureRequest) -> Serving:
    """Give a server with one process, and with two workers."""
    return serve("", "--port", "0", "--workers", request.param)


def test_streams_end_at_once_and_can_be_resumed(
    serving_two: Serving, view: Callable[[str, bytes], socket.socket]
) -> None:
    """An event stream ends properly; a text, which could be taken for whole, is cut; the run goes on."""
    run_id = serving_two.start("wait")
    events, text = view(run_id, b"sse"), view(run_id, b"text")
    assert serving_two.stop() == 0
    assert read_all(events).endswith(END)
    assert END not in read_all(text)
    assert tailrace.connect().get(run_id).state == "running"


SOCKET = b"GET /api/runs/%b/socket HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE + b"\r\n"


@pytest.fixture
def stop_beside(serve: Serve, state_dir: Path) -> Iterator[Callable[[bytes], socket.socket]]:
    """Give what stops a server beside a viewer that takes nothing of a long output, and returns the connection."""
    serving = serve("", "--port", "0")
    run = tailrace.connect(state_dir).start(["sh", "-c", "seq 3000000; exec sleep 1000"])
    wait_for(lambda: run.info().size > 20_000_000)
    with ExitStack() as stack:

        def stop(request: bytes) -> socket.socket:
            stalled = stack.enter_context(closing(serving.connect()))
            stalled.sendall(request % run.id.encode())
            stalled.recv(1000)
            assert serving.stop() == 0
            assert "grace" not in serving.err()
            return stalled

        yield stop


def test_a_stalled_stream_holds_nothing_up(stop_beside: Callable[[bytes], socket.socket]) -> None:
    """It is let go without being read, before any grace is over; it does not look complete."""
    stalled = stop_beside(STREAM.replace(b"%b HTTP", b"sse HTTP"))
    assert not read_all(stalled).endswith(END)


def test_a_stalled_body_without_a_length_is_reset(stop_beside: Callable[[bytes], socket.socket]) -> None:
    """One that would end with its connection would look complete if that were closed properly."""
    stalled = stop_beside(STREAM.replace(b"%b HTTP/1.1", b"text HTTP/1.0"))
    with pytest.raises(ConnectionResetError):
        _read_on(stalled)


def test_a_stalled_websocket_holds_nothing_up(stop_beside: Callable[[bytes], socket.socket]) -> None:
    """It is let go as soon, whether or not there was room for a word of goodbye."""
    stop_beside(SOCKET)


def test_bodies_that_do_not_come_hold_nothing_up(serve: Serve) -> None:
    """Whoever is still sending a request is refused, and told so; no grace is used up, and nothing goes wrong."""
    serving = serve()
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(serving.connect())) for _ in range(3)]
        for connection in slow:
            connection.sendall(SLOW)
            assert b" 100 " in connection.recv(1000)  # a route has asked for it
        slow[0].sendall(b"half")
        assert serving.stop() == 0
        assert all(b" 503 " in read_all(connection) for connection in slow)
    assert "grace" not in serving.err()
    assert "Traceback" not in serving.err()


def test_input_that_a_command_does_not_read_holds_nothing_up(serve: Serve, state_dir: Path, tmp_path: Path) -> None:
    """It lies ready with the run's keeper, and whoever sent it is told so; the command gets all of it, later."""
    script = 'until [ -e "$0" ]; do sleep 0.02; done; wc -c'
    run = tailrace.connect(state_dir).start(["sh", "-c", script, str(tmp_path / "gate")], stdin=True)
    wait_for(lambda: run.info().state == "running")
    serving, path = serve(), f"/api/runs/{run.id}/input"
    assert serving.ask(path, "POST", bytes(65536), BYTES).status == 204
    with closing(serving.connect()) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + bytes(60000))
        wait_for(lambda: not _takes(run, Input(b"")))
        assert serving.stop() == 0
        assert b" 202 " in read_all(connection)
    assert "Traceback" not in serving.err()
    (tmp_path / "gate").touch()
    wait_for(lambda: _takes(run, CloseInput()))
    assert b"".join(chunk.data for chunk in run.follow()).split() == [b"125536"]


def _takes(run: tailrace.Run, request: Input | CloseInput) -> bool:
    """Ask the run's keeper to take the input; tell whether it does, or has still some to give to the command."""
    try:
        run.engine.control(run.id, request)
    except WrongState:
        return False
    return True


def test_a_dead_worker_is_replaced(serve: Serve) -> None:
    """Requests go on being answered by the others, and by the new one."""
    serving = serve("", "--port", "0", "--workers", "2")
    before = _workers(serving)
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(_workers(serving) - {min(before)}) == 2)
    assert serving.ask("/healthz").status == 200
    assert "is replaced" in serving.err()
    assert serving.stop() == 0


def test_sigusr2_replaces_every_worker(serve: Serve) -> None:
    """Nobody is turned away meanwhile: the socket stays open."""
    serving = serve("", "--port", "0", "--workers", "2")
    before = _workers(serving)
    serving.process.send_signal(signal.SIGUSR2)
    wait_for(lambda: len(_workers(serving)) == 2 and not _workers(serving) & before)
    assert serving.ask("/healthz").status == 200
    assert serving.stop() == 0


def test_workers_share_the_runs(serve: Serve) -> None:
    """Whichever is asked knows what another has started."""
    serving = serve("", "--port", "0", "--workers", "3")
    run_id = serving.start("count", "n=5")
    asked = [serving.ask(f"/api/runs/{run_id}/output").body for _ in range(12)]
    assert set(asked) == {b"1\n2\n3\n4\n5\n"}


def test_a_killed_master_takes_its_workers_with_it(serve: Serve) -> None:
    """None is left that would serve on, unseen."""
    serving = serve("", "--port", "0", "--workers", "2")
    workers = _workers(serving)
    serving.process.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def _read_on(connection: socket.socket) -> None:
    while connection.recv(1 << 20):
        pass


def _workers(serving: Serving) -> set[int]:
    """Return the workers, once there are two."""
    wait_for(lambda: len(children(serving.process.pid)) >= 2)
    return set(children(serving.process.pid))
