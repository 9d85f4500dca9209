"""The websocket wire."""

import json
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Gap
from tailrace.core.timeline import Stream
from tailrace.core.wires import LIMIT_BYTES
from tailrace.core.wires.websocket import HEADER, Message, WebsocketFramer, messages
from tests.unit.core.wires.outputs import ERR, OUT, RUN, RUNNING, Output, chunk, outputs


class Received:
    """What a client has of the output, read by a description of its own."""

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        self.data = b""
        self.streams: list[int] = []
        self.types: list[str] = []

    def take(self, message: Message) -> None:
        """Take one message, which must go on where the last one ended."""
        if message.is_text:
            self.types.append(json.loads(message.data)["type"])
            return
        kind, stream = message.data[0], message.data[1]
        offset, _time = struct.unpack(">Qq", message.data[2:18])
        assert (kind, offset) == (1, self.offset)
        output = message.data[18:]
        assert 0 < len(output) <= 65536
        self.offset += len(output)
        self.data += output
        self.streams += [stream] * len(output)


def received(records: bytes, offset: int = 0) -> Received:
    """Return what a client has of these records."""
    client = Received(offset)
    for message in messages(records):
        client.take(message)
    return client


@pytest.mark.parametrize(
    ("stream", "time_s", "head"),
    [
        (OUT, 1.25, "01 01 0000000000000005 00000000001312d0"),
        (ERR, 0.0, "01 02 0000000000000005 0000000000000000"),
        (Stream.MIXED, None, "01 03 0000000000000005 ffffffffffffffff"),
    ],
)
def test_the_header(stream: Stream, time_s: float | None, head: str) -> None:
    """Kind, stream, offset and time, big-endian; then the exact bytes, valid text or not."""
    made = WebsocketFramer(RUN, 5)
    (message,) = messages(made.output(chunk(5, b"\xff\x00\r\n", stream, time_s)))
    assert message == Message(is_text=False, data=bytes.fromhex(head) + b"\xff\x00\r\n")
    assert HEADER.size == 18
    assert made.resume_offset == 9


def test_a_whole_stream() -> None:
    """The state first, then output with its gaps, how far behind one is, and the end."""
    made = WebsocketFramer(RUN, 0)
    framed = made.begin(RUNNING) + made.output(chunk(0, b"one")) + made.flush() + made.heartbeat()
    framed += made.gap(Gap(3, 7, "damage")) + made.lagging(9_000_000) + made.interval("still there")
    framed += made.output(chunk(7, b"two")) + made.state(RUNNING) + made.end(RUNNING)
    found = [json.loads(message.data) if message.is_text else message.data[18:] for message in messages(framed)]
    run = json.loads(msgspec.json.encode(RUNNING))
    assert found == [
        {"type": "state", **run},
        b"one",
        {"type": "gap", "from": 3, "to": 7, "why": "damage"},
        {"type": "lagging", "offset": 7, "behind": 9_000_000},
        {"type": "interval", "text": "still there"},
        b"two",
        {"type": "state", **run},
        {"type": "end", **run},
    ]
    assert made.resume_offset == 10
    assert not made.aborts


@pytest.mark.parametrize("size", [1, LIMIT_BYTES - 1, LIMIT_BYTES, LIMIT_BYTES + 1, 3 * LIMIT_BYTES])
def test_messages_are_bounded(size: int) -> None:
    """A long chunk comes in messages of 64 KiB, each with its own offset."""
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    client = received(WebsocketFramer(RUN, 3).output(chunk(3, data)), 3)
    assert client.data == data


def test_nothing_makes_no_message() -> None:
    """A chunk without bytes says nothing."""
    assert list(messages(WebsocketFramer(RUN, 0).output(chunk(0, b"")))) == []


def test_bytes_never_come_twice() -> None:
    """Output from before the offset is refused."""
    made = WebsocketFramer(RUN, 5)
    with pytest.raises(StreamBroken):
        made.output(chunk(4, b"x"))


@given(outputs, st.data())
def test_any_cut_resumes(output: Output, data: st.DataObject) -> None:
    """Whatever the chunks and wherever connections are cut, even within records that were joined, nothing is lost."""
    client = Received()
    is_end = False
    cuts_left = data.draw(st.integers(0, 3))
    while not is_end:
        made = WebsocketFramer(RUN, client.offset)
        pieces = output.chunks(client.offset, lambda most: data.draw(st.integers(1, most)))
        records = made.begin(RUNNING) + b"".join(map(made.output, pieces)) + made.end(RUNNING)
        all_messages = list(messages(records))
        size = data.draw(st.integers(0, len(all_messages))) if cuts_left else len(all_messages)
        for message in all_messages[:size]:
            client.take(message)
        is_end = bool(client.types) and client.types[-1] == "end"
        cuts_left -= 1
    assert client.data == output.data
    assert client.streams == [int(stream) for stream in output.streams]


@given(outputs, st.data())
def test_another_framer_goes_on(output: Output, data: st.DataObject) -> None:
    """A viewer may change to a broadcast's framer, and back, between any two chunks."""
    made = WebsocketFramer(RUN, 0)
    records = b""
    for piece in output.chunks(0, lambda most: data.draw(st.integers(1, most))):
        records += made.output(piece)
        made = made.at(made.resume_offset)  # type: ignore[assignment]
    assert received(records).data == output.data
