"""What the tests of the servers may ask for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import tailrace
from tailrace import Engine
from tests.system.servers.kinds import KINDS, Kind, environment
from tests.system.web.server import Server

Serve = Callable[[Kind], Server]


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path) -> Iterator[Serve]:
    """Give what starts a server of a kind; it ends with the test."""
    with ExitStack() as stack:

        def begin(kind: Kind) -> Server:
            env = {"TAILRACE_STATE": str(state_dir), **environment(kind)}
            return stack.enter_context(
                closing(Server("server", tmp_path / "server.log", env, kind.command, is_tls=kind.is_tls))
            )

        yield begin


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Give each kind of server."""
    return KINDS[request.param]


@pytest.fixture
def server(kind: Kind, serve: Serve) -> Server:
    """Give a server of the kind."""
    return serve(kind)


@pytest.fixture
def engine(state_dir: Path) -> Engine:
    """Give the servers' engine, from this process."""
    return tailrace.connect(state_dir)
