"""A real server in a process of its own, on a port that stays its own while it is down."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from tests.support.wait import wait_for

ROOT = Path(__file__).parents[3]
GUNICORN = (
    *("-m", "gunicorn", "--preload", "--no-control-socket", "--graceful-timeout", "1", "--bind", "127.0.0.1:{port}"),
    "tests.system.web.served:make_app()",
)
COMMANDS = {
    "werkzeug": ("tests/system/web/served.py", "{port}"),
    "gthread": (*GUNICORN, "--worker-class", "gthread", "--threads", "16"),
    "gevent": (*GUNICORN, "--worker-class", "gevent"),
}
"""what Python is to run, by the name of the server"""


class Server:
    """Serves `served.py`; starts at once, and is ready when it is made."""

    def __init__(
        self,
        kind: str,
        log: Path,
        env: dict[str, str],
        command: Sequence[str] | None = None,
        *,
        is_tls: bool = False,
        ping: tuple[str, bytes] = ("/ping", b"pong"),
    ) -> None:
        self._ping = ping
        self._is_tls = is_tls
        self.kind = kind
        self._command = COMMANDS[kind] if command is None else command
        self._env = {**os.environ, "PYTHONFAULTHANDLER": "1", **env}
        self._log = log
        self._held = _hold_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self._start()

    @property
    def port(self) -> int:
        """The port, the same after a restart."""
        port: int = self._held.getsockname()[1]
        return port

    def restart(self) -> None:
        """Start again what was killed."""
        self.process = self._start()

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        for pid in self.pids():
            os.kill(pid, 9)
        self.process.wait()

    def close(self) -> None:
        """End it for good."""
        if self.process.poll() is None:
            self.kill()
        self._held.close()
        print(self.log())  # noqa: T201 (pytest shows it when the test fails)
        assert "Fatal Python error" not in self.log(), "a process of the server crashed"

    def pids(self) -> list[int]:
        """Return the server's processes, those that end last first: a master would replace its workers."""
        return [self.process.pid, *children(self.process.pid)]

    def private_bytes(self) -> int:
        """Return the bytes of memory that its processes have for themselves."""
        total = 0
        for pid in self.pids():
            rows = _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
            total += sum(
                int(row.split()[1]) << 10 for row in rows if row.startswith(("Private_Dirty:", "Private_Clean:"))
            )
        return total

    def open_files(self) -> list[str]:
        """Return the names of what its processes have open."""
        names = []
        for pid in self.pids():
            with suppress(FileNotFoundError):  # a child that was there for a moment, to start a runner
                for entry in Path(f"/proc/{pid}/fd").iterdir():
                    with suppress(FileNotFoundError):
                        names.append(str(entry.readlink()))
        return names

    def log(self) -> str:
        """Return what it had to say."""
        return self._log.read_text()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [part.format(port=self.port) for part in self._command]
        with self._log.open("ab") as log:
            process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self._env, stdout=log, stderr=log)
        wait_for(lambda: process.poll() is not None or self._answers(), what=f"{self.kind} to answer")
        assert process.poll() is None, self.log()
        return process

    def _answers(self) -> bool:
        with closing(self._connection()) as connection:
            try:
                connection.request("GET", self._ping[0])
                return connection.getresponse().read() == self._ping[1]
            except (OSError, HTTPException):
                return False

    def _connection(self) -> HTTPConnection:
        if not self._is_tls:
            return HTTPConnection("127.0.0.1", self.port, timeout=10)
        context = ssl._create_unverified_context()  # noqa: S323 (a certificate made for the test)
        return HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _hold_port() -> socket.socket:
    """Return a socket that is bound and never listens: a server that says SO_REUSEADDR gets the port, nobody else."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held
