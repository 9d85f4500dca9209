"""Waiting for descriptors: in a thread, under gevent, under eventlet, whether they are patched in or not.

A greenlet that blocks its operating-system thread stops every other greenlet: that is why the article needed
`monkey_patch`. Here the caller's world is looked at each time: a gevent hub in this thread, then an eventlet hub, else
a plain `poll(2)`; never a hub is created.
"""

import sys
from collections.abc import Sequence

from tailrace.follow import real

POLLIN = 1
"""poll(2); eventlet takes the constants away with `select.poll`"""


def readable(fds: Sequence[int], timeout_s: float | None) -> list[int]:
    """Return those of the descriptors that are readable (or hung up), waiting at most `timeout_s` (None: for ever)."""
    if _is_in_gevent():
        from gevent import select as gevent_select

        return list(gevent_select.select(list(fds), [], [], timeout_s)[0])
    if _is_in_eventlet():
        from eventlet.green import select as eventlet_select

        return list(eventlet_select.select(list(fds), [], [], timeout_s)[0])
    poll = real.make_poll()
    for fd in fds:
        poll.register(fd, POLLIN)
    return [fd for fd, _events in poll.poll(None if timeout_s is None else timeout_s * 1000)]


def _is_in_gevent() -> bool:
    if "gevent" not in sys.modules:
        return False
    from gevent import getcurrent
    from gevent._hub_local import get_hub_if_exists

    hub = get_hub_if_exists()
    return hub is not None and getcurrent() is not hub


def _is_in_eventlet() -> bool:
    hubs = sys.modules.get("eventlet.hubs")
    hub = getattr(getattr(hubs, "_threadlocal", None), "hub", None)
    if hub is None or not hub.running:
        return False
    from eventlet.support import greenlets

    return bool(greenlets.getcurrent() is not hub.greenlet)
