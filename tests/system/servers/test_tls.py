"""Viewers behind TLS: what their socket gives is no plaintext, and never taken for a farewell or a sign of life."""

import ssl
import subprocess
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path

import pytest

from tailrace import Engine, Query
from tests.support.wait import wait_for
from tests.system.servers.conftest import Serve
from tests.system.servers.kinds import Kind, gunicorn
from tests.system.servers.viewing import PATIENCE_S, until
from tests.system.web.gate import gated, query

WAITER = "anon_inode:[eventpoll]"
"""each viewer has one"""


@pytest.mark.parametrize("name", ["gthread", "gevent"])
def test_who_leaves_by_tls_is_let_go(serve: Serve, engine: Engine, state_dir: Path, tmp_path: Path, name: str) -> None:
    """Also one that has asked for more already; others are let be."""
    key, certificate, gate = tmp_path / "key", tmp_path / "certificate", tmp_path / "gate"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    options = ("--worker-class", name, "--threads", "8", "--certfile", str(certificate), "--keyfile", str(key))
    server = serve(Kind(command=gunicorn(*options), is_tls=True))
    others = server.open_files().count(WAITER)
    context = ssl._create_unverified_context()  # noqa: S323 (a certificate made for the test)
    asked = query(gated("echo one", gate, "echo two"), format="text", key="one")
    viewers = [HTTPSConnection("127.0.0.1", server.port, timeout=PATIENCE_S, context=context) for _ in range(3)]
    responses = []
    for viewer in viewers:
        viewer.request("GET", "/start" + asked)
        responses.append(viewer.getresponse())
        until(responses[-1], b"one")
    [run] = engine.list(Query()).runs
    assert server.open_files().count(WAITER) == others + 3
    assert server.open_files().count(str(state_dir / "runs" / run.id / "output")) == 1, "read once for all"
    _leave(viewers[0], responses[0])
    wait_for(lambda: server.open_files().count(WAITER) == others + 2)
    assert viewers[1].sock
    viewers[1].sock.sendall(b"GET /ping HTTP/1.1\r\n")
    _leave(viewers[1], responses[1])
    wait_for(lambda: server.open_files().count(WAITER) == others + 1)
    gate.touch()
    wait_for(lambda: engine.get(run.id).is_finished)
    _leave(viewers[2], responses[2])


def _leave(viewer: HTTPSConnection, response: HTTPResponse) -> None:
    response.close()
    viewer.close()
