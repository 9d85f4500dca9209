import socket
from contextlib import closing

import pytest

from tailrace.hooks.address import Unreachable, connect, is_public

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%lo",
    "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:7f00:1:0:0:0:1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
DISGUISES = [
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "0",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_these_are_not_the_internet(text: str) -> None:
    """This machine, its networks, a cloud's metadata, and what leads there by another kind of address."""
    assert not is_public(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_these_are(text: str) -> None:
    """Everybody's addresses, and ways to them."""
    assert is_public(text)


@pytest.mark.parametrize("host", DISGUISES)
def test_a_name_is_what_it_leads_to(host: str) -> None:
    """However this machine is written, nothing is sent to it; not even a connection is tried."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.setblocking(False)
        with pytest.raises(Unreachable, match=r"no public address|cannot be resolved"):
            connect(host, listener.getsockname()[1], 5, allow_private=False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_it_may_be_allowed() -> None:
    """Then there is a connection, to the address that was looked at."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        place = listener.getsockname()
        with closing(connect("127.1", place[1], 5, allow_private=True)) as connection:
            assert connection.getpeername() == place


def test_nobody_there_is_said() -> None:
    """With the host, and why."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match=r"cannot connect to 127\.0\.0\.1: connection refused"):
        connect("127.0.0.1", port, 5, allow_private=True)
    with pytest.raises(Unreachable, match="cannot be resolved"):
        connect("nowhere.invalid", 80, 5, allow_private=True)
