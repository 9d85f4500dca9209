"""The connection to a viewer, as far as a WSGI server shows it.

A body that only yields learns that its viewer has left when a write fails; while the command is silent, never. So the
client's socket is waited for together with the output. Readable is not closed: it may be the next request of a
pipeline, which would be readable for ever. So from then on the socket is left alone, and a failing write tells.

A client that has closed its sending side only (`shutdown(2)`) looks the same as one that has left, and is treated so,
as nginx and Go's net/http do.
"""

import _socket  # the one that gevent and eventlet leave alone: a peek must not wait
from collections.abc import Mapping

UNSENT_BYTES = 128 << 10
"""of what was sent to a viewer, at most so much waits in the kernel; then the server's thread waits, and nobody else"""
SOCKETS = ("gunicorn.socket", "werkzeug.socket")
"""where servers put the client's socket in the WSGI environment"""


class Client:
    """A viewer's connection; one that no server shows never seems gone."""

    def __init__(self, fd: int = -1) -> None:
        self._fd = fd

    @property
    def fds(self) -> list[int]:
        """What to wait for, besides the output."""
        return [self._fd] if self._fd >= 0 else []

    def is_gone(self) -> bool:
        """Tell, at once, whether the client has closed; to be asked when its descriptor is readable."""
        if self._fd < 0:
            return False
        peeked = _peek(self._fd)
        if peeked:
            self._fd = -1
        return peeked == b""


def client_of(environ: Mapping[str, object]) -> Client:
    """Return the client of a WSGI request."""
    for name in SOCKETS:
        if (fileno := getattr(environ.get(name), "fileno", None)) is not None:
            _bound(fileno())
            return Client(fileno())
    return Client()


def _bound(fd: int) -> None:
    """Have the kernel take at most `UNSENT_BYTES` that the viewer has no room for yet, instead of some 4 MiB."""
    peer = _socket.socket(fileno=fd)
    try:
        peer.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    except (OSError, AttributeError):
        return  # not TCP, or a system that has no such option: its own bound stands
    finally:
        peer.detach()


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
