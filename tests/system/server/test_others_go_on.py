"""What others do, or what happens behind the server, takes nothing from those who view."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import tailrace
from tailrace.host import runner_link
from tailrace.host.messages import Status
from tailrace.host.statedir import StateDir
from tests.support.wait import wait_for
from tests.system.server.serving import Serving, read_all, until

SEARCHES = 100
GET = "GET /api/runs/{}/output?format=text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def long_run(state_dir: Path) -> tailrace.Run:
    """Give a run with 40 MB of output, in which searching takes its time."""
    run = tailrace.connect(state_dir).start(["seq", "5000000"])
    run.wait(100)
    return run


def test_many_slow_searches(serving: Serving, long_run: tailrace.Run) -> None:
    """More than there are threads: each is answered or refused; a viewer gets all, another comes, health answers."""
    echo = serving.start("echo")
    path = f"/api/runs/{long_run.id}/search?q=(9.*){{20}}x$&regex=1"
    with closing(serving.connect()) as viewer, ThreadPoolExecutor(SEARCHES) as pool:
        viewer.sendall(GET.format(echo).encode())
        until(viewer, b"\r\n\r\n")
        searching = [pool.submit(serving.ask, path) for _ in range(SEARCHES)]
        run = tailrace.Run(tailrace.connect(), echo)
        for number in range(20):
            run.send(b"line %d\n" % number)
            until(viewer, b"got line %d\n" % number)
        assert serving.ask("/healthz").status == 200
        assert serving.ask(f"/api/runs/{serving.start('count')}/output").body == b"1\n2\n3\n"
        run.close_input()
        assert read_all(viewer).endswith(b"0\r\n\r\n")
        statuses = {each.result().status for each in searching}
    assert statuses <= {200, 429}
    assert 200 in statuses
    assert serving.ask(path).status == 200


def test_a_killed_runner(serving: Serving, state_dir: Path) -> None:
    """Viewers, input and the run's end do without it; the next start brings another one."""
    echo = serving.start("echo")
    with closing(serving.connect()) as viewer:
        viewer.sendall(GET.format(echo).encode())
        until(viewer, b"\r\n\r\n")
        with closing(StateDir(state_dir, create=False)) as state:
            first = runner_link.ask_once(state, Status()).pid
            os.kill(first, signal.SIGKILL)
            wait_for(lambda: not state.has_runner())
            run = tailrace.Run(tailrace.connect(), echo)
            run.send(b"one\n")
            until(viewer, b"got one\n")
            assert serving.ask(f"/api/runs/{serving.start('count')}/output").body == b"1\n2\n3\n"
            assert runner_link.ask_once(state, Status()).pid != first
        run.send(b"two\n")
        run.close_input()
        assert read_all(viewer).replace(b"\r\n", b"\n").endswith(b"got two\n\n0\n\n")
    assert "Traceback" not in serving.err()
