import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.hook import Hook
from tailrace.hooks.webhook import NotDelivered, secret_of, send, signature
from tests.support.receiver import Receiver

KEY = b"k" * 32


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give one that says yes."""
    with closing(Receiver(204)) as made:
        yield made


def hook(port: int, path: str = "/in?a=b", **more: float) -> Hook:
    """Return one that sends there."""
    return Hook(
        name="h", url=f"http://127.0.0.1:{port}{path}", secret_env="S", allow_private=True, **more  # type: ignore[arg-type]  # numbers
    )  # fmt: skip


def test_a_signature_is_that_of_the_standard() -> None:
    """The example of the specification's own libraries."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_sent_is_signed(receiver: Receiver) -> None:
    """Over id, time and body, with the hook's secret, to the very address."""
    send(hook(receiver.port), KEY, "id-1", 1700000000, b'{"a": 1}')
    (received,) = receiver.received
    assert (received.path, received.body) == ("/in?a=b", b'{"a": 1}')
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["content-type"] == "application/json"
    assert (received.headers["webhook-id"], received.headers["webhook-timestamp"]) == ("id-1", "1700000000")
    digest = hmac.new(KEY, b'id-1.1700000000.{"a": 1}', hashlib.sha256).digest()
    assert received.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(("status", "why"), [(302, "redirects are not followed"), (404, "404"), (500, "500")])
def test_anything_but_a_yes_is_none(status: int, why: str) -> None:
    """A redirect is not followed either."""
    with closing(Receiver(status)) as receiver:
        with pytest.raises(NotDelivered, match=why):
            send(hook(receiver.port), KEY, "id", 1, b"{}")
        assert [received.path for received in receiver.received] == ["/in?a=b"]


def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would make the connection, to wherever."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    send(hook(receiver.port), KEY, "id", 1, b"{}")
    assert len(receiver.received) == 1


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nA: "], ids=["silent", "endless"])
def test_a_receiver_that_does_not_end_is_left(begin: bytes) -> None:
    """Whether it says nothing, or goes on and on, it has so long and no longer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        sending = hook(listener.getsockname()[1], timeout=0.3)
        with closing(_Slow(listener, begin)), pytest.raises(NotDelivered, match="longer than the hook's timeout"):
            send(sending, KEY, "id", 1, b"{}")


def test_what_is_no_http_is_said() -> None:
    """In words."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        closing(_Slow(listener, b"SSH-2.0-x\r\n")),
        pytest.raises(NotDelivered, match="no HTTP"),
    ):
        send(hook(listener.getsockname()[1]), KEY, "id", 1, b"{}")


def test_a_certificate_must_be_good(receiver: Receiver) -> None:
    """What does not speak TLS is no receiver of https."""
    secure = Hook(name="h", url=f"https://127.0.0.1:{receiver.port}/", secret_env="S", allow_private=True)
    with pytest.raises(NotDelivered):
        send(secure, KEY, "id", 1, b"{}")
    assert receiver.received == []


def test_secrets_are_read(tmp_path: Path) -> None:
    """From a file or the environment; as they are, or base64 behind whsec_."""
    (tmp_path / "s").write_text("0123456789abcdef\n")
    in_file = Hook(name="h", url="https://a.example", secret_file=str(tmp_path / "s"))
    assert secret_of(in_file, {}) == b"0123456789abcdef"
    in_env = Hook(name="h", url="https://a.example", secret_env="S")
    assert secret_of(in_env, {"S": "whsec_" + base64.b64encode(KEY).decode()}) == KEY
    for wrong in ({}, {"S": "short"}, {"S": "whsec_!"}):
        with pytest.raises(InvalidInput, match="the secret of hook h"):
            secret_of(in_env, wrong)


class _Slow:
    """Somebody who answers this much, then byte after byte."""

    def __init__(self, listener: socket.socket, begin: bytes) -> None:
        self._listener = listener
        self._begin = begin
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        connection, _address = self._listener.accept()
        with closing(connection):
            connection.recv(65536)
            if not self._begin:
                self._is_over.wait()
                return
            try:
                connection.sendall(self._begin)
                while not self._is_over.wait(0.02):
                    connection.sendall(b"x")
            except OSError:
                return

    def close(self) -> None:
        """End."""
        self._is_over.set()
        self._thread.join()
