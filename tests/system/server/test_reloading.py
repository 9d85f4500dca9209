"""Commands that change while the server serves."""

import signal
from functools import partial

import pytest

from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

NEW = '\n[commands.fresh]\nargv = ["echo", "fresh"]\n'


def _is_kept(serving: Serving, why: str) -> bool:
    return why.encode() in serving.ask("/readyz").body


def names(serving: Serving) -> set[int]:
    """Return the statuses that a new command's address has, asked some times: of several workers, of each."""
    return {serving.ask("/api/commands/fresh").status for _ in range(8)}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_changed_file_counts_in_every_worker(serve: Serve, workers: str) -> None:
    """Nobody has to say so; a viewer goes on watching, and the processes are the same."""
    serving = serve("", "--port", "0", "--workers", workers)
    run_id = serving.start("echo")
    with serving.asking(f"/api/runs/{run_id}/output", headers={"Accept": "text/plain"}) as viewer:
        serving.file.write_text(serving.file.read_text() + NEW)
        wait_for(lambda: names(serving) == {200})
        answer = serving.ask(
            f"/api/runs/{run_id}/input", "POST", b"hello\n", {"Content-Type": "application/octet-stream"}
        )
        assert answer.status < 300, answer
        assert viewer.readline() == b"got hello\n"
    assert serving.stop() == 0


def test_sighup_has_the_file_read_at_once(serve: Serve) -> None:
    """As `systemctl reload` sends it; what is not usable is not taken, and is said in three places."""
    serving = serve()
    before = serving.file.read_text()
    serving.file.write_text(before + "[commands.broken]\n")
    serving.process.send_signal(signal.SIGHUP)
    wait_for(lambda: b"kept: " in serving.ask("/readyz").body)
    assert serving.ask("/readyz").status == 200
    assert "commands.broken.argv is missing" in serving.err()
    assert b"commands.broken.argv is missing" in serving.ask("/").body
    assert serving.start("count")
    serving.file.write_text(before + NEW)
    serving.process.send_signal(signal.SIGHUP)
    wait_for(lambda: serving.ask("/readyz").body == b'{"status":"ok"}')
    assert b"is not what" not in serving.ask("/").body
    assert names(serving) == {200}
    assert serving.stop() == 0


def test_a_file_that_is_included(serve: Serve) -> None:
    """What is wrong in it is told with its own name and line, whether it was seen or told of; all else goes on."""
    serving = serve()
    more = serving.file.parent / "more.toml"
    more.write_text(NEW)
    serving.file.write_text('include = ["more.toml"]\n' + serving.file.read_text())
    wait_for(lambda: names(serving) == {200})
    for broken, said in (
        ("[commands.fresh]\nargv = 5\n", f"{more}:2: commands.fresh.argv must be a list"),
        ("[commands.fresh\n", f"{more}:1:"),
        (None, f"{serving.file}:1: include[0] cannot be: {more} cannot be read: no such file"),
    ):
        more.unlink() if broken is None else more.write_text(broken)
        serving.process.send_signal(signal.SIGHUP)
        wait_for(partial(_is_kept, serving, said))
        assert said in serving.err()
        assert names(serving) == {200}
    more.write_text('[commands.other]\nargv = ["true"]\n')
    wait_for(lambda: names(serving) == {404})
    assert serving.ask("/readyz").body == b'{"status":"ok"}'
    assert serving.ask("/api/commands/other").status == 200
    assert serving.stop() == 0
