import socket

import pytest

from tailrace.web.client import SOCKETS, Client, client_of


@pytest.mark.parametrize("name", SOCKETS)
def test_a_server_shows_its_socket(name: str) -> None:
    """Found in the WSGI environment, under the name that the server gives it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = client_of({"REQUEST_METHOD": "GET", name: ours})
        assert client.fds == [ours.fileno()]
        assert not client.is_gone()
        theirs.close()
        assert client.is_gone()


def test_a_pipelined_request_is_not_a_farewell() -> None:
    """Bytes that wait stay where they are, and the socket, now readable for ever, is not waited for any more."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = Client(ours.fileno())
        theirs.sendall(b"GET /")
        assert not client.is_gone()
        assert client.fds == []
        assert ours.recv(9) == b"GET /"


def test_a_reset_is_a_farewell() -> None:
    """A client that has been killed has left, too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _address = listener.accept()
        with ours:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            theirs.close()
            assert Client(ours.fileno()).is_gone()


@pytest.mark.parametrize("environ", [{}, {"werkzeug.socket": None}, {"gunicorn.socket": "not a socket"}])
def test_without_a_socket_nobody_is_ever_gone(environ: dict[str, object]) -> None:
    """A server that shows none is no obstacle."""
    client = client_of(environ)
    assert client.fds == []
    assert not client.is_gone()
