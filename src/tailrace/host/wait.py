"""Waiting for descriptors: in a thread, under gevent, under eventlet, whether they are patched in or not.

A greenlet that blocks its operating-system thread stops every other greenlet: that is why the article needed
`monkey_patch`. Here the caller's world is looked at each time: a gevent hub in this thread, then an eventlet hub, else
a plain `poll(2)`; never a hub is created.

Both hubs are used directly. Their own `select` looks with the system's, which refuses descriptors above 1023, about 300
viewers; and eventlet's switches into its caller once for each descriptor that is ready, the second time wherever that
caller waits by then.
"""

import select
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from tailrace.host import real

_AT_ONCE = 8
POLLIN = 1
"""poll(2); eventlet takes the constants away with `select.poll`"""


class _Greenlet(Protocol):
    def switch(self) -> object: ...

    def throw(self, *error: object) -> object: ...


class _Throw(Protocol):
    def __call__(self, *error: object) -> object: ...


class _Timer(Protocol):
    def cancel(self) -> None: ...


class _EventletHub(Protocol):
    """What is used of eventlet's hubs."""

    greenlet: _Greenlet

    def add(
        self,
        kind: str,
        fd: int,
        ready: Callable[[int], None],
        throw: _Throw,
        closed: Callable[[], None],
    ) -> object: ...

    def remove(self, listener: object) -> None: ...

    def schedule_call_global(self, seconds: float, call: Callable[[], None]) -> _Timer: ...

    def switch(self) -> object: ...


def readable(fds: Sequence[int], timeout_s: float | None) -> list[int]:
    """Return those of the descriptors that are readable (or hung up), waiting at most `timeout_s` (None: for ever).

    In a hub, no two greenlets may wait for the same descriptor at a time.
    """
    left_s = None if timeout_s is None else max(0.0, timeout_s)
    if _is_in_gevent():
        return _in_gevent(fds, left_s)
    if (hub := _eventlet_hub()) is not None:
        return _in_eventlet(hub, fds, left_s)
    poll = real.make_poll()
    for fd in fds:
        poll.register(fd, POLLIN)
    return [fd for fd, _events in poll.poll(None if left_s is None else left_s * 1000)]


def first_of(epoll: "select.epoll", timeout_s: float) -> list[int]:
    """Return descriptors of which an epoll tells now, or within `timeout_s` at most (infinite: for ever)."""
    timeout = None if timeout_s == float("inf") else max(0.0, timeout_s)
    if _is_in_gevent() or _eventlet_hub() is not None:
        readable([epoll.fileno()], timeout)
        timeout = 0
    return [fd for fd, _events in epoll.poll(timeout, _AT_ONCE)]


def give_way() -> None:
    """Let the other greenlets of this thread run, if there are any; threads need no such thing."""
    if _is_in_gevent():
        from gevent import sleep as gevent_sleep

        gevent_sleep(0)
    elif _eventlet_hub() is not None:
        from eventlet import sleep as eventlet_sleep

        eventlet_sleep(0)


def _in_gevent(fds: Sequence[int], timeout_s: float | None) -> list[int]:
    from gevent import get_hub
    from gevent.event import Event

    loop = get_hub().loop
    ready: list[int] = []
    woken = Event()

    def wake(fd: int) -> None:
        ready.append(fd)
        woken.set()

    watchers = [loop.io(fd, POLLIN) for fd in fds]
    try:
        for fd, watcher in zip(fds, watchers, strict=True):
            watcher.start(wake, fd)
        woken.wait(timeout_s)
    finally:
        for watcher in watchers:
            watcher.stop()
            watcher.close()
    return list(dict.fromkeys(ready))


def _in_eventlet(hub: _EventletHub, fds: Sequence[int], timeout_s: float | None) -> list[int]:
    """Wait in the hub's own terms: a listener for each descriptor, and one switch back, whatever wakes us."""
    waiter = _current_greenlet()
    ready: list[int] = []
    is_woken = False

    def wake() -> None:
        nonlocal is_woken
        if not is_woken:
            is_woken = True
            waiter.switch()

    def wake_for(fd: int) -> None:
        if not is_woken:
            ready.append(fd)
        wake()

    def throw(*error: object) -> None:
        nonlocal is_woken
        if not is_woken:
            is_woken = True
            waiter.throw(*error)

    timer = None if timeout_s is None else hub.schedule_call_global(timeout_s, wake)
    listeners: list[object] = []
    try:
        listeners.extend(hub.add("read", fd, wake_for, throw, _ignore) for fd in fds)
        hub.switch()
    finally:
        is_woken = True
        for listener in listeners:
            hub.remove(listener)
        if timer is not None:
            timer.cancel()
    return ready


def _ignore() -> None:
    """Nothing of ours has to be marked as closed."""


def _is_in_gevent() -> bool:
    if "gevent" not in sys.modules:
        return False
    from gevent import getcurrent
    from gevent._hub_local import get_hub_if_exists

    hub = get_hub_if_exists()
    return hub is not None and getcurrent() is not hub


def _eventlet_hub() -> _EventletHub | None:
    """Return this thread's hub, if there is one and it is not the hub that asks.

    One that does not run yet is no exception: the first that waits starts it, and until then nobody in it can run.
    """
    hubs = sys.modules.get("eventlet.hubs")
    hub = cast("_EventletHub | None", getattr(getattr(hubs, "_threadlocal", None), "hub", None))
    return None if hub is None or _current_greenlet() is hub.greenlet else hub


def _current_greenlet() -> _Greenlet:
    from greenlet import getcurrent

    return cast("_Greenlet", getcurrent())
