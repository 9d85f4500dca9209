"""A websocket's handshake (ASGI, HTTP & WebSocket specification): accept it, or refuse it with a response.

A response instead of a websocket needs the server's extension `websocket.http.response`. Where there is none, the
refusal has no words: a close before `accept`, for which servers send a bare 403.
"""

from typing import cast

from tailrace.web.loop.sinks import Message, Receive, Scope, Send
from tailrace.web.responses import Response

REFUSED = 1008
EXTENSION = "websocket.http.response"


def protocols_of(scope: Scope) -> tuple[str, ...] | None:
    """Return the subprotocols that a handshake offers; None if this is no handshake."""
    return tuple(cast("list[str]", scope.get("subprotocols") or ())) if scope["type"] == "websocket" else None


async def accept(response: Response, send: Send) -> None:
    """Open the websocket, as the response says."""
    chosen = dict(response.headers).get("Sec-WebSocket-Protocol")
    await send({"type": "websocket.accept", "subprotocol": chosen, "headers": []})


class Refusing:
    """Passes a response off as the answer to a handshake: give it to an application of HTTP as its `send`."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope: Scope = {**scope, "type": "http", "method": "GET", "extensions": {}}
        """what such an application is to be told"""
        self._has_words = EXTENSION in cast("dict[str, object]", scope.get("extensions") or {})
        self._receive = receive
        self._send = send
        self._is_read = self._is_refused = False

    async def receive(self) -> Message:
        """Return that there is no body, then that the client has left, when it has."""
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._receive()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send a part of the response, if the server can."""
        if self._has_words:
            await self._send({**message, "type": f"websocket.{message['type']}"})
        elif not self._is_refused:
            self._is_refused = True
            await self._send({"type": "websocket.close", "code": REFUSED, "reason": ""})
