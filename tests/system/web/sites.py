"""The application under each adapter, asked in one way: Flask's in the test's process, ASGI's over real sockets."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from typing import Literal, Protocol, Self
from urllib.parse import quote

import uvicorn
from flask import Flask
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from tailrace import Engine
from tailrace._asgi.blueprint import AsgiApp
from tailrace.flask import Tailrace as FlaskTailrace
from tailrace.server.protocol import LendingProtocol
from tests.support.wait import wait_for

Kind = Literal["flask", "lent", "send"]
PROTOCOLS: Mapping[Kind, type[HttpToolsProtocol]] = {"lent": LendingProtocol, "send": HttpToolsProtocol}


class Answered(Protocol):
    """An answer, whole."""

    @property
    def status_code(self) -> int:
        """The status."""

    @property
    def headers(self) -> Headers:
        """The headers."""

    @property
    def data(self) -> bytes:
        """All of the body."""


class Reply(Answered, Protocol):
    """An answer, as it comes."""

    @property
    def pieces(self) -> Iterator[bytes]:
        """The body as it comes; raises ConnectionResetError where it is cut."""

    def close(self) -> None:
        """Leave."""


class Site(Protocol):
    """An application that can be asked."""

    @property
    def kind(self) -> Kind:
        """Which adapter it uses, and how it is served."""

    @property
    def engine(self) -> Engine:
        """The application's engine."""

    def open(
        self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None,
        data: bytes | None = None, content_type: str | None = None,
    ) -> Reply:  # fmt: skip
        """Return the answer to a request, when its headers have come."""

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Return the answer to a GET."""


class FlaskReply:
    """What Flask's own client got."""

    def __init__(self, response: TestResponse) -> None:
        self._response = response
        self.status_code = response.status_code
        self.headers = response.headers

    @property
    def pieces(self) -> Iterator[bytes]:
        """See `Reply.pieces`."""
        for data in self._response.response:
            yield data if isinstance(data, bytes) else data.encode()

    @property
    def data(self) -> bytes:
        """See `Reply.data`."""
        data: bytes = self._response.data
        return data

    def close(self) -> None:
        """See `Reply.close`."""
        self._response.close()


class FlaskSite:
    """A Flask application, in this process."""

    kind: Kind = "flask"

    def __init__(self, app: Flask) -> None:
        self.app = app

    @property
    def engine(self) -> Engine:
        """See `Site.engine`."""
        race: FlaskTailrace = self.app.extensions["tailrace"]
        return race.engine

    def open(
        self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None,
        data: bytes | None = None, content_type: str | None = None,
    ) -> Reply:  # fmt: skip
        """See `Site.open`."""
        client = self.app.test_client()
        return FlaskReply(
            client.open(path, method=method, headers=dict(headers or {}), data=data, content_type=content_type)
        )

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """See `Site.get`."""
        return self.open(path, headers=headers)


class Connection(HTTPConnection):
    """One that is closed after use."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_about: object) -> None:
        self.close()


class SocketReply:
    """What came over a connection of its own."""

    def __init__(self, connection: Connection, response: HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self.status_code = response.status
        hidden = ("connection", "transfer-encoding")
        rows = [(name, value) for name, value in response.getheaders() if name not in hidden]
        self.headers = Headers([(name.title().replace("Etag", "ETag"), value) for name, value in rows])

    @property
    def pieces(self) -> Iterator[bytes]:
        """See `Reply.pieces`."""
        try:
            while data := self._response.read1(1 << 16):
                yield data
            if self._response.length:
                raise ConnectionResetError("it stopped before its length")
        except IncompleteRead as error:
            raise ConnectionResetError("it stopped before its last chunk") from error

    @cached_property
    def data(self) -> bytes:
        """See `Reply.data`."""
        with self._connection:
            return b"".join(self.pieces)

    def close(self) -> None:
        """See `Reply.close`."""
        with suppress(OSError, AttributeError):  # it is closed already
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._response.close()
        self._connection.close()


class ServedSite:
    """An ASGI application, served by uvicorn in a thread of this process."""

    def __init__(self, app: AsgiApp, engine: Callable[[], Engine], kind: Kind) -> None:
        self.app = app
        self._engine = engine
        self.kind = kind
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port: int = self._listening.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, http=PROTOCOLS[kind], loop="auto", lifespan="off", log_config=None, access_log=False,
                server_header=False, date_header=False, ws="none",
            )
        )  # fmt: skip
        self._replies: list[SocketReply] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        wait_for(lambda: self._server.started)

    @property
    def engine(self) -> Engine:
        """See `Site.engine`."""
        return self._engine()

    @property
    def connections(self) -> int:
        """How many the server has."""
        return len(self._server.server_state.connections)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._server.serve(sockets=[self._listening]))

    def close(self) -> None:
        """End it, with whatever it still serves."""
        for reply in self._replies:
            reply.close()
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(60)
        self._listening.close()
        assert not self._thread.is_alive()

    def open(
        self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None,
        data: bytes | None = None, content_type: str | None = None,
    ) -> Reply:  # fmt: skip
        """See `Site.open`."""
        given = {**({} if content_type is None else {"Content-Type": content_type}), **(headers or {})}
        connection = Connection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, quote(path, safe="/?&=%:+.,"), skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": "localhost", **given}.items():
            connection.putheader(name, value)
        if data is not None or method == "POST":
            connection.putheader("Content-Length", str(len(data or b"")))
        connection.endheaders(data)
        reply = SocketReply(connection, connection.getresponse())
        self._replies.append(reply)
        return reply

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """See `Site.get`."""
        return self.open(path, headers=headers)
