"""asciinema shows recordings.

They come through curl: version 2.2 closes an address before it reads from it, whatever the server.
"""

from pathlib import Path

import pytest

from tailrace import Engine, Run
from tests.support.wait import wait_for
from tests.system.clients.conftest import output_of
from tests.system.web.gate import gated
from tests.system.web.server import Server

COLOURS = r"printf '\033[31mred\033[0m \342\202\254\r\n'; seq 3; printf '50 %%\r100 %%'"


def shown(engine: Engine, server: Server, run: Run, file: Path) -> Run:
    """Begin to have `asciinema cat` write a recording into the file; it wants a terminal, which a run has."""
    script = 'curl -sSN --noproxy "*" "$0" | asciinema cat - > "$1"'
    return engine.start(["sh", "-c", script, output_of(server, run, "cast"), str(file)], pty=True)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_recording_is_the_output(engine: Engine, server: Server, tmp_path: Path, is_terminal: bool) -> None:
    """Live, finished, and from a new server: byte for byte; of pipes, with the CR that a terminal would have added."""
    run = engine.start(gated(COLOURS, tmp_path / "gate", "seq 4 2000"), pty=is_terminal)
    live = shown(engine, server, run, tmp_path / "live")
    wait_for(lambda: (tmp_path / "live").exists() and b"100 %" in (tmp_path / "live").read_bytes())
    (tmp_path / "gate").touch()
    run.wait(60)
    assert live.wait(60).outcome is not None
    later = shown(engine, server, run, tmp_path / "later")
    later.wait(60)
    server.kill()
    server.restart()
    shown(engine, server, run, tmp_path / "new").wait(60)
    output = b"".join(chunk.data for chunk in run.follow())
    if not is_terminal:
        output = output.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    said = b"".join(chunk.data for chunk in later.follow())
    assert [(tmp_path / name).read_bytes() for name in ("live", "later", "new")] == [output] * 3, said
