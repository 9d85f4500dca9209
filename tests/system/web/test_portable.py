"""What any ASGI server may do to a websocket or a stream of events: the application is called as a server would."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from tailrace.asgi import Tailrace
from tailrace.core.states import State
from tailrace.core.wires.places import Place
from tailrace.core.wires.sse import SseFramer
from tailrace.engine.run import Run
from tailrace.web.client import Client
from tailrace.web.loop import delivery, hall, sockets
from tailrace.web.loop.sinks import Message, Scope
from tailrace.web.multi import SILENT, MultiViewer
from tailrace.web.pace import Pace
from tailrace.web.stream import Body
from tailrace.web.view import View
from tailrace.web.watching import viewer_of
from tests.support.wait import wait_for

WITH_WORDS: dict[str, object] = {"websocket.http.response": {}}


@pytest.fixture
def race(state_dir: Path) -> Tailrace:
    """Give what serves."""
    return Tailrace(state_dir=state_dir)


@pytest.fixture
def run(race: Tailrace) -> Run:
    """Give a run that goes on, and takes input."""
    run = race.engine.start(["cat"], stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    return run


def is_running(run: Run) -> bool:
    """Tell whether the run has begun."""
    return run.info().state is State.RUNNING


def scope_of(run_id: str, extensions: Mapping[str, object]) -> Scope:
    """Return the scope of a handshake."""
    return {
        "type": "websocket",
        "path": f"/api/runs/{run_id}/socket",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "subprotocols": ["chat", "tailrace.v1"],
        "extensions": extensions,
    }


class Peer:
    """A server and its client in one: `sent` has what the application sent, and `on_send` may wait before that."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.messages.put_nowait({"type": "websocket.connect"})
        self.on_send: Callable[[Message], Awaitable[None]] | None = None

    async def receive(self) -> Message:
        """Return what came from the client."""
        return await self.messages.get()

    async def send(self, message: Message) -> None:
        """Take what is for the client."""
        if self.on_send is not None:
            await self.on_send(message)
        self.sent.append(message)

    def types(self) -> list[object]:
        """Return the types of what was sent."""
        return [message["type"] for message in self.sent]


def test_a_refusal_without_words(race: Tailrace) -> None:
    """Where the server cannot send a response to a handshake, it is told to close before it accepts."""
    peer = Peer()
    asyncio.run(race.blueprint(open=True)(scope_of("0" * 27, {}), peer.receive, peer.send))
    assert peer.sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_a_refusal_with_words(race: Tailrace) -> None:
    """Where it can, the problem document is the response."""
    peer = Peer()
    asyncio.run(race.blueprint(open=True)(scope_of("0" * 27, WITH_WORDS), peer.receive, peer.send))
    assert peer.types() == ["websocket.http.response.start", "websocket.http.response.body"]
    assert peer.sent[0]["status"] == 404
    assert json.loads(cast("bytes", peer.sent[1]["body"]))["title"] == "Not Found"


def test_a_viewer_that_takes_nothing_is_closed(race: Tailrace, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some time; nothing of it is left, and the run goes on."""
    monkeypatch.setattr(delivery, "STALL_S", 0.2)
    monkeypatch.setattr(hall, "SWEEP_S", 0.05)
    monkeypatch.setattr(sockets, "CLOSE_S", 0.1)
    peer = Peer()

    async def never(message: Message) -> None:
        if message["type"] != "websocket.accept":
            await asyncio.Event().wait()

    peer.on_send = never
    asyncio.run(race.blueprint(open=True)(scope_of(run.id, {}), peer.receive, peer.send))
    assert peer.sent == [{"type": "websocket.accept", "subprotocol": "tailrace.v1", "headers": []}]
    assert run.info().state is State.RUNNING


def test_stop_while_the_client_takes_nothing(race: Tailrace, run: Run) -> None:
    """What waits to be sent keeps nothing from being done; answers come when it is taken."""
    peer = Peer()

    async def serve() -> None:
        is_taken = asyncio.Event()

        async def late(message: Message) -> None:
            if message["type"] == "websocket.send":
                await is_taken.wait()

        peer.on_send = late
        serving = asyncio.ensure_future(race.blueprint(open=True)(scope_of(run.id, {}), peer.receive, peer.send))
        peer.messages.put_nowait({"type": "websocket.receive", "text": '{"type": "stop", "id": 1}'})
        await asyncio.to_thread(run.wait, 60)
        assert peer.types() == ["websocket.accept"]
        is_taken.set()
        await serving

    asyncio.run(serve())
    texts = [json.loads(str(message["text"])) for message in peer.sent if "text" in message]
    assert {"type": "reply", "to": "stop", "id": 1} in texts
    assert peer.sent[-1] == {"type": "websocket.close", "code": 1000, "reason": ""}


def test_who_reads_no_answers_is_not_heard_for_ever(race: Tailrace, run: Run) -> None:
    """When many answers wait, nothing more is taken from the client."""
    peer = Peer()

    async def serve() -> int:
        is_taken = asyncio.Event()

        async def late(message: Message) -> None:
            if message["type"] == "websocket.send":
                await is_taken.wait()

        peer.on_send = late
        for _ in range(1000):
            peer.messages.put_nowait({"type": "websocket.receive", "text": '{"type": "nothing"}'})
        serving = asyncio.ensure_future(race.blueprint(open=True)(scope_of(run.id, {}), peer.receive, peer.send))
        await asyncio.to_thread(wait_for, lambda: peer.messages.qsize() <= 1000 - sockets.ANSWERS)
        left = peer.messages.qsize()
        is_taken.set()
        peer.messages.put_nowait({"type": "websocket.disconnect"})
        await serving
        return left

    assert asyncio.run(serve()) > 900


def test_one_heartbeat_for_the_connection(race: Tailrace) -> None:
    """However many runs it shows, all of them silent."""
    runs = [race.engine.start(["sleep", "1000"]) for _ in range(5)]
    for each in runs:
        wait_for(partial(is_running, each))
    viewers = {n: viewer_of(race.engine, each.info(), SseFramer, View(), SILENT) for n, each in enumerate(runs)}
    body = Body(MultiViewer({each.id: Place() for each in runs}, viewers, None, Pace(heartbeat_s=0.02)), Client())
    heartbeats = 0
    for piece in body:
        assert piece.count(b": \n\n") <= 1
        heartbeats = heartbeats + 1 if piece == b": \n\n" else heartbeats
        if heartbeats == 10:
            break
    body.close()
