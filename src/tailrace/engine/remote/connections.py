"""Requests to one server: connections that are made, used again, and closed.

A GET takes a connection that is left from the one before, if there is one; when that turns out to have been closed by
the server meanwhile, another is made. Anything that changes something gets a connection of its own, so that a failure
in the middle of it is never taken for one that was there before; and it is sent once.
"""

import os
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLCertVerificationError, SSLContext, create_default_context
from types import MappingProxyType
from typing import NamedTuple

from tailrace._version import __version__
from tailrace.core.errors import EngineError, EngineUnavailable, InvalidInput
from tailrace.engine.remote.address import Address
from tailrace.engine.remote.answers import Reply
from tailrace.engine.remote.multipart import Form

CONNECT_S = 10.0
ANSWER_S = 30.0
"""without a byte of an answer; a server answers input after 10 s at the latest"""
SILENCE_S = 45.0
"""of an event stream, which has a heartbeat each 15 s"""
BODY_BYTES = 64 << 20
"""of an answer that is taken whole"""
KEPT = 4
"""idle connections"""
_NONE: Mapping[str, str] = MappingProxyType({})


class _Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | Iterable[bytes] | None = None
    unless: int | None = None


class Unanswered(EngineUnavailable):
    """The request was sent, and no answer came: nobody knows whether it was carried out."""


class Opened:
    """An answer that is read as it comes. One thread reads; any may `cut`."""

    def __init__(self, connection: HTTPConnection, sock: socket.socket, response: HTTPResponse) -> None:
        self._connection = connection
        self._sock = sock
        self._response = response

    @property
    def content_type(self) -> str:
        """The type of what is read, without its parameters."""
        return (self._response.getheader("Content-Type") or "").partition(";")[0].strip().lower()[:80]

    def read(self) -> bytes:
        """Return what is there, waiting for something; empty at the answer's end.

        Raises:
            OSError, HTTPException: the connection broke, or nothing came for so long.
        """
        return self._response.read1(64 << 10)

    def cut(self) -> None:
        """Have whoever reads, in whichever thread, find the connection broken."""
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # not TLS's own, which is not for two threads

    def close(self) -> None:
        """Let go of the connection; for the thread that reads. Safe to repeat."""
        self._response.close()
        self._connection.close()
        self._sock.close()


