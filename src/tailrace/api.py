"""The library's front door: `connect` and what it gives."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tailrace.core.errors import InvalidInput
from tailrace.engine.base import Engine
from tailrace.engine.disk import DiskEngine
from tailrace.engine.remote.headers import read_headers
from tailrace.engine.remote.logins import token_for

if TYPE_CHECKING:
    from tailrace.engine.http import HttpEngine

HEADERS = "TAILRACE_HEADERS"
TOKEN = "TAILRACE_TOKEN"  # noqa: S105  (a variable's name)


def connect(
    where: str | os.PathLike[str] | None = None, *, token: str | None = None, headers: Mapping[str, str] | None = None
) -> Engine:
    """Return the engine at `where`.

    Args:
        where: `disk:PATH` or a path: a state directory, made if it is not there. `http://host:port` or
            `https://host/prefix`: a Tailrace server; an `HttpEngine`, which can also start the server's commands. None:
            TAILRACE_STATE, else `$XDG_STATE_HOME/tailrace`.
        token: what a server is to know the caller by; by default TAILRACE_TOKEN, else what `tailrace login` has kept.
        headers: sent to a server with every request: a proxy's login, say; those in TAILRACE_HEADERS by default.

    Raises:
        InvalidInput: an address of a kind that does not exist, or headers that are none.
        EngineError: the state directory cannot be used.
    """
    if where is None or isinstance(where, os.PathLike):
        return DiskEngine(where)
    scheme, colon, path = where.partition(":")
    if scheme == "disk" and colon:
        return DiskEngine(path or None)
    if scheme.lower() in ("http", "https") and path.startswith("//"):
        return server(where, token=token, headers=headers)
    if "://" in where:
        raise InvalidInput(
            f"there is no engine for {scheme}://",
            op="connect",
            subject=where,
            hint="use disk:PATH, or a path, or the http:// or https:// address of a server",
        )
    return DiskEngine(where)


def server(url: str, *, token: str | None = None, headers: Mapping[str, str] | None = None) -> "HttpEngine":
    """Return the engine behind a server, as `connect` does.

    Raises:
        InvalidInput: it is no server's address, or the headers are none.
    """
    from tailrace.engine.http import HttpEngine  # only those who need it pay for http.client and ssl

    sent = usual_headers() if headers is None else headers
    return HttpEngine(url, token=token or os.environ.get(TOKEN) or token_for(url), headers=sent)


def usual_headers() -> dict[str, str]:
    """Return the headers that the environment says are to be sent to servers.

    Raises:
        InvalidInput: they are none.
    """
    return read_headers(os.environ.get(HEADERS, ""))
