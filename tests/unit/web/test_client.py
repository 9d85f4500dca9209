import socket

import pytest

from tailrace.web.client import NEVER, SOCKETS, Client, client_of


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
    """Bytes that wait stay where they are; the socket, readable for ever, is then asked from time to time instead."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = Client(ours.fileno())
        assert client.ask_s == NEVER
        theirs.sendall(b"GET /")
        assert not client.is_gone()
        assert client.fds == []
        assert client.ask_s < NEVER
        theirs.close()
        assert client.is_gone()
        assert ours.recv(9) == b"GET /"


def test_servers_that_show_no_socket_may_tell() -> None:
    """Waitress gives a function, which is asked from time to time."""
    answers = [False, True]
    client = client_of({"waitress.client_disconnected": lambda: answers.pop(0)})
    assert client.fds == []
    assert client.ask_s < NEVER
    assert not client.is_gone()
    assert client.is_gone()


def test_a_connection_of_many_streams_is_left_alone() -> None:
    """With HTTP/2 the socket belongs to others, too."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert client_of({"SERVER_PROTOCOL": "HTTP/2", "gunicorn.socket": ours}).fds == []


@pytest.mark.parametrize("environ", [{"SERVER_PROTOCOL": "HTTP/1.0"}, {"uwsgi.version": b"2"}])
def test_where_closing_is_the_end_a_cut_is_an_error(environ: dict[str, object]) -> None:
    """A body without length or chunks must not look complete."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _address = listener.accept()
        with theirs:
            assert client_of({"gunicorn.socket": ours, **environ}).cut() == ("uwsgi.version" in environ)
            ours.close()
            with pytest.raises(ConnectionResetError):
                theirs.recv(1)


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
