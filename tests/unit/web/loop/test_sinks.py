import asyncio

import pytest

from tailrace.web.loop.sinks import Gone, Message, SendSink


async def _leaves() -> Message:
    return {"type": "http.disconnect"}


async def _takes(_message: Message) -> None:
    pass


def test_nobody_rests_with_a_viewer_that_has_left() -> None:
    """One that leaves between a piece and the rest behind it has woken nobody: it shows before that rest."""

    async def leave() -> None:
        left = asyncio.Event()
        sink = SendSink(_leaves, _takes, left.set)
        await sink.put(b"one")
        assert not await sink.settle()
        await left.wait()
        with pytest.raises(Gone):
            await sink.settle()

    asyncio.run(leave())
