"""What the tests of the web ring may ask for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from flask import Flask

from tailrace import Engine
from tailrace.flask import Tailrace
from tests.system.web.mounted import Policy
from tests.system.web.served import make_app
from tests.system.web.server import COMMANDS, Server


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the directory in which the served application writes down what happens."""
    directory = tmp_path / "reports"
    directory.mkdir()
    monkeypatch.setenv("REPORTS", str(directory))
    return directory


@pytest.fixture
def serve(state_dir: Path, reports: Path, tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """Give what starts a server; it ends with the test."""
    with ExitStack() as stack:
        env = {"TAILRACE_STATE": str(state_dir), "REPORTS": str(reports)}
        yield lambda kind: stack.enter_context(closing(Server(kind, tmp_path / f"{kind}.log", env)))


@pytest.fixture(params=COMMANDS)
def server(request: pytest.FixtureRequest, serve: Callable[[str], Server]) -> Server:
    """Give each of the servers."""
    return serve(request.param)


@pytest.fixture
def policy() -> Policy:
    """Give what decides, for an application with a blueprint."""
    return Policy()


@pytest.fixture
def app(state_dir: Path) -> Flask:
    """Give the application in this process."""
    return make_app(state_dir)


@pytest.fixture
def engine(app: Flask) -> Engine:
    """Give the application's engine."""
    return engine_of(app)


def engine_of(app: Flask) -> Engine:
    """Return the application's engine."""
    race: Tailrace = app.extensions["tailrace"]
    return race.engine
