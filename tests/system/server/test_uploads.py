"""Files that are sent along: where they lie, and how many at a time."""

import os
from contextlib import ExitStack, closing
from pathlib import Path

from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import raw, until

COMMAND = """
[commands.take]
argv = ["cat", "{data}"]
parameters.data = { type = "file", maximum_size = "2M" }
"""
HEAD = (
    b"POST /api/commands/take/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\nConnection: close\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n"
)
SLOW = HEAD + b"Expect: 100-continue\r\n\r\n"


def test_what_a_killed_server_left_is_removed(serve: Serve) -> None:
    """When the next one begins."""
    left = Path(os.environ["TAILRACE_STATE"]) / "uploads" / "0123456789abcdef"
    serving = serve(COMMAND)
    assert serving.start("count")
    left.mkdir(parents=True)
    (left / "0.bin").write_bytes(b"content")
    serve(COMMAND)
    wait_for(lambda: not left.exists())
    assert left.parent.exists()


def test_one_who_sends_slowly_leaves_room_for_others(serve: Serve) -> None:
    """He has two large bodies at a time; somebody at another address sends his."""
    serving = serve(f'trusted_proxies = ["127.0.0.1"]\n{COMMAND}')
    with ExitStack() as stack:
        for _ in range(2):
            connection = stack.enter_context(closing(serving.connect()))
            connection.sendall(SLOW)
            assert b" 100 " in until(connection, b"\r\n\r\n")  # it has been asked for
        answer = raw(serving, HEAD + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 429 "), answer
        other = stack.enter_context(closing(serving.connect()))
        other.sendall(SLOW.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"))
        assert b" 100 " in until(other, b"\r\n\r\n")
