"""A server whose pages are looked at: the fixtures of the server's own tests."""

import pytest

from tests.support.page import Watch
from tests.system.server.conftest import serve, serving

__all__ = ["serve", "serving"]


@pytest.fixture
def watch_loosely(watch: Watch) -> None:
    """Let Chromium tell of connections that a test cuts."""
    watch.forgive(r"net::ERR_|Failed to load resource")
