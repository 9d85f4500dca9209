"""Waiting in each world, patched or not; each in an interpreter of its own, since patching is for good."""

import subprocess
import sys

import pytest

PLAIN = "spawn = sleep = None"
EVENTLET = "import eventlet; from eventlet import sleep; spawn = eventlet.spawn"
GEVENT = "import gevent; from gevent import sleep; spawn = gevent.spawn"
WORLDS = {
    "threads": PLAIN,
    "eventlet": EVENTLET,
    "eventlet-patched": "import eventlet; eventlet.monkey_patch(); " + EVENTLET,
    "gevent": GEVENT,
    "gevent-patched": "from gevent import monkey; monkey.patch_all(); " + GEVENT,
}
HUBS = sorted(set(WORLDS) - {"threads"})

ANSWERS = """
from tailrace.follow.bell import Bell
from tailrace.host.wait import readable
one, two = Bell(), Bell()
assert readable([one.fd, two.fd], 0.01) == []
assert readable([], 0.01) == []
assert readable([one.fd], 0) == []
two.ring()
assert readable([one.fd, two.fd], None) == [two.fd]
one.ring()
for _ in range(50):
    assert set(readable([one.fd, two.fd], None)) <= {one.fd, two.fd}
one.clear(), two.clear()
assert readable([one.fd, two.fd], 0.01) == []
"""

COOPERATES = """
from tailrace.follow.bell import Bell
from tailrace.host.wait import give_way, readable
told, bell, others = [], Bell(), [Bell() for _ in range(20)]
def waiter(other):
    told.append(readable([other.fd, fresh[other].fd], 60))
    sleep(0.05)  # a second switch, meant for the wait above, would end this early, and show in what sleep returns
    told.append("slept")
fresh = {other: Bell() for other in others}
for other in others:
    spawn(waiter, other)
def ringer():
    for other in others:
        other.ring(), fresh[other].ring()
    bell.ring()
spawn(ringer)
assert readable([bell.fd], 60) == [bell.fd]
while told.count("slept") < len(others):
    give_way()
assert len(told) == 2 * len(others)
"""

EDGES = """
import socket
from contextlib import closing
from tailrace.follow.bell import Bell
from tailrace.follow.waiter import IS_SHARED, make_waiter
bell, next_bell = Bell(), Bell()
ours, theirs = socket.socketpair()
peer = ours.fileno()
with closing(make_waiter()) as one, closing(make_waiter()) as other:
    for waiter in (one, other) if IS_SHARED else (one,):
        waiter.listen(bell)
        assert waiter.wait(0.01, []) == (False, False)
    for _ in range(3):
        bell.ring()
        for waiter in (one, other) if IS_SHARED else (one,):
            assert waiter.wait(60, []) == (True, False)  # each hears it, nobody clears it
    one.listen(next_bell)
    for either in (next_bell, bell):
        either.ring()
        assert one.wait(60, []) == (True, False)  # it hears both
    one.deafen(bell)
    one.deafen(bell)
    bell.ring()
    assert one.wait(0.01, []) == (False, False)
    bell.close()
    next_bell.ring()
    assert one.wait(60, []) == (True, False)
    theirs.send(b"GET /")
    assert not IS_SHARED or one.wait(0.01, [peer]) == (False, False)
    theirs.close()
    assert one.wait(60, [peer]) == (False, True)
"""

HIGH = """
import os, resource
from tailrace.host.wait import readable
from tailrace.follow.bell import Bell
resource.setrlimit(resource.RLIMIT_NOFILE, (2000, max(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
bell = Bell()
high = os.dup2(bell.fd, 1500)
bell.ring()
assert readable([high], 60) == [high]
"""


def check(world: str, script: str) -> None:
    """Run the script in the world."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WORLDS[world] + "\n" + script],
        capture_output=True,
        timeout=100,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("world", WORLDS)
def test_says_what_is_readable(world: str) -> None:
    """One of two, none in time, and never what has been cleared."""
    check(world, ANSWERS)


@pytest.mark.parametrize("world", HUBS)
def test_greenlets_wait_beside_each_other(world: str) -> None:
    """Twenty wait for two descriptors each, that ring together; each is woken once, and only where it waited."""
    check(world, COOPERATES)


@pytest.mark.parametrize("world", WORLDS)
def test_one_bell_wakes_many(world: str) -> None:
    """Again and again, without being cleared; a peer's end is heard, what it says is not."""
    check(world, EDGES)


@pytest.mark.parametrize("world", WORLDS)
def test_any_descriptor_can_be_waited_for(world: str) -> None:
    """Those above 1023, which `select(2)` cannot name."""
    check(world, HIGH)
