"""Clients that are slow, wrong, or mean it: clear refusals, bounded memory, others unharmed."""

import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import tailrace
from tailrace.server import protocol
from tests.support.wait import wait_for
from tests.system.server.serving import FORM, UPGRADE, Serving, raw, read_all, until

HOST = b"Host: localhost\r\n"
POST = b"POST /api/commands/count/runs HTTP/1.1\r\n" + HOST + b"Content-Type: " + FORM.encode() + b"\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SLOW_S = 60.0


def _statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(POST + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n3\r\nn=5\r\n0\r\n\r\n", id="length and chunked"),
        pytest.param(POST + CHUNKED + b"Content-Length: 3\r\n\r\n3\r\nn=5\r\n0\r\n\r\n", id="chunked and length"),
        pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nn=5", id="length twice"),
        pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nn=55", id="two lengths"),
        pytest.param(POST + b"Content-Length: 3, 3\r\n\r\nn=5", id="list of lengths"),
        pytest.param(POST + b"Content-Length: +3\r\n\r\nn=5", id="length with a sign"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\nn=5", id="negative length"),
        pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n3\r\nn=5\r\n0\r\n\r\n", id="unknown coding"),
        pytest.param(POST + b"Transfer-Encoding : chunked\r\n\r\n3\r\nn=5\r\n0\r\n\r\n", id="space before a colon"),
        pytest.param(POST + b"X: a\r\n b\r\nContent-Length: 3\r\n\r\nn=5", id="folded header"),
        pytest.param(POST + CHUNKED + b"\r\n3\nn=5\n0\n\n", id="chunks with bare LF"),
        pytest.param(POST + CHUNKED + b"\r\nFFFFFFFFFFFFFFFFF\r\nn=5\r\n", id="chunk of 2^68"),
        pytest.param(b"GET /api/runs HTTP/1.1\nHost: localhost\n\n", id="bare LF"),
        pytest.param(b"GET /api/runs HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n", id="bare CR"),
        pytest.param(b"GET /api/runs HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", id="NUL"),
        pytest.param(b"GET /api/runs HTTP/1.1\r\n\r\n", id="no Host"),
        pytest.param(b"GET /api/runs HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n", id="two Hosts"),
        pytest.param(b"GET /api/runs HTTP/9.9\r\n" + HOST + b"\r\n", id="version"),
        pytest.param(b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", id="CONNECT"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(serving: Serving, request_bytes: bytes) -> None:
    """Once, and the connection is closed: nothing behind it is taken for a request, and nothing is started."""
    smuggled = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    assert _statuses(raw(serving, request_bytes + smuggled)) == [400]
    assert tailrace.connect().list(tailrace.Query()).runs == ()
    assert "Traceback" not in serving.err()


@pytest.mark.parametrize(
    "head",
    [b"X: " + b"a" * 100_000, b"X: " + b"a" * 2_000_000, b"\r\n".join(b"X%d: a" % number for number in range(100_000))],
    ids=["100 kB", "2 MB", "many"],
)
def test_headers_that_are_too_long(serving: Serving, head: bytes) -> None:
    """431; or just an end to it, where the client was still sending when that was said."""
    with closing(serving.connect()) as connection:
        try:
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + head + b"\r\n\r\n")
        except OSError:
            return
        assert _statuses(read_all(connection)) in ([431], [])


def test_pipelined_requests_are_answered_in_order(serving: Serving) -> None:
    """Each once."""
    get = b"GET /%b HTTP/1.1\r\n" + HOST + b"%b\r\n"
    answer = raw(
        serving, get % (b"healthz", b"") + get % (b"nothing", b"") + get % (b"healthz", b"Connection: close\r\n")
    )
    assert _statuses(answer) == [200, 404, 200]


H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
HIDDEN = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize("part", [1, 0.1, 0.47, 0.7])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"", b""),
        (b"Content-Length: 5\r\n", b"hello"),
        (CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN),
    ],
    ids=["no body", "a length", "chunks", "a request as its body"],
)
def test_an_upgrade_that_there_is_not_is_left_out(serving: Serving, kind: bytes, body: bytes, part: float) -> None:
    """Its request is answered like any other, wherever its packets are cut, with its body, and so are those behind."""
    post = b"POST /api/probe/request HTTP/1.1\r\n" + HOST + H2C + kind + b"\r\n" + body
    behind = b"GET /nothing HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    whole = post + post + behind
    with closing(serving.connect()) as connection:
        connection.sendall(whole[: round(len(whole) * part)])
        serving.ask("/healthz")
        connection.sendall(whole[round(len(whole) * part) :])
        answer = read_all(connection)
    assert _statuses(answer) == [200, 200, 404]
    assert answer.count(b'"method":"POST"') == 2
    assert "Traceback" not in serving.err()


