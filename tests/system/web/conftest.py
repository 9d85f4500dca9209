"""What the tests of the web ring may ask for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest
from flask import Flask

from tailrace import Engine
from tailrace.core.audit import Audit
from tests.system.web.mounted import Decide, MountedAsgi, Policy, mounted
from tests.system.web.served import make_app
from tests.system.web.served_asgi import App
from tests.system.web.server import COMMANDS, Server
from tests.system.web.sites import FlaskSite, Kind, ServedSite, Site


class Mount(Protocol):
    """What makes an application that has the API, with users."""

    def __call__(
        self, decide: Decide, where: Path | None = None, *, is_async: bool = False, audit: Audit | None = None
    ) -> Site:
        """Make it, on the test's own state directory or another one."""


EACH_PATH = pytest.mark.parametrize("adapter", ["flask", "lent", "send"], indirect=True)
"""Flask, and ASGI by a lent transport and by `send`"""


def served_site(app: App | MountedAsgi, adapter: Kind) -> ServedSite:
    """Return an application that is served."""
    return ServedSite(app, lambda: app.race.engine, adapter)


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


@pytest.fixture(params=["flask", "lent"])
def adapter(request: pytest.FixtureRequest) -> Kind:
    """Give each adapter, ASGI's on our own server; tests of what is sent take `EACH_PATH` besides."""
    kind: Kind = request.param
    return kind


@pytest.fixture
def app(adapter: Kind, state_dir: Path) -> Iterator[Site]:
    """Give the application, in this process."""
    if adapter == "flask":
        yield FlaskSite(make_app(state_dir))
        return
    served = App(state_dir)
    with closing(served_site(served, adapter)) as site:
        yield site


@pytest.fixture
def mount(adapter: Kind, state_dir: Path) -> Iterator[Mount]:
    """Give what makes an application that has the API, with users; it ends with the test."""
    with ExitStack() as stack:

        def make(
            decide: Decide, where: Path | None = None, *, is_async: bool = False, audit: Audit | None = None
        ) -> Site:
            place = where or state_dir
            if adapter == "flask":
                return FlaskSite(mounted(place, decide, audit))
            served = MountedAsgi(place, decide, is_async=is_async, audit=audit)
            return stack.enter_context(closing(served_site(served, adapter)))

        yield make


@pytest.fixture
def engine(app: Flask | Site) -> Engine:
    """Give the application's engine."""
    return engine_of(app)


def engine_of(app: Flask | Site) -> Engine:
    """Return the application's engine."""
    return FlaskSite(app).engine if isinstance(app, Flask) else app.engine
