"""The connection to a viewer, as far as a WSGI server shows it.

A body that only yields learns that its viewer has left when a write fails; while the command is silent, never. So the
client's socket is waited for together with the output. Readable is not closed: it may be the next request of a
pipeline, or TLS that talks about itself; what is there is never read, only whether the peer has hung up is asked
(`POLLRDHUP`, poll(2)). Data would keep the socket readable for ever, so from then on it is not waited for any more, but
asked from time to time, as is a server that shows no socket but tells whether its client is there (waitress).

A client that has closed its sending side only (`shutdown(2)`) looks the same as one that has left, and is treated so,
as nginx and Go's net/http do.
"""

import _socket  # the one that gevent and eventlet leave alone: a peek must not wait
import os
import struct
import sys
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import cast

from tailrace.host import real

UNSENT_BYTES = 128 << 10
"""of what was sent to a viewer, at most so much waits in the kernel; then the server's thread waits, and nobody else"""
SOCKETS = ("gunicorn.socket", "gunicorn.sock", "werkzeug.socket")
"""where servers put the client's socket in the WSGI environment"""
ASK_S = 0.25
"""between two questions whether the client is there, where nothing wakes us"""
HUNG_UP = 0x2000 | 0x10 | 0x08  # of Linux; gevent and eventlet take the names away with `select.poll`
"""POLLRDHUP, POLLHUP, POLLERR"""
NEVER = float("inf")


class Cut(Enum):
    """How a stream is stopped so that it cannot look complete; the server closes the connection afterwards."""

    CLOSE = auto()
    """nothing is to be done: the terminating chunk, or the rest of the announced length, is missing"""
    RESET = auto()
    """the end of the connection is the end of the body, or the server would still write a page about the error: so it
    ends at once, by an error (RST, RFC 9293)"""
    RESET_BY_SERVER = auto()
    """the same, by a server that does nothing but close it"""


class Client:
    """A viewer's connection; one that no server shows never seems gone.

    Args:
        fd: the socket's descriptor, which stays the server's; -1 if it shows none.
        has_left: tells at any time whether the client has left, where the server knows.
        is_plain: whether what comes over the socket is HTTP itself, not TLS.
        how: what stops a stream that must not look complete.
    """

    def __init__(
        self,
        fd: int = -1,
        *,
        has_left: Callable[[], bool] | None = None,
        is_plain: bool = True,
        how: Cut = Cut.CLOSE,
    ) -> None:
        self._fd = fd
        self._how = how
        self._has_left = has_left
        self._is_plain = is_plain
        self._is_waited_for = fd >= 0

    @property
    def fds(self) -> list[int]:
        """What to wait for, besides the output."""
        return [self._fd] if self._is_waited_for else []

    @property
    def ask_s(self) -> float:
        """How long to wait at most until `is_gone` is asked, though nothing is readable."""
        return ASK_S if self._has_left is not None or (self._fd >= 0 and not self._is_waited_for) else NEVER

    def is_gone(self) -> bool:
        """Tell, without waiting, whether the client has closed. Ask when a descriptor is readable, or after `ask_s`."""
        if self._has_left is not None and self._has_left():
            return True
        if self._fd < 0:
            return False
        if sys.platform != "linux":
            return self._is_at_end()
        if _has_hung_up(self._fd):
            return True
        self._is_waited_for = False
        return False

    def cut(self) -> bool:
        """Prepare the connection for being closed by the server before the stream's end.

        Returns:
            Whether that is all: the server may be let go on as if the stream were complete, and has nothing to log.
        """
        if self._has_left is not None and self._has_left():
            return True  # the server has closed the connection
        if self._fd < 0 or self._how is Cut.CLOSE:
            return False
        peer = _socket.socket(fileno=self._fd)
        try:
            peer.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, struct.pack("ii", 1, 0))
            if self._how is Cut.RESET:
                _replace(peer)
        except OSError:
            return False  # it has ended already
        finally:
            peer.detach()
        return self._how is Cut.RESET_BY_SERVER

    def _is_at_end(self) -> bool:
        """Peek: of the systems without POLLRDHUP."""
        peeked = _peek(self._fd) if self._is_plain else None
        if peeked != b"":
            self._is_waited_for = False
        return peeked == b""


def client_of(environ: Mapping[str, object]) -> Client:
    """Return the client of a WSGI request."""
    if str(environ.get("SERVER_PROTOCOL", "")).startswith("HTTP/2"):
        return Client()  # the socket is that of all streams of the connection
    if (fd := _fd_of(environ)) >= 0:
        _bound(fd)
        return Client(fd, is_plain=environ.get("wsgi.url_scheme") != "https", how=_cut_of(environ))
    if callable(has_left := environ.get("waitress.client_disconnected")):
        return Client(has_left=cast("Callable[[], bool]", has_left))
    return Client()


def _cut_of(environ: Mapping[str, object]) -> Cut:
    if "uwsgi.version" in environ:
        return Cut.RESET_BY_SERVER
    if "eventlet.input" in environ:  # by default it writes the traceback where no header was sent
        return Cut.RESET
    return Cut.RESET if environ.get("SERVER_PROTOCOL") == "HTTP/1.0" else Cut.CLOSE


def _fd_of(environ: Mapping[str, object]) -> int:
    """Return the descriptor of the client's socket, by whatever way this server shows it; -1 if it does not."""
    shown = [environ.get(name) for name in SOCKETS]
    if (eventlet_input := environ.get("eventlet.input")) is not None:
        shown.append(_call(eventlet_input, "get_socket"))
    shown.append(getattr(environ.get("wsgi.input"), "rfile", None))  # gevent.pywsgi: the file that it reads requests by
    for socket in shown:
        if isinstance(fd := _call(socket, "fileno"), int) and fd >= 0:
            return fd
    if (uwsgi := sys.modules.get("uwsgi")) is not None and isinstance(fd := _call(uwsgi, "connection_fd"), int):
        return fd
    return -1


def _call(owner: object, name: str) -> object:
    """Return what the method returns; None if there is no such method, or it has nothing to give."""
    method = getattr(owner, name, None)
    try:
        return cast("object", method()) if callable(method) else None
    except (OSError, ValueError):
        return None


def _bound(fd: int) -> None:
    """Have the kernel take at most `UNSENT_BYTES` that the viewer has no room for yet, instead of some 4 MiB."""
    try:
        peer = _socket.socket(fileno=fd)
    except OSError:
        return  # no socket: somebody's test, or a file
    try:
        peer.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    except (OSError, AttributeError):
        return  # not TCP, or a system that has no such option: its own bound stands
    finally:
        peer.detach()


def _replace(peer: _socket.socket) -> None:
    """Close the connection under the server's feet, which else would first say a proper farewell (`shutdown`).

    Its descriptor stays its own: a socket that was never connected takes the place.
    """
    fresh = _socket.socket(peer.family, _socket.SOCK_STREAM)
    try:
        os.dup2(fresh.fileno(), peer.fileno(), inheritable=False)
    finally:
        fresh.close()


def _has_hung_up(fd: int) -> bool:
    """Tell whether the peer has closed at least its sending side, whatever still waits to be read."""
    poll = real.make_poll()
    poll.register(fd, HUNG_UP)
    return bool(poll.poll(0))


def _peek(fd: int) -> bytes | None:
    """Return a byte that waits, empty at the end, None if nothing is there yet."""
    peer = _socket.socket(fileno=fd)
    try:
        return peer.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""
    finally:
        peer.detach()