def test_nothing_is_taken_behind_connect(serving: Serving) -> None:
    """What comes there is not HTTP."""
    behind = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    assert _statuses(raw(serving, b"CONNECT /api/runs HTTP/1.1\r\n" + HOST + b"\r\n" + behind)) == [405]


def test_slow_bodies_take_nobodys_place(serving: Serving) -> None:
    """More of them than there are threads: others are served, those that come at last are taken."""
    head = b"POST /api/probe/request HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(serving.connect())) for _ in range(100)]
        for connection in slow:
            connection.sendall(head)
        for connection in slow:
            assert b" 100 " in connection.recv(1000)  # its route has been asked, and has waited for it
        assert serving.start("count")
        slow[0].sendall(b"it is all")
        assert b'"body_bytes":9' in until(slow[0], b"}")


@pytest.mark.parametrize(
    "bad", [b"GARBAGE\r\n\r\n", b"GET /api/runs/%b/socket HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n"]
)
@pytest.mark.parametrize("form", ["text", "sse"])
def test_what_cannot_be_taken_behind_a_request(serving: Serving, form: str, bad: bytes) -> None:
    """It puts nothing into the answers before it, which are whole; then the connection is closed."""
    run_id = serving.start("echo")
    run = tailrace.Run(tailrace.connect(), run_id)
    get = f"GET /api/runs/{run_id}/output?format={form} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with closing(serving.connect()) as connection:
        connection.sendall(get + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        wait_for(lambda: b'path="send",wire="%b"} 1.0' % form.encode() in serving.ask("/metrics").body)
        connection.sendall(bad.replace(b"%b", run_id.encode()))
        run.send(b"whole\n")
        run.close_input()
        answer = read_all(connection)
    assert _statuses(answer) == [200, 200]
    assert answer.index(b"got whole") < answer.index(b"0\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'{"status":"ok"}')
    assert "Traceback" not in serving.err()


def test_requests_without_end_behind_a_stream(serving: Serving) -> None:
    """Some wait to be answered, the others are nobody's, and cost nothing."""
    run_id = serving.start("echo")
    get = f"GET /api/runs/{run_id}/output?format=text HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with closing(serving.connect()) as connection:
        connection.sendall(get + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        run = tailrace.Run(tailrace.connect(), run_id)
        wait_for(lambda: b'path="send",wire="text"} 1.0' in serving.ask("/metrics").body)
        run.close_input()
        answer = read_all(connection)
    assert len(_statuses(answer)) == 1 + protocol.MOST_PIPELINED


@pytest.mark.parametrize("behind", [b"x" * (1 << 20), b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"])
@pytest.mark.parametrize("is_one_packet", [True, False])
def test_who_sends_behind_a_stream_and_leaves(serving: Serving, behind: bytes, *, is_one_packet: bool) -> None:
    """It does not stay a viewer, though the command prints nothing that could show that nobody is there."""
    run_id = serving.start("wait")
    get = f"GET /api/runs/{run_id}/output?format=text HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with closing(serving.connect()) as connection:
        if is_one_packet:
            connection.sendall(get + behind)
        else:
            connection.sendall(get)
            assert b"begun" in until(connection, b"begun")
            connection.sendall(behind)
        wait_for(lambda: _viewers(serving) == 1)
    wait_for(lambda: _viewers(serving) == 0)


def test_the_kernel_sees_whether_a_silent_client_is_there(serving: Serving) -> None:
    """Its host may be gone, and a text has no heartbeat that would show it."""
    with closing(serving.connect()) as connection:
        wait_for(lambda: _has_keepalive(connection.getsockname()[1]))


def test_half_a_body_is_not_taken_for_the_whole(serving: Serving) -> None:
    """`n=10` of `n=100`, and a client that has gone: nothing is started."""
    with closing(serving.connect()) as connection:
        connection.sendall(POST + b"Content-Length: 5\r\n\r\nn=10")
    wait_for(lambda: "POST /api/commands/count/runs" in serving.err())
    assert " 400 " in serving.err()
    assert tailrace.connect().list(tailrace.Query()).runs == ()


@pytest.mark.parametrize("begin", [b"", b"GET /healthz HTTP/1.1\r\nHost: local", b"\r\n"])
def test_headers_that_do_not_come(serving: Serving, begin: bytes) -> None:
    """The connection is closed after some seconds, also one that was used before."""
    with closing(serving.connect()) as fresh, closing(serving.connect()) as used:
        used.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n" + begin)
        fresh.sendall(begin)
        for connection in (fresh, used):
            connection.settimeout(protocol.HEADERS_S + SLOW_S)
            read_all(connection)


def test_a_stream_is_not_ended_by_half_a_request_behind_it(serving: Serving) -> None:
    """It waits until the stream is over."""
    run_id = serving.start("echo")
    with closing(serving.connect()) as connection:
        get = f"GET /api/runs/{run_id}/output?format=text HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTT"
        connection.sendall(get.encode())
        run = tailrace.Run(tailrace.connect(), run_id)
        wait_for(lambda: run.info().state == "running")
        with closing(serving.connect()) as other:
            other.settimeout(protocol.HEADERS_S + SLOW_S)
            read_all(other)  # as long as headers may take
        run.send(b"still here\n")
        run.close_input()
        connection.sendall(b"P/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = read_all(connection)
    assert b"got still here" in answer
    assert _statuses(answer) == [200, 200]


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have some thousand sockets; the server, which it starts, too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_two_thousand_connections_that_say_nothing(many_files: None, serving: Serving) -> None:
    """Each costs some KiB, others are answered meanwhile, and they are gone after some seconds."""
    assert many_files is None
    run_id = serving.start("wait")
    before, files = _memory_bytes(serving), len(_files(serving))
    with ExitStack() as stack:
        idle = [stack.enter_context(closing(serving.connect())) for _ in range(2000)]
        wait_for(lambda: len(_files(serving)) >= files + len(idle) or _has_ended(idle[0]))
        with serving.asking(f"/api/runs/{run_id}/output?format=text") as response:
            assert response.read1(6) == b"begun\n"
        assert _memory_bytes(serving) - before < len(idle) * (32 << 10)
        wait_for(lambda: len(_files(serving)) < files + 50, protocol.HEADERS_S + SLOW_S)


def test_clients_that_vanish(serving: Serving) -> None:
    """A reset in the middle of a stream, or of a request, lets go of everything."""
    run_id = serving.start("wait")
    assert serving.ask("/healthz").status == 200
    files = len(_files(serving))
    get = f"GET /api/runs/{run_id}/output?format=sse HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for request in (get, get[:20], POST + b"Content-Length: 100\r\n\r\nn"):
        with closing(serving.connect()) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(request)
            if request is get:
                connection.recv(100)
    wait_for(lambda: len([name for name in _files(serving) if name.startswith("socket:")]) <= files)
    wait_for(lambda: b'tailrace_viewers{path="lent",wire="sse"} 0.0' in serving.ask("/metrics").body)
    assert "Traceback" not in serving.err()


def _viewers(serving: Serving) -> float:
    rows = serving.ask("/metrics").body.decode().splitlines()
    return sum(float(row.rpartition(" ")[2]) for row in rows if row.startswith("tailrace_viewers{"))


def _has_keepalive(port: int) -> bool:
    """Tell whether the other end of the connection from this port has a timer that asks for life (proc(5), tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[2].endswith(f":{port:04X}") and row[5].startswith("02:") for row in rows)


def _has_ended(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


def _files(serving: Serving) -> list[str]:
    names = []
    for entry in Path(f"/proc/{serving.process.pid}/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return names


def _memory_bytes(serving: Serving) -> int:
    text = Path(f"/proc/{serving.process.pid}/smaps_rollup").read_text()
    found = re.findall(r"^Private_(?:Dirty|Clean): +(\d+) kB$", text, re.MULTILINE)
    return sum(map(int, found)) << 10
