"""Starlette's own ways to stream, under uvicorn: a task broadcasts to a queue for each viewer, as its users do.

GET /starlette        StreamingResponse      GET /sse-starlette        EventSourceResponse
POST /go?count=&every_s=&size=      broadcast so many messages
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bench.field.message import make

if TYPE_CHECKING:
    from collections.abc import Iterator

queues: "set[asyncio.Queue[str]]" = set()
tasks: "set[asyncio.Task[None]]" = set()


@contextmanager
def _queue() -> "Iterator[asyncio.Queue[str]]":
    queue: asyncio.Queue[str] = asyncio.Queue()
    queues.add(queue)
    try:
        yield queue
    finally:
        queues.remove(queue)


async def _events() -> AsyncIterator[bytes]:
    with _queue() as queue:
        while True:
            yield f"data: {await queue.get()}\n\n".encode()


async def _messages() -> AsyncIterator[str]:
    with _queue() as queue:
        while True:
            yield await queue.get()


async def streamed(_request: Request) -> Response:
    """Starlette alone: the generator writes events itself."""
    return StreamingResponse(_events(), media_type="text/event-stream")


async def evented(_request: Request) -> Response:
    """sse-starlette: the generator gives data, the library makes events."""
    return EventSourceResponse(_messages())


async def go(request: Request) -> Response:
    """Begin to broadcast."""
    told = request.query_params
    task = asyncio.create_task(_broadcast(int(told["count"]), float(told["every_s"]), int(told["size"])))
    tasks.add(task)
    return Response(status_code=202)


async def _broadcast(count: int, every_s: float, size: int) -> None:
    due = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        message = make(number, size).decode().rstrip("\n")
        for queue in queues:
            queue.put_nowait(message)
        due += every_s


app = Starlette(
    routes=[Route("/starlette", streamed), Route("/sse-starlette", evented), Route("/go", go, methods=["POST"])]
)
