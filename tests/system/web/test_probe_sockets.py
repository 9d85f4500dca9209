"""The timed pieces over a WebSocket: the same door as for a run's, and an answer to each message of input."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tailrace.core.wires.websocket import SUBPROTOCOL
from tests.system.web.asgi import UPGRADE, asked, start
from tests.system.web.server import Server

PATH = "/api/probe/socket"
SHORT = "pieces=2&every=0.02&silence=0.05"


@pytest.fixture
def server(state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give uvicorn with our protocol."""
    with closing(start("lending", state_dir, tmp_path)) as made:
        yield made


def test_pieces_come_and_input_is_answered(server: Server) -> None:
    """All pieces, the end, and a close that says complete."""
    url = f"ws://127.0.0.1:{server.port}/open{PATH}?{SHORT}"
    with connect(url, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None) as socket:
        socket.send(json.dumps({"type": "input", "id": 7, "text": "hello"}))
        socket.send(json.dumps({"type": "stop", "id": 8}))
        came = list(socket)
    assert [one[18:].split()[1] for one in came if isinstance(one, bytes)] == [b"1", b"2", b"3"]
    told = [json.loads(one) for one in came if isinstance(one, str)]
    assert {one["type"] for one in told} == {"state", "end", "reply", "error"}
    assert [one["id"] for one in told if one["type"] == "reply"] == [7]
    assert [(one["id"], one["detail"]) for one in told if one["type"] == "error"] == [(8, "nothing runs here")]
    assert socket.close_code == 1000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
        ({"Sec-WebSocket-Protocol": "chat"}, 400),
    ],
    ids=str,
)
def test_a_handshake_that_is_refused(server: Server, headers: dict[str, str], status: int) -> None:
    """As that of a run's socket: pages of other sites, names that are not ours, other protocols."""
    response, body = asked(server, f"/open{PATH}", {**UPGRADE, **headers})
    assert response.status == status
    assert json.loads(body)["hint"]


def test_a_stranger_gets_none(server: Server) -> None:
    """The application decides, as on every route; and what makes no sense is refused before anything is opened."""
    assert asked(server, f"/ops{PATH}", UPGRADE)[0].status == 303
    assert asked(server, f"/open{PATH}?pieces=0", UPGRADE)[0].status == 400
    assert asked(server, f"/open{PATH}")[0].status == 501
