"""Bells, and waiting for them."""

import threading
from contextlib import closing

from tailrace.follow.bell import Bell
from tailrace.host.wait import readable


def test_a_bell_is_heard_until_it_is_cleared() -> None:
    """However often it was rung, also before anybody listened."""
    with closing(Bell()) as bell:
        assert readable([bell.fd], 0) == []
        for _ in range(100_000):
            bell.ring()
        assert readable([bell.fd], 0) == [bell.fd]
        assert readable([bell.fd], None) == [bell.fd]
        bell.clear()
        bell.clear()
        assert readable([bell.fd], 0) == []


def test_a_bell_wakes_another_thread() -> None:
    """Which waits for several, and learns which it was."""
    with closing(Bell()) as one, closing(Bell()) as other:
        heard: list[list[int]] = []
        thread = threading.Thread(target=lambda: heard.append(readable([one.fd, other.fd], 60)))
        thread.start()
        other.ring()
        thread.join(60)
        assert heard == [[other.fd]]


def test_a_closed_bell_may_be_rung() -> None:
    """Nobody waits any more, and nobody is disturbed."""
    bell = Bell()
    bell.close()
    bell.close()
    bell.ring()
