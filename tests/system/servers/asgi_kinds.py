"""The ASGI servers, and what each cannot do; docs/reference/servers.md says the same. `asgi_kinds.py PORT` is ours."""

import sys
from dataclasses import dataclass
from typing import Literal

import uvicorn

from tailrace.server.protocol import LendingProtocol

APP = "tests.system.web.served_asgi:make_app"


@dataclass(frozen=True, kw_only=True)
class AsgiKind:
    """A server: what Python is to run, and what the tests may expect of it."""

    command: tuple[str, ...]
    path: Literal["lent", "send"] = "send"
    is_told: bool = True
    """its event streams end as soon as it is told to stop"""
    sends_headers_first: bool = True
    """also for a text, whose first piece may be long in coming"""
    held_bytes: int = 8 << 20
    """most that the kernel holds for a viewer that has stopped reading"""


def uvicorn_with(*options: str) -> tuple[str, ...]:
    """Return what runs uvicorn with these options."""
    return ("-m", "uvicorn", "--port", "{port}", *options, "--factory", APP)


def gunicorn(worker: str) -> tuple[str, ...]:
    """Return what runs gunicorn with a type of worker."""
    options = ("--no-control-socket", "--graceful-timeout", "20", "--bind", "127.0.0.1:{port}")
    return ("-m", "gunicorn", *options, "--worker-class", worker, APP + "()")


ASGI_KINDS = {
    "ours": AsgiKind(command=("-m", "tests.system.servers.asgi_kinds", "{port}"), path="lent", held_bytes=1 << 20),
    "uvicorn-httptools": AsgiKind(command=uvicorn_with("--http", "httptools")),
    "uvicorn-h11": AsgiKind(command=uvicorn_with("--http", "h11", "--loop", "asyncio")),
    "gunicorn-uvicorn": AsgiKind(command=gunicorn("uvicorn_worker.UvicornWorker")),
    "gunicorn-asgi": AsgiKind(command=gunicorn("asgi"), is_told=False, sends_headers_first=False),
    "hypercorn": AsgiKind(
        command=("-m", "hypercorn", "--workers", "0", "--bind", "127.0.0.1:{port}", APP + "()"), is_told=False
    ),
    "granian": AsgiKind(
        command=("-m", "granian", "--interface", "asgi", "--port", "{port}", "--factory", APP), is_told=False
    ),
}


if __name__ == "__main__":
    uvicorn.run(APP, factory=True, http=LendingProtocol, port=int(sys.argv[1]))
