import asyncio
import threading
from pathlib import Path

import pytest

from tailrace.config.live import Live
from tailrace.config.load import load
from tailrace.server.reloading import Reloading


def test_an_error_ends_no_looking(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong is logged, and the next change is taken; it is noted in a thread that serves nobody."""
    path = tmp_path / "tailrace.toml"
    path.write_text('[commands.one]\nargv = ["one"]\n')
    taken: list[int] = []
    noted: list[int] = []

    def take(live: Live) -> None:
        taken.append(len(live.config.commands))
        if len(taken) == 1:
            raise RuntimeError("on purpose")

    async def attend() -> None:
        is_noted = asyncio.Event()
        loop = asyncio.get_running_loop()

        def note(_live: Live) -> None:
            noted.append(threading.get_ident())
            loop.call_soon_threadsafe(is_noted.set)

        reloading = Reloading(Live(lambda look: load(path, look=look)), take, note)
        attending = asyncio.create_task(reloading.attend())
        async with asyncio.timeout(60):
            while not is_noted.is_set():
                reloading.tell()
                await asyncio.sleep(0)
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)

    asyncio.run(attend())
    assert len(taken) >= 2
    assert noted
    assert threading.get_ident() not in noted
    assert "what they said before counts" in caplog.text
