"""What follows from a websocket that was tried: whether it opens at all, and whether messages pass both ways."""

from http import HTTPStatus
from statistics import median
from typing import Final

from tailrace.doctor.findings import Finding, fine, wrong
from tailrace.doctor.proxies import LOGS, cure
from tailrace.doctor.requests import Proxies, told
from tailrace.doctor.talking import WIRE, Talk

HELD_S: Final = 1.0
"""by which the usual answer is late, where something holds messages back"""
NONE_HERE: Final = fine("websocket", "this server opens none (WSGI has none); streams and requests do it all", WIRE)
_UPGRADE: Final = "the proxy does not pass the upgrade to a WebSocket on"


def judge(talked: Talk, proxies: Proxies) -> Finding:
    """Return what follows from a websocket at a server that can open one."""
    if not talked.is_open:
        return _refused(talked, proxies)
    asked, answered = len(talked.asked_s), len(talked.rounds_s)
    if answered < asked:
        message = f"of {asked} messages to the server, {answered} were answered"
        return wrong("websocket", f"a WebSocket opens, but {message}", cure("loss", proxies), WIRE)
    late_s = max(talked.rounds_s, default=0.0)
    if talked.rounds_s and median(talked.rounds_s) >= HELD_S:
        message = f"messages are held back: {late_s:.1f} s there and back"
        return wrong("websocket", f"a WebSocket opens, but {message}", cure("buffering", proxies), WIRE)
    return fine("websocket", f"a WebSocket opens, and messages pass both ways ({late_s * 1000:.0f} ms at most)", WIRE)


def _refused(talked: Talk, proxies: Proxies) -> Finding:
    answer = talked.answer
    problem = told(answer)
    if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        message = "something on the way answers the handshake of a WebSocket with that of another"
        return wrong("websocket", message, cure("cache", proxies), WIRE)
    if problem is not None and answer.status == HTTPStatus.FORBIDDEN:
        return wrong("websocket", f"no WebSocket opens: {problem.detail}", cure("host", proxies), WIRE)
    if problem is not None and answer.status == HTTPStatus.NOT_IMPLEMENTED:
        return wrong("websocket", f"{_UPGRADE}: the server sees a plain GET", cure("websocket", proxies), WIRE)
    if problem is not None:
        return wrong("websocket", f"no WebSocket opens: {problem.detail}", problem.hint, WIRE)
    message = f"no WebSocket opens: the handshake is answered with {answer.status}"
    return wrong("websocket", message, cure("websocket", proxies) if answer.status < 500 else LOGS, WIRE)