class Connections:
    """Makes requests to a server. For any thread."""

    def __init__(self, address: Address, token: str | None, headers: Mapping[str, str] = _NONE) -> None:
        """Take note; nothing is connected yet.

        Args:
            address: the server's.
            token: sent with every request, unless a header says otherwise.
            headers: sent with every request, by their names as `remote.headers` writes them.

        Raises:
            InvalidInput: the token cannot be sent.
        """
        self.address = address
        self._headers = {"User-Agent": f"tailrace/{__version__}"}
        if token:
            if not token.isascii() or not token.isprintable() or " " in token:
                raise InvalidInput(
                    "the token has characters that no token has",
                    op="connect",
                    subject="token",
                    hint="see TAILRACE_TOKEN, or token=: ASCII, without spaces or line ends",
                )
            self._headers["Authorization"] = f"Bearer {token}"
        self._headers.update(headers)
        self._tls: SSLContext | None = None
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._kept = KEPT
        self._pid = os.getpid()

    def get(self, path: str, headers: Mapping[str, str] = _NONE, *, unless: int | None = None) -> Reply:
        """Return the answer to a GET.

        Args:
            path: below the server's prefix, with its query.
            headers: beside those that every request has.
            unless: the status of an answer whose body is not wanted, and may never end.

        Raises:
            EngineUnavailable: the server cannot be reached, or does not answer.
            EngineError: its certificate, or its answer, is no good.
        """
        asked = _Asked("GET", path, headers, unless=unless)
        left = self._take()
        if left is not None:
            try:
                return self._exchange(left, asked)
            except (OSError, HTTPException):
                left.close()
        return self._ask(self._connect(ANSWER_S), asked)

    def post(self, path: str, body: bytes = b"", content_type: str | None = None) -> Reply:
        """Return the answer to a POST, which is sent once.

        Raises:
            Unanswered: it was sent, and no answer came.
            EngineUnavailable: the server cannot be reached; nothing was sent.
            EngineError: its certificate, or its answer, is no good.
        """
        headers = {} if content_type is None else {"Content-Type": content_type}
        return self._ask(self._connect(ANSWER_S), _Asked("POST", path, headers, body))

    def post_form(self, path: str, form: Form) -> Reply:
        """Return the answer to a POST of a form with files, which is sent once.

        Raises:
            Unanswered, EngineUnavailable, EngineError: see `post`.
            InvalidInput: a file has become shorter while it was sent; the server has not taken the form.
        """
        headers = {"Content-Type": form.content_type, "Content-Length": str(form.size)}
        connection = self._connect(ANSWER_S)
        try:
            return self._ask(connection, _Asked("POST", path, headers, iter(form)))
        finally:
            connection.close()

    def open(self, path: str, headers: Mapping[str, str]) -> Opened | Reply:
        """Return the answer to a GET, to be read as it comes; any but a 200 is returned whole.

        Raises:
            EngineUnavailable: the server cannot be reached, or does not answer.
            EngineError: its certificate is no good.
        """
        connection = self._connect(SILENCE_S)
        sock = connection.sock
        try:
            connection.request("GET", self.address.prefix + path, headers={**self._headers, **headers})
            response = connection.getresponse()
            if response.status == 200:
                return Opened(connection, sock, response)
            reply = _reply(response)
        except (OSError, HTTPException) as error:
            connection.close()
            sock.close()
            raise self._unanswered(error) from None
        connection.close()
        return reply

    def close(self) -> None:
        """Close what is idle, and from now on whatever becomes so."""
        with self._lock:
            idle, self._idle, self._kept = self._idle, [], 0
        for connection in idle:
            connection.close()

    def _ask(self, connection: HTTPConnection, asked: "_Asked") -> Reply:
        try:
            return self._exchange(connection, asked)
        except (OSError, HTTPException) as error:
            connection.close()
            raise self._unanswered(error) from None

    def _exchange(self, connection: HTTPConnection, asked: "_Asked") -> Reply:
        headers = {**self._headers, **asked.headers}
        try:
            connection.request(asked.method, self.address.prefix + asked.path, asked.body, headers)
        except (BrokenPipeError, ConnectionResetError):
            if asked.body is None:
                raise
            # the server may have answered before it had all of the body (RFC 9112, 9.5)
        with connection.getresponse() as response:
            if response.status == asked.unless:
                connection.close()
                return _reply(response, body=b"")
            reply = _reply(response)
            is_done = response.isclosed() and not response.will_close
        if is_done and asked.method == "GET":
            self._give_back(connection)
        else:
            connection.close()
        return reply

    def _connect(self, timeout_s: float) -> HTTPConnection:
        """Return a connection that is there.

        Raises:
            EngineUnavailable: the server cannot be reached.
            EngineError: its certificate is no good.
        """
        at = self.address
        connection = (
            HTTPSConnection(at.host, at.port, timeout=CONNECT_S, context=self._context())
            if at.is_tls
            else HTTPConnection(at.host, at.port, timeout=CONNECT_S)
        )
        try:
            connection.connect()
        except SSLCertVerificationError as error:
            raise EngineError(
                f"the certificate of {at} cannot be trusted: {error.verify_message}",
                op="connect",
                subject=str(at),
                hint="the variable SSL_CERT_FILE names a file with the certificates that are trusted",
            ) from None
        except (OSError, UnicodeError) as error:
            raise EngineUnavailable(
                f"{at} cannot be reached: {_words(error)}",
                op="connect",
                subject=str(at),
                hint="see that the server runs, and that this is its address",
            ) from None
        connection.sock.settimeout(timeout_s)
        return connection

    def _context(self) -> SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = create_default_context()
            return self._tls

    def _take(self) -> HTTPConnection | None:
        """Return an idle connection; none of those that a process before a fork made."""
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._idle = os.getpid(), []
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: HTTPConnection) -> None:
        with self._lock:
            if len(self._idle) < self._kept and self._pid == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def _unanswered(self, error: Exception) -> Unanswered:
        return Unanswered(
            f"{self.address} gave no answer: {_words(error)}",
            op="ask",
            subject=str(self.address),
            hint="try again; if that does not help, see whether the server runs",
        )


def _reply(response: HTTPResponse, body: bytes | None = None) -> Reply:
    """Return the answer with its body.

    Raises:
        HTTPException: the body is longer than any of ours is.
    """
    data = response.read(BODY_BYTES + 1) if body is None else body
    if len(data) > BODY_BYTES:
        raise HTTPException(f"an answer of more than {BODY_BYTES} bytes")
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, data)


def _words(error: Exception) -> str:
    """Return what broke, in a few words."""
    if isinstance(error, TimeoutError):
        return "nothing came in time"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).lower()
