"""What is special about single WSGI servers: which ones cannot stream, which need a word, which must be told.

Servers are known by what they put into the environment of a request, gunicorn's workers by the process.
"""

import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Final

from tailrace.web.problems import problem
from tailrace.web.responses import Response
from tailrace.web.stream import Body
from tailrace.web.worker import gunicorn_worker

_warned: Final[set[int]] = set()
"""the processes, this one and those it was forked from, that have said what there is to say"""


def refusal(environ: Mapping[str, object]) -> Response | None:
    """Return the answer of a server that would hold everything back until the run has ended; None of all others."""
    if not _is_tornado(environ):
        return None
    return problem(
        HTTPStatus.NOT_IMPLEMENTED,
        "this server, Tornado's WSGI container, sends nothing before the whole response is there",
        "serve the application with another: for gunicorn, --worker-class gthread --threads 100",
    )


def warning(environ: Mapping[str, object]) -> str | None:
    """Return what the log should say about how this process is served: once, and None after that, or if all is well."""
    if os.getpid() in _warned:
        return None
    said = _sync_timeout(environ) or _blind_waitress(environ)
    if said is not None:
        _warned.add(os.getpid())
    return said


def prepare(environ: MutableMapping[str, object]) -> None:
    """Tell the server to pass on each piece of the response at once."""
    if "eventlet.input" in environ:
        environ["eventlet.minimum_write_chunk_size"] = 1  # it gathers 4 KiB otherwise


def waits_for_write(environ: Mapping[str, object]) -> bool:
    """Tell whether headers wait for a body that is not empty, unless WSGI's `write(b"")` sends them.

    eventlet.wsgi waits too, but its `write(b"")` ends the response.
    """
    software = str(environ.get("SERVER_SOFTWARE", ""))
    return "waitress.client_disconnected" in environ or "gunicorn.sock" in environ or software.startswith("gevent/")


def _is_tornado(environ: Mapping[str, object]) -> bool:
    if type(gunicorn_worker()).__name__ == "TornadoWorker":
        return True
    if "tornado.wsgi" not in sys.modules or "SERVER_SOFTWARE" in environ:
        return False
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _sync_timeout(environ: Mapping[str, object]) -> str | None:
    """Warn of gunicorn's sync worker, which is killed when one request takes longer than its timeout."""
    worker = gunicorn_worker()
    if worker is None or "gunicorn.socket" not in environ or type(worker).__module__ != "gunicorn.workers.sync":
        return None
    timeout_s = worker.cfg.timeout
    cut = f"is cut after --timeout, {timeout_s} s, and " if timeout_s else ""
    return (
        f"gunicorn's sync worker serves one viewer at a time: a stream {cut}holds up everybody else;"
        " use --worker-class gthread --threads 100, or gevent"
    )


def _blind_waitress(environ: Mapping[str, object]) -> str | None:
    channel = getattr(environ.get("waitress.client_disconnected"), "__self__", None)
    if getattr(getattr(channel, "adj", None), "channel_request_lookahead", None) != 0:
        return None
    return (
        "waitress does not tell when a viewer leaves a silent command: set channel_request_lookahead=1"
        " (waitress-serve --channel-request-lookahead=1)"
    )


def send_headers(write: Callable[[bytes], object], body: Body) -> None:
    """Have the headers sent before the body begins; if the client has left already, nobody else closes the body."""
    try:
        write(b"")
    except BaseException:
        body.close()
        raise
