"""`tailrace serve`, as a process."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.wait import wait_for

TAILRACE = [sys.executable, "-m", "tailrace"]

Serve = Callable[[str], int]
"""starts it with the text of a file, and returns its port"""


@contextmanager
def serving(directory: Path, config: str) -> Iterator[int]:
    """Have it serve what a file declares, in the environment of the test; yield its port.

    Nobody is asked who he is. What the file says of `[server]` comes first.
    """
    file, log = directory / "tailrace.toml", directory / "serve.log"
    file.write_text('[server]\nauth = "none"\n' + config.removeprefix("[server]\n"))
    argv = [*TAILRACE, "serve", str(file), "--port", "0"]
    with log.open("wb") as out, subprocess.Popen(argv, stdout=out, stderr=out) as server:
        try:
            told = wait_for(
                lambda: server.poll() is not None or re.search(r"serves at http://\S+:(\d+)/", log.read_text())
            )
            assert isinstance(told, re.Match), log.read_text()
            yield int(told[1])
        finally:
            server.terminate()
            server.wait(30)
