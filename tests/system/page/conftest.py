"""A server whose pages are looked at: the fixtures of the server's own tests."""

from tests.system.server.conftest import serve, serving

__all__ = ["serve", "serving"]
