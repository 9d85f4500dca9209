"""Frames of a websocket, whole, byte by byte, and too long."""

import pytest
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode
from websockets.streams import StreamReader

from tailrace.doctor.listening import HELD_BYTES
from tailrace.doctor.talking import Frame, Frames, TooLong, frame

DATA = [b"", b"a", b"b" * 125, b"c" * 126, b"d" * 65535]


@pytest.mark.parametrize("data", DATA, ids=len)
def test_what_a_server_sends(data: bytes) -> None:
    """It is taken apart, however it is cut; what comes behind it waits."""
    sent = TheirFrame(Opcode.BINARY, data).serialize(mask=False)
    expected = [Frame(is_last=True, opcode=2, data=data)]
    assert list(Frames().take(sent + b"\x82")) == expected
    frames = Frames()
    cuts = range(0, len(sent), 1 if len(sent) < 500 else 999)
    step = cuts.step
    assert [found for at in cuts for found in frames.take(sent[at : at + step])] == expected


def test_what_is_no_message_of_a_probe() -> None:
    """A frame that is too long is not waited for."""
    with pytest.raises(TooLong):
        list(Frames().take(TheirFrame(Opcode.BINARY, bytes(HELD_BYTES + 1)).serialize(mask=False)[:100]))


@pytest.mark.parametrize("data", DATA, ids=len)
def test_what_is_sent(data: bytes) -> None:
    """Another's implementation reads it as it was meant."""
    reader = StreamReader()
    reader.feed_data(frame(1, data))
    parsing = TheirFrame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert done.value.value == TheirFrame(Opcode.TEXT, data)
