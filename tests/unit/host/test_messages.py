"""Messages between processes of ours."""

import socket
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import EngineUnavailable
from tailrace.host import messages
from tailrace.host.messages import (
    LIMIT_BYTES,
    Begin,
    CloseInput,
    Configure,
    Drain,
    Inbox,
    Input,
    KeeperRequest,
    Reply,
    Resize,
    RunnerRequest,
    Signal,
    Status,
    Stop,
)  # fmt: skip

RUNNER: list[RunnerRequest] = [Begin("x", (1, 2, 3)), Status(), Drain(), Configure()]
KEEPER: list[KeeperRequest] = [
    Stop("me", now=True), Stop(), Signal(9), Input(b"\0\xff"), CloseInput(), Resize(1, 2),
]  # fmt: skip
EVERYTHING = b"".join(messages.encode(message) for message in (*RUNNER, *KEEPER, Reply()))


def bodies(inbox: Inbox) -> list[bytes]:
    """Return all whole messages."""
    found = []
    while (body := inbox.take()) is not None:
        found.append(body)
    return found


def test_every_message_comes_back() -> None:
    """What was encoded is decoded to the same."""
    inbox = Inbox()
    inbox.feed(EVERYTHING)
    found = bodies(inbox)
    assert [msgspec.msgpack.decode(body, type=RunnerRequest) for body in found[: len(RUNNER)]] == RUNNER
    assert [msgspec.msgpack.decode(body, type=KeeperRequest) for body in found[len(RUNNER) : -1]] == KEEPER
    assert msgspec.msgpack.decode(found[-1], type=Reply) == Reply()


def test_bytes_may_come_one_by_one() -> None:
    """A message is there with its last byte, not before."""
    whole, inbox = Inbox(), Inbox()
    whole.feed(EVERYTHING)
    found = []
    for index in range(len(EVERYTHING)):
        inbox.feed(EVERYTHING[index : index + 1])
        found += bodies(inbox)
    assert found == bodies(whole)


@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_any_split_is_the_same(contents: list[bytes], data: st.DataObject) -> None:
    """However the bytes are cut, the messages are the same; a rest stays."""
    stream = b"".join(len(content).to_bytes(4, "big") + content for content in contents) + b"\0\0"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    inbox, found = Inbox(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        inbox.feed(stream[begin:end])
        found += bodies(inbox)
    assert found == contents
    assert inbox.take() is None


def test_a_message_has_a_limit() -> None:
    """One that is announced as longer is refused at once, before it is there."""
    inbox = Inbox()
    inbox.feed(LIMIT_BYTES.to_bytes(4, "big"))
    assert inbox.take() is None
    too_long = Inbox()
    too_long.feed((LIMIT_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(ValueError, match="limit"):
        too_long.take()


def test_other_releases_are_understood() -> None:
    """Unknown fields are passed over; an unknown request is an error of its own."""
    newer = msgspec.msgpack.encode({"op": "stop", "by": "me", "gently": True})
    assert msgspec.msgpack.decode(newer, type=KeeperRequest) == Stop("me")
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode({"op": "dance"}), type=KeeperRequest)


def ask_somebody(answer: bytes) -> Reply:
    """Ask a process that answers so and hangs up."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        theirs.recv(65536)
        theirs.sendall(answer)
        theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return messages.ask(ours, Status())
    finally:
        thread.join()
        ours.close()


def test_an_answer_is_waited_for() -> None:
    """It is the reply, whatever else it says."""
    assert ask_somebody(messages.encode(Reply(pid=7))) == Reply(pid=7)


@pytest.mark.parametrize("answer", [b"", b"\0\0", b"\0\0\0\x05abc"])
def test_no_answer_is_an_error(answer: bytes) -> None:
    """The other end hung up before it had said all."""
    with pytest.raises(ConnectionResetError):
        ask_somebody(answer)


def test_nonsense_is_an_error() -> None:
    """With a hint."""
    with pytest.raises(EngineUnavailable) as caught:
        ask_somebody(b"\0\0\0\x03abc")
    assert caught.value.hint
