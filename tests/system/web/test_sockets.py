"""Websockets on runs: exact bytes one way, input and control the other; a real server and a client of others."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from tailrace import Engine
from tailrace.api import connect as connect_engine
from tailrace.core.outcome import Exited, Signaled, Stopped
from tailrace.core.states import State
from tailrace.engine.run import Run
from tests.support.wait import wait_for
from tests.system.web.asgi import KINDS, UPGRADE, asked, opened, start
from tests.system.web.server import Server

NOISE = "openssl enc -aes-128-ctr -K 00000000000000000000000000000007 -iv 0 -nosalt -in /dev/zero 2>/dev/null"
UNKNOWN = "0" * 27


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give uvicorn, with its own protocol and with ours."""
    with closing(start(request.param, state_dir, tmp_path)) as made:
        yield made


@pytest.fixture
def plain(state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give uvicorn as it is, with its own limits."""
    with closing(start("plain", state_dir, tmp_path)) as made:
        yield made


@pytest.fixture
def engine(state_dir: Path) -> Engine:
    """Give the engine."""
    return connect_engine(state_dir)


def running(engine: Engine, *argv: str, pty: bool = False) -> Run:
    """Return a run of ann's that takes input, when it runs."""
    run = engine.start(argv, by="ann", stdin=True, pty=pty)
    wait_for(lambda: run.info().state is State.RUNNING)
    return run


def whole(run: Run) -> bytes:
    """Return the run's output, when it has ended."""
    return b"".join(chunk.data for chunk in run.follow())


# Output


def test_the_exact_bytes(server: Server, engine: Engine) -> None:
    """Live and of both streams, with offsets that follow each other; then the end, and a proper close."""
    run = engine.start(["sh", "-c", f"{NOISE} | head -c 3000000; printf '\\377\\0err' >&2; echo last"])
    with opened(server, run.id) as client:
        assert client.closed() == (1000, "")
    assert client.output == whole(run)
    assert len(client.stdout) == 3_000_005
    assert [found["type"] for found in client.objects if found["type"] != "state"] == ["end"]
    assert client.objects[-1]["outcome"] == {"kind": "exited", "code": 0}


def test_many_at_the_end_share_what_comes(server: Server, engine: Engine) -> None:
    """Viewers that stand at the end get the same messages, and others that come late catch up."""
    run = running(engine, "cat")
    with opened(server, run.id) as first, opened(server, run.id) as second:
        for number in range(20):
            run.send(f"{number}\n".encode())
            first.until_output(f"{number}\n".encode())
        with opened(server, run.id) as late:
            late.until_output(b"19\n")
            run.send(b"all\n")
            run.close_input()
            for client in (first, second, late):
                assert client.closed() == (1000, "")
                assert client.output == whole(run)


def test_everybody_is_told_that_the_terminal_has_another_size(server: Server, engine: Engine) -> None:
    """By a state, though the command says nothing; the end has it too."""
    run = running(engine, "cat", pty=True)
    with opened(server, run.id) as typist, opened(server, run.id) as other:
        other.until(type="state", rows=24, columns=80)
        typist.send(type="resize", rows=50, columns=132, id=1)
        typist.until(type="reply", to="resize")
        for client in (typist, other):
            client.until(type="state", rows=50, columns=132)
        run.stop()
        other.until(type="end", rows=50, columns=132)


@pytest.mark.parametrize(
    ("query", "offset", "expected"),
    [
        ("?from=4", 4, b"2\ne3\no4\n"),
        ("?tail=1", 9, b"o4\n"),
        ("?follow=0", 0, b"o1\ne2\ne3\no4\n"),
        ("?from=12", 12, b""),
    ],
)
def test_options(server: Server, engine: Engine, query: str, offset: int, expected: bytes) -> None:
    """As on every wire."""
    run = engine.start(["sh", "-c", "echo o1; echo e2 >&2; echo e3 >&2; echo o4"], merge=True)
    run.wait(60)
    with opened(server, run.id, query, offset=offset) as client:
        assert client.closed() == (1000, "")
    assert client.output == expected


def test_one_stream(server: Server, engine: Engine) -> None:
    """`stream` leaves the other out."""
    run = engine.start(["sh", "-c", "echo e >&2"])
    run.wait(60)
    with opened(server, run.id, "?stream=stderr") as client:
        client.closed()
    with opened(server, run.id, "?stream=stdout") as other:
        other.closed()
    assert (client.output, other.output) == (b"e\n", b"")


def test_resuming_after_a_killed_server(server: Server, engine: Engine) -> None:
    """A client that comes back with `from` gets the rest, whatever happened in between."""
    run = running(engine, "cat")
    run.send(b"before\n")
    with opened(server, run.id) as client:
        client.until_output(b"before\n")
        server.kill()
        run.send(b"meanwhile\n")
        assert client.closed() == (1006, "")
    server.restart()
    with opened(server, run.id, f"?from={client.offset}", offset=client.offset) as again:
        again.until_output(b"meanwhile\n")
        run.close_input()
        assert again.closed() == (1000, "")
    assert client.output + again.output == whole(run)


def test_a_server_that_leaves_says_so(server: Server, engine: Engine) -> None:
    """1012, service restart, at once; the run goes on."""
    run = running(engine, "cat")
    with opened(server, run.id) as client:
        client.until(type="state", state="running")
        os.kill(server.process.pid, signal.SIGTERM)
        assert client.closed()[0] == 1012
    wait_for(lambda: server.process.poll() is not None)
    assert run.info().state is State.RUNNING


def test_a_viewer_that_reads_nothing(server: Server, engine: Engine) -> None:
    """Costs little memory, and holds up neither the command nor others; it is told how far behind it is, and skips."""
    run = running(engine, "sh", "-c", f"read go; {NOISE} | head -c 60000000; read go; echo the end")
    with opened(server, run.id) as slow:
        slow.until(type="state", state="running")
        before = server.private_bytes()
        run.send(b"\n")
        wait_for(lambda: run.info().size >= 60_000_000, 90)
        assert server.private_bytes() - before < 32 << 20
        assert int(str(slow.until(type="lagging")["behind"])) > 4 << 20
        slow.send(type="skip", id="now")
        gap = slow.until(type="gap")
        assert (gap["to"], gap["why"]) == (60_000_000, "skipped on request")
        if {"type": "reply", "to": "skip", "id": "now"} not in slow.objects:
            slow.until(type="reply", to="skip", id="now")  # each is sent when it is ready
        run.send(b"\n")
        slow.until_output(b"the end\n")
        assert slow.closed() == (1000, "")


# Input and control


def test_input_and_its_end(server: Server, engine: Engine) -> None:
    """Text, bytes as they are, and the end; each is answered when the command's pipe has taken it."""
    run = running(engine, "cat")
    with opened(server, run.id) as client:
        client.send(type="input", text="é\n", id=1)
        assert client.until(id=1) == {"type": "reply", "to": "input", "id": 1}
        client.socket.send(bytes(range(256)))
        client.until(type="reply", to="input")
        client.send(type="close-input", id="done")
        assert client.closed() == (1000, "")
    assert {"type": "reply", "to": "close-input", "id": "done"} in client.objects
    assert client.output == "é\n".encode() + bytes(range(256)) == whole(run)
    assert run.wait(60).outcome == Exited(0)


def test_much_input_in_order(server: Server, engine: Engine) -> None:
    """Every byte arrives once, in the order in which it was sent, when each waits for the answer before."""
    run = running(engine, "cat")
    sent = b""
    with opened(server, run.id) as client:
        for number in range(40):
            data = f"{number}:".encode() * 4000
            client.socket.send(data)
            client.until(type="reply", to="input")
            sent += data
        client.send(type="close-input")
        client.closed()
    assert client.output == sent


def test_a_terminal(server: Server, engine: Engine) -> None:
    """It is typed into, and resized."""
    run = running(engine, "sh", "-c", 'read line; stty size; echo "$line" | tr a-z A-Z', pty=True)
    with opened(server, run.id) as client:
        client.send(type="resize", rows=33, columns=101, id=0)
        assert client.until(id=0)["type"] == "reply"
        client.send(type="input", text="typed\n")
        client.until_output(b"33 101")
        client.until_output(b"TYPED")
        assert client.closed() == (1000, "")


def test_a_signal(server: Server, engine: Engine) -> None:
    """By its name; an unknown one is refused."""
    run = running(engine, "sleep", "1000")
    with opened(server, run.id) as client:
        client.send(type="signal", signal="NOPE", id=1)
        assert client.until(id=1)["status"] == 400
        client.send(type="signal", signal="USR1", id=2)
        assert client.closed() == (1000, "")
    assert run.wait(60).outcome == Signaled(signal.SIGUSR1)


def test_stop_while_input_waits(server: Server, engine: Engine) -> None:
    """A command that does not read fills what is kept for it; more is refused, and stop works at once."""
    run = running(engine, "sleep", "1000")
    with opened(server, run.id, at="/ops", user="ann") as client:
        for number in range(6):
            client.send(type="input", text="x" * 65536, id=number)
        refused = client.until(type="error", id=5)
        assert (refused["status"], refused["to"]) == (429, "input")
        assert "not reading" in str(refused["detail"])
        client.send(type="stop", id="stop")
        assert client.until(id="stop")["type"] == "reply"
        assert client.closed() == (1000, "")
    assert run.wait(60).outcome == Stopped("ann")


def test_who_stops_without_a_name_is_known_by_the_address(server: Server, engine: Engine) -> None:
    """Where nobody logs in, the outcome says from where it was asked."""
    run = running(engine, "sleep", "1000")
    with opened(server, run.id) as client:
        client.send(type="stop", id="stop")
        assert client.closed() == (1000, "")
    assert run.wait(60).outcome == Stopped("127.0.0.1")


def test_input_that_is_accepted_outlives_the_socket(server: Server, engine: Engine) -> None:
    """Who types and leaves has typed."""
    run = running(engine, "sh", "-c", "read line; echo got $line")
    with opened(server, run.id) as client:
        client.send(type="input", text="it\n")
    assert whole(run) == b"got it\n"


@pytest.mark.parametrize(
    ("message", "status", "to"),
    [
        ('{"type": "reboot", "id": 1}', 400, "reboot"),
        ('{"type": "stop", "by": "root", "id": 1}', 400, "stop"),
        ('{"type": "resize", "rows": 0, "columns": 1, "id": 1}', 400, "resize"),
        ('{"type": "resize", "rows": 5, "columns": 5, "id": 1}', 409, "resize"),
        ('{"type": "input", "text": "x", "id": 1}', 409, "input"),
        ('{"type": "close-input", "id": 1}', 409, "close-input"),
        (json.dumps({"type": "input", "text": "x" * 65537, "id": 1}), 413, "input"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_done_is_answered(plain: Server, engine: Engine, message: str, status: int, to: str) -> None:
    """With a problem that says what to do; the socket goes on."""
    run = engine.start(["sleep", "1000"])
    wait_for(lambda: run.info().state is State.RUNNING)
    with opened(plain, run.id) as client:
        client.socket.send(message)
        found = client.until(type="error")
        assert (found["status"], found["to"], found["id"]) == (status, to, 1)
        assert found["title"] == HTTPStatus(status).phrase
        assert found["detail"]
        assert found["hint"]
        client.send(type="stop", now=True)
        client.until(type="reply", to="stop")


def test_what_ends_the_run_is_answered(plain: Server, engine: Engine) -> None:
    """Also where the run is over before its answer is there."""
    for _ in range(20):
        run = engine.start(["sh", "-c", "echo there; exec sleep 1000"])
        assert next(run.follow()).data == b"there\n"
        with opened(plain, run.id) as client:
            client.send(type="stop", now=True)
            client.until(type="reply", to="stop")


def test_bytes_for_a_run_that_takes_no_input(plain: Server, engine: Engine) -> None:
    """They are answered, too, without an id."""
    run = engine.start(["sleep", "1000"])
    wait_for(lambda: run.info().state is State.RUNNING)
    with opened(plain, run.id) as client:
        client.socket.send(b"x")
        found = client.until(type="error", to="input")
        assert (found["status"], "id" in found) == (409, False)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("stop", 1007),
        ("[]", 1007),
        ("{}", 1007),
        ('{"type": 5}', 1007),
        ("[" * 50_000, 1007),
        ("x" * ((1 << 20) + 1), 1009),
        (b"x" * ((1 << 20) + 1), 1009),
    ],
    ids=["word", "array", "empty", "number", "deep", "text", "binary"],
)
def test_what_is_no_message_closes(plain: Server, engine: Engine, message: str | bytes, code: int) -> None:
    """With a code that says why; the run is untouched, and others stay connected."""
    run = running(engine, "cat")
    with opened(plain, run.id) as other, opened(plain, run.id) as client:
        client.socket.send(message)
        assert client.closed()[0] == code
        run.send(b"still here\n")
        other.until_output(b"still here\n")
    assert run.info().size == len(b"still here\n")


def test_what_is_far_too_long_closes(plain: Server, engine: Engine) -> None:
    """The server does not even take it all, so its word may get lost: 1009, or the connection is just gone."""
    run = running(engine, "cat")
    with opened(plain, run.id) as client:
        with suppress(ConnectionClosed):
            client.socket.send(b"x" * (17 << 20))
        assert client.closed()[0] in (1009, 1006)
    assert run.info().size == 0


def test_text_that_is_not_utf8_closes(plain: Server, engine: Engine) -> None:
    """1007, by the server itself."""
    run = running(engine, "cat")
    with opened(plain, run.id) as client:
        frame = Frame(Opcode.TEXT, b'{"type": "\xff"}').serialize(mask=True)
        client.socket.socket.sendall(frame)
        assert client.closed()[0] == 1007


# Who may


def test_who_may_only_view(server: Server, engine: Engine) -> None:
    """Each message is asked about: bob sees the output, and changes nothing, but may skip."""
    run = running(engine, "cat")
    with opened(server, run.id, at="/ops", user="bob") as client:
        for fields in (
            {"type": "stop"},
            {"type": "stop", "now": True},
            {"type": "signal", "signal": "KILL"},
            {"type": "input", "text": "x"},
            {"type": "close-input"},
            {"type": "resize", "rows": 5, "columns": 5},
        ):
            client.send(**fields, id="it")
            assert client.until(id="it")["status"] == 403, fields
            client.objects.clear()
        client.socket.send(b"x")
        assert client.until(type="error")["status"] == 403
        client.send(type="skip", id="it")
        assert client.until(id="it", type="reply")["to"] == "skip"
    info = run.info()
    assert (info.state, info.ladder, info.size) == (State.RUNNING, (), 0)


def test_who_may_not_view_cannot_tell_that_it_is_there(server: Server, engine: Engine) -> None:
    """The refusal comes before anything is opened, and is that of a run that is not there."""
    run = running(engine, "cat")
    headers = {**UPGRADE, "X-User": "eve"}
    hidden, body = asked(server, f"/ops/api/runs/{run.id}/socket", headers)
    unknown, other = asked(server, f"/ops/api/runs/{UNKNOWN}/socket", headers)
    assert (hidden.status, unknown.status) == (404, 404)
    assert hidden.headers["Content-Type"] == "application/problem+json"
    assert body.replace(run.id.encode(), UNKNOWN.encode()) == other


def test_a_stranger_is_sent_to_log_in(server: Server, engine: Engine) -> None:
    """The application's own answer is the answer to the handshake."""
    run = running(engine, "cat")
    response, _body = asked(server, f"/ops/api/runs/{run.id}/socket", UPGRADE)
    assert (response.status, response.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
        ({"Sec-WebSocket-Protocol": "tailrace.v2, chat"}, 400),
    ],
    ids=str,
)
def test_a_handshake_that_is_refused(server: Server, engine: Engine, headers: dict[str, str], status: int) -> None:
    """Pages of other sites, names that are not ours, and other protocols: before anything is opened."""
    run = running(engine, "cat")
    response, body = asked(server, f"/open/api/runs/{run.id}/socket", {**UPGRADE, **headers})
    assert response.status == status
    assert json.loads(body)["hint"]


def test_a_page_of_this_site_and_no_page_at_all(server: Server, engine: Engine) -> None:
    """What a browser says of them is no obstacle; nor is a client that offers no subprotocol."""
    run = running(engine, "cat")
    url = f"ws://127.0.0.1:{server.port}/open/api/runs/{run.id}/socket"
    with connect(url, additional_headers={"Origin": f"http://127.0.0.1:{server.port}"}, proxy=None) as socket:
        assert socket.subprotocol is None
        assert b"running" in socket.recv(60, decode=False)


@pytest.mark.parametrize("query", ["?from=x", "?from=1&tail=1", "?stream=both"])
def test_a_query_that_makes_no_sense(plain: Server, engine: Engine, query: str) -> None:
    """400 before anything is opened; 416 beyond the end."""
    run = running(engine, "cat")
    assert asked(plain, f"/open/api/runs/{run.id}/socket{query}", UPGRADE)[0].status == 400
    assert asked(plain, f"/open/api/runs/{run.id}/socket?from=1", UPGRADE)[0].status == 416


def test_other_addresses_are_no_websockets(plain: Server, engine: Engine) -> None:
    """400 for a handshake where there is none; 501 for a plain request where there is one."""
    run = running(engine, "cat")
    for path in ("/open/api/runs", f"/open/api/runs/{run.id}/output", "/open/api/events?list=1"):
        with pytest.raises(InvalidStatus) as caught:
            connect(f"ws://127.0.0.1:{plain.port}{path}", subprotocols=None, proxy=None)
        assert caught.value.response.status_code == 400
    response, body = asked(plain, f"/open/api/runs/{run.id}/socket")
    assert response.status == 501
    assert "output" in json.loads(body)["hint"]


def test_ours_bounds_what_the_kernel_takes(state_dir: Path, tmp_path: Path, engine: Engine) -> None:
    """What waits in the kernel for a viewer that reads nothing is some 100 KiB, not megabytes."""
    run = engine.start(["sh", "-c", f"{NOISE} | head -c 30000000"])
    run.wait(60)
    with closing(start("lending", state_dir, tmp_path)) as server, opened(server, run.id) as client:
        port = client.socket.local_address[1]
        seen: list[int] = []

        def is_settled() -> bool:
            seen.append(_sent_queue(server.port, port))
            return len(seen) > 20 and seen[-1] > 0 and len(set(seen[-20:])) == 1

        wait_for(is_settled)
        assert seen[-1] < 1 << 20


def _sent_queue(server_port: int, client_port: int) -> int:
    """Return how much of what the server sent has not been acknowledged, from the kernel's table."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(field.split(":")[1], 16) for field in fields[1:3])
        if (local, remote) == (server_port, client_port):
            return int(fields[4].split(":")[0], 16)
    return 0
