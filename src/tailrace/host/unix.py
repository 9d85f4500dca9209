"""Unix sockets, by directory: a socket's name in the system is at most 107 bytes long, a state directory's path is not.

Binding and connecting go through /proc/self/fd/N/NAME, which is short whatever the directory's path.
"""

import os
import socket
import struct
import sys

_PEER = struct.Struct("3i")


def listen(name: str, *, dir_fd: int, backlog: int = 128) -> socket.socket:
    """Return a non-blocking listening socket, bound to `name` in the directory; an older one of that name is replaced.

    Raises:
        OSError: the directory takes no socket.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        try:
            os.unlink(name, dir_fd=dir_fd)
        except FileNotFoundError:
            pass
        listener.bind(_path(name, dir_fd))
        os.chmod(name, 0o600, dir_fd=dir_fd)
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def connect(name: str, *, dir_fd: int, timeout_s: float) -> socket.socket:
    """Return a socket connected to `name` in the directory.

    Raises:
        OSError: nobody listens (ConnectionRefusedError, FileNotFoundError), or not in time (TimeoutError).
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        client.settimeout(timeout_s)
        client.connect(_path(name, dir_fd))
    except OSError:
        client.close()
        raise
    return client


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection by which messages come whole."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def is_same_user(peer: socket.socket) -> bool:
    """Tell whether the other end runs as our user, or as root."""
    if sys.platform != "linux":
        return True
    _pid, uid, _gid = _PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return uid in (os.geteuid(), 0)


def _path(name: str, dir_fd: int) -> str:
    if sys.platform == "linux":
        return f"/proc/self/fd/{dir_fd}/{name}"
    return os.path.join(os.fsdecode(_directory(dir_fd)), name)


def _directory(dir_fd: int) -> bytes:
    import fcntl

    return fcntl.fcntl(dir_fd, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0")  # type: ignore[attr-defined]
