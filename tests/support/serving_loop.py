"""`tailrace serve` for the contract of remote engines: `serving_loop.py PORT` serves each state directory below `/tmp`.

The twin of `serving.py`: the same server, protocol and application as the command line's, but one process for all tests
of a file, each with a directory of its own, by its name. The API is under `/<name>/ops`; elsewhere is something else.
"""

import re
import socket
import sys
from pathlib import Path

from tailrace.config.load import Config
from tailrace.config.server import Server
from tailrace.core.command import Commands
from tailrace.server.app import ServerApp
from tailrace.server.serve import StoppingServer, uvicorn_config
from tailrace.web.loop.sinks import Receive, Scope, Send

_PREFIX = re.compile(r"/(tr-\w+)/(?:ops(?=/))?")
_GROUND = Server(auth="none", access_log=False, max_viewers_per_address=0)


class Places(ServerApp):
    """One application for each directory, made when it is first asked for; by itself it answers `/healthz`."""

    def __init__(self) -> None:
        super().__init__(Config(_GROUND, Commands([])))
        self._apps: dict[str, ServerApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the directory's application does."""
        found = _PREFIX.match(str(scope.get("path", "")))
        if found is not None:
            scope["root_path"] = found[0]
            await self._app(found[1])(scope, receive, send)
            return
        if scope["type"] == "http":
            scope["path"] = "/healthz"
        await super().__call__(scope, receive, send)

    def _app(self, name: str) -> ServerApp:
        if name not in self._apps:
            settings = Server(
                auth="none", access_log=False, max_viewers_per_address=0, state_dir=str(Path("/tmp", name))
            )
            self._apps[name] = ServerApp(Config(settings, Commands([])))
        return self._apps[name]


def main(port: int) -> None:
    """Serve until told to stop."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    StoppingServer(uvicorn_config(_GROUND, Places()), lambda: None).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]))
