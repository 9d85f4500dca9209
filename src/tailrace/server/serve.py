"""Serving: sockets, workers, signals, and an end that loses nobody."""

import asyncio
import gc
import os
import signal
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from tailrace.config.live import Live
from tailrace.config.load import Config
from tailrace.config.server import Server
from tailrace.core.errors import InvalidInput
from tailrace.hooks.post import Post
from tailrace.server.app import ServerApp
from tailrace.server.logs import set_up
from tailrace.server.protocol import LendingProtocol, reset
from tailrace.server.reloading import Reloading, Terminal
from tailrace.server.websocket import BoundedWebSocket
from tailrace.server.workers import Workers
from tailrace.web.loop.hall import hall_of

BACKLOG = 2048
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GRACE_S = 5
"""for requests that are being answered, when the server is told to stop; streams end at once"""
STUCK_S = 1.0
"""for clients to take what was written before their connections were closed, or to send the rest of a request, when the
server is told to stop"""
AGAIN_S = 0.1
"""between two looks for those that do not"""
THREADS = 64
"""for what routes wait for: a disk, a keeper, a slow body. The usual six, on two processors, would soon be taken"""
WEBSOCKET_BYTES = 1 << 20
COLLECT = (20_000, 20, 50)
"""see `gc.set_threshold`"""


class StoppingServer(uvicorn.Server):
    """uvicorn's, which ends all streams as soon as it is told to stop, instead of waiting for them."""

    def __init__(
        self, config: uvicorn.Config, on_start: Callable[[], None], reloading: Reloading | None = None
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._reloading = reloading
        self._attending: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take what says to stop; what the caller had ignored stays ignored.

        uvicorn's own raises the signals again when all is done: that would end the process before anybody tidied up.
        """
        taken = [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._on_signal) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop, or have the files read again."""
        if number == signal.SIGHUP and self._reloading is not None and not self._reloading.is_abandoned():
            self._reloading.tell()
        else:
            self.handle_exit(number, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it serves, once it does."""
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tailrace-route")
        asyncio.get_running_loop().set_default_executor(threads)
        await super().startup(sockets)
        if self.started:
            _rarely_collect()
            if self._reloading is not None:
                self._attending = asyncio.create_task(self._reloading.attend(), name="tailrace-reloading")
            self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let every viewer go, to resume at the next server."""
        loop = asyncio.get_running_loop()
        if self._attending is not None:
            self._attending.cancel()
        hall_of(loop).leave()
        loop.call_later(STUCK_S, self._end_stuck)
        await super().shutdown(sockets)

    def _end_stuck(self) -> None:
        """End the connections that only wait for their clients.

        Those that are to take the rest see that it was not all; those that are to send the rest of a request are told
        to ask the next server.
        """
        for connection in list(self.server_state.connections):
            if connection.transport.is_closing():
                reset(connection.transport)
            elif isinstance(connection, LendingProtocol):
                connection.leave()
        asyncio.get_running_loop().call_later(AGAIN_S, self._end_stuck)


def _rarely_collect() -> None:
    """Have garbage collected in fewer, larger steps: thousands of viewers are hundreds of thousands of objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def serve(config: Config, say: Callable[[str], None], live: Live | None = None) -> None:
    """Serve until told to stop by SIGTERM or SIGINT.

    Args:
        config: what is declared, and how it is served.
        say: told the address, once it is served.
        live: the files that the configuration is of, which are then read again when they change, and at SIGHUP.

    Raises:
        InvalidInput: it cannot listen there, or its certificate cannot be used.
    """
    settings = config.server
    set_up(settings.log_format)
    with _listening(settings) as listener:
        address = address_of(settings, listener)
        if settings.workers == 1:
            _serve_here(config, listener, lambda: say(address), live)
        else:
            uvicorn_config(settings, ServerApp(config))  # what is wrong is told once, here
            _post(config, live)
            say(address)
            terminal = Terminal()
            is_abandoned = terminal.is_gone if live is not None else lambda: False
            Workers(settings.workers, lambda: _serve_here(config, listener, lambda: None, live), is_abandoned).run()


def _serve_here(config: Config, listener: socket.socket, on_start: Callable[[], None], live: Live | None) -> None:
    app, post = ServerApp(config), _post(config, live)
    reloading = None
    if live is not None:
        if live.is_changed():  # a worker that comes later
            live.reload()
        app.take(live)
        reloading = Reloading(live, app.take, app.note_reload)
    server = StoppingServer(uvicorn_config(config.server, app), on_start, reloading)
    app.sweep(config.server.state_dir)
    post.start()
    try:
        server.run(sockets=[listener])
    finally:
        post.stop()
        app.finish()


def _post(config: Config, live: Live | None) -> Post:
    def private() -> frozenset[str]:
        return (config if live is None else live.config).commands.private

    return Post(config.hooks, config.server.state_dir, os.environ, private)


def uvicorn_config(settings: Server, app: ServerApp) -> uvicorn.Config:
    """Return how uvicorn is to serve.

    Raises:
        InvalidInput: the certificate cannot be used.
    """
    try:
        made = uvicorn.Config(
            app,
            http=LendingProtocol,
            interface="asgi3",
            ws=BoundedWebSocket,
            ws_max_size=WEBSOCKET_BYTES,
            ws_per_message_deflate=False,  # some 100 KiB a viewer, and a copy of each message for each
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            root_path=settings.root_path,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )
        made.load()
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(
            f"the certificate cannot be used: {(error.strerror or str(error)).lower()}",
            op="serve",
            subject="tls_certificate",
            hint="tls_certificate and tls_key name files in PEM format that belong together",
        ) from None
    return made


def address_of(settings: Server, listener: socket.socket) -> str:
    """Return the address by which it is asked, with the port that it really has."""
    if settings.uds is not None:
        return f"unix:{settings.uds}"
    scheme = "http" if settings.tls_certificate is None else "https"
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}{settings.root_path}/"


def is_free(host: str, port: int) -> bool:
    """Tell whether one could listen there now."""
    try:
        _tcp(host, port).close()
    except OSError:
        return False
    return True


@contextmanager
def _listening(settings: Server) -> Iterator[socket.socket]:
    """Have the socket that it listens on; a Unix socket is removed afterwards.

    Raises:
        InvalidInput: it cannot listen there.
    """
    try:
        listener = _unix(settings.uds) if settings.uds is not None else _tcp(settings.host, settings.port)
    except OSError as error:
        where = settings.uds or f"{settings.host}:{settings.port}"
        raise InvalidInput(
            f"cannot listen on {where}: {(error.strerror or str(error)).lower()}",
            op="serve",
            subject=where,
            hint="another program may be there: choose another place, or port 0 for any that is free",
        ) from None
    try:
        yield listener
    finally:
        listener.close()
        if settings.uds is not None:
            Path(settings.uds).unlink(missing_ok=True)


def _tcp(host: str, port: int) -> socket.socket:
    family, kind, _proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def _unix(path: str) -> socket.socket:
    """Listen on a Unix socket that its owner and group may use; one that a dead server has left is replaced."""
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        listener.bind(path)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.set_inheritable(True)
    return listener


def _remove_stale(path: str) -> None:
    try:
        is_socket = stat.S_ISSOCK(Path(path).stat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
