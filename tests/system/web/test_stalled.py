"""Viewers are free: slow, stalled and reconnecting ones cost the command, the others and the machine nothing much."""

import hashlib
import json
import random
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from tailrace import Engine
from tailrace.api import connect
from tests.support.wait import wait_for
from tests.system.web.server import Server

SIZE = 24 << 20
NOISE = "openssl enc -aes-128-ctr -K 00000000000000000000000000000007 -iv 0 -nosalt -in /dev/zero 2>/dev/null"
SCRIPT = f"{NOISE} | head -c {SIZE}"
KERNEL_BYTES = 1 << 20
"""most that the kernel may hold of what the server sent to one stalled viewer; without care it is some 4 MiB"""
RSS_BYTES = 64 << 20


def test_ten_viewers_of_all_kinds(serve: Callable[[str], Server], state_dir: Path) -> None:
    """From the start, late, reconnecting, crawling, never reading: all have the bytes, and memory stays flat."""
    server = serve("gthread")
    engine = connect(state_dir)
    run = engine.start(["sh", "-c", f"for i in 1 2; do read line; {SCRIPT}; done"], stdin=True)
    with (
        closing(stall(server, f"/watch/{run.id}?format=text")) as stalled,
        closing(stall(server, f"/watch/{run.id}?format=text")) as crawling,
    ):
        before = server.private_bytes()
        chance = random.Random(run.id)
        digests: list[str] = []
        viewers = [
            threading.Thread(target=lambda kind=kind: digests.append(_watch(server, run.id, kind, chance.random())))
            for kind in ("start", "start", "start", "reconnect", "reconnect", "reconnect")
        ]
        for viewer in viewers:
            viewer.start()
        run.send(b"\n")
        wait_for(lambda: engine.get(run.id).size > SIZE // 2)
        late = threading.Thread(target=lambda: digests.append(_watch(server, run.id, "start", 0.0)))
        late.start()
        viewers.append(late)
        crawling.recv(1024)
        run.send(b"\n")
        info = run.wait(90)
        for viewer in viewers:
            viewer.join(90)
        crawling.recv(1024)
        held = [unsent(server.port, peer) for peer in (stalled, crawling)]
        after = server.private_bytes()
    assert info.size == 2 * SIZE
    assert digests == [_digest(engine, run.id)] * 7
    assert max(held) <= KERNEL_BYTES, held
    assert after - before < RSS_BYTES


def stall(server: Server, path: str) -> socket.socket:
    """Ask for it, and read nothing; with a small window, as a stalled viewer far away has."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    peer.connect(("127.0.0.1", server.port))
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return peer


def _watch(server: Server, run_id: str, kind: str, fraction: float) -> str:
    """Return the digest of all that the viewer got; a reconnecting one leaves again and again, and resumes."""
    seen = hashlib.sha256()
    offset = 0
    while True:
        leave_at = offset + (1 << 20) + int(fraction * (6 << 20)) if kind == "reconnect" else None
        connection = HTTPConnection("127.0.0.1", server.port, timeout=90)
        with closing(connection):
            connection.request("GET", f"/watch/{run_id}?format=text&from={offset}")
            response = connection.getresponse()
            assert response.status == 200
            while data := response.read1(1 << 16):
                seen.update(data)
                offset += len(data)
                if leave_at is not None and offset >= leave_at:
                    break
            else:
                return seen.hexdigest()


def _digest(engine: Engine, run_id: str) -> str:
    seen = hashlib.sha256()
    with closing(engine.cursor(run_id)) as cursor:
        while isinstance(chunks := cursor.look(), list):
            for chunk in chunks:
                seen.update(chunk.data)
    return seen.hexdigest()


def unsent(port: int, peer: socket.socket) -> int:
    """Return what the kernel holds of what the server sent to the peer and the peer's kernel has not taken."""
    there = f":{peer.getsockname()[1]:04X}"
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = row.split()
        if fields[1].endswith(f":{port:04X}") and fields[2].endswith(there):
            return int(fields[4].split(":")[0], 16)
    raise AssertionError("the server has no connection to this viewer")


def test_a_start_by_query_still_works_beside_a_stalled_viewer(serve: Callable[[str], Server], state_dir: Path) -> None:
    """Another request is answered while a viewer stalls."""
    server = serve("gthread")
    engine = connect(state_dir)
    run = engine.start(["yes"], max_output=8 << 20, on_max_output="stop")
    with closing(stall(server, f"/watch/{run.id}?format=text")):
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/start?argv=" + quote(json.dumps(["echo", "hi"])))
        assert connection.getresponse().read() == b"hi\n"
        connection.close()
