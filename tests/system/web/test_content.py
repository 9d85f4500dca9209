"""What commands really print, over HTTP, on every wire."""

import hashlib
import json
import sys

import pytest

from tests.system.web.gate import query
from tests.system.web.server import Server
from tests.system.web.test_servers import curl
from tests.unit.core.wires.event_source import parse

TEXT = "Grüße, 世界 😀\n"
ONE_BY_ONE = """
import os, sys, time
for byte in sys.argv[1].encode():
    os.write(1, bytes([byte]))
    time.sleep(0.002)
"""


def start(server: Server, argv: list[str], **options: str) -> bytes:
    """Return all that a viewer of the command gets, which must be complete."""
    answer = curl(server.url + "/start" + query(argv, **options))
    assert answer.returncode == 0
    return answer.stdout


def lines(data: bytes) -> list[str]:
    """Return the data of the events that `onmessage` sees."""
    return [event.data for event in parse(data) if event.type == "message"]


def text(data: bytes, stream: str | None = None) -> str:
    """Return the text of all `output` events, or of one stream's."""
    pieces = [json.loads(event.data) for event in parse(data) if event.type == "output"]
    return "".join(piece["text"] for piece in pieces if stream in (None, piece["stream"]))


def test_much_stderr_before_the_first_stdout(server: Server) -> None:
    """Neither pipe waits for the other: all of both arrives."""
    argv = ["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' e >&2; echo out"]
    seen = start(server, argv)
    assert (seen.count(b"e"), seen.count(b"out\n"), len(seen)) == (1_000_000, 1, 1_000_004)
    events = start(server, argv, format="sse")
    assert text(events, "stdout") == "out\n"
    assert text(events, "stderr") == "e" * 1_000_000


def test_progress_bars(server: Server) -> None:
    """A carriage return stays one where the wire can carry it, and is a line's end within its event where not."""
    argv = ["sh", "-c", "for i in 1 2 3; do printf '\\r%d%%' $i; sleep 0.1; done; printf '\\ndone\\n'"]
    assert start(server, argv) == b"\r1%\r2%\r3%\ndone\n"
    assert lines(start(server, argv, format="lines")) == ["\n1%\n2%\n3%", "done"]
    assert text(start(server, argv, format="sse")) == "\r1%\r2%\r3%\ndone\n"


@pytest.mark.parametrize("format", ["text", "lines", "sse", "ndjson", "cast"])
def test_characters_cut_at_every_byte(server: Server, format: str) -> None:  # noqa: A002  as in the query
    """However the bytes come, characters arrive whole."""
    seen = start(server, [sys.executable, "-S", "-c", ONE_BY_ONE, TEXT], format=format)
    match format:
        case "text":
            assert seen.decode() == TEXT
        case "lines":
            assert lines(seen) == [TEXT[:-1]]
        case "sse":
            assert text(seen) == TEXT
        case "ndjson":
            rows = [json.loads(row) for row in seen.splitlines()]
            assert "".join(row["text"] for row in rows if row["type"] == "output") == TEXT
        case _:
            _header, *events = [json.loads(row) for row in seen.splitlines()]
            assert events.pop()[1:] == ["m", "exited with code 0"]
            assert "".join(event[2] for event in events) == TEXT.replace("\n", "\r\n")


def test_bytes_that_are_no_text(server: Server) -> None:
    """They are exact as text, and U+FFFD elsewhere; nothing fails."""
    latin = ["printf", "caf\\351 \\200\\377\\n"]
    assert start(server, latin) == b"caf\xe9 \x80\xff\n"
    assert lines(start(server, latin, format="lines")) == ["caf\ufffd \ufffd\ufffd"]
    assert text(start(server, latin, format="sse")) == "caf\ufffd \ufffd\ufffd\n"
    random = ["sh", "-c", "head -c 300000 /dev/urandom | tee /dev/stderr 2>/dev/null | head -c 300000"]
    assert len(start(server, random)) == 300_000


def test_a_flood_of_lines(server: Server) -> None:
    """As many lines as a minute at 10,000 a second gives, all in order, and the server's memory stays flat."""
    argv = ["seq", "600000"]
    start(server, argv, format="lines")
    before = server.private_bytes()
    seen = start(server, argv, format="lines")
    assert server.private_bytes() - before < 32 << 20
    wanted = "".join(f"{number}\n" for number in range(1, 600_001))
    got = "".join(f"{line}\n" for line in lines(seen))
    assert hashlib.sha256(got.encode()).digest() == hashlib.sha256(wanted.encode()).digest()
