"""The examination of a server and of whatever stands before it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tailrace.core.errors import InvalidInput
from tailrace.doctor import requests, sockets, streams
from tailrace.doctor.findings import Finding, Report
from tailrace.doctor.listening import Heard, listen, path_of
from tailrace.doctor.proxies import recognise
from tailrace.doctor.requests import REQUEST, SENT, Stopped
from tailrace.doctor.talking import talk
from tailrace.doctor.target import Target
from tailrace.web.probe import LONGEST_S, Plan
from tailrace.web.routes.probe import PROBE_HEADER, Seen

WIRES: Final = ("text", "lines", "sse", "ndjson")
IDLE_S: Final = 20.0
"""of silence: more than one heartbeat takes"""
SHORT: Final = Plan(pieces=3, every_s=0.1, silence_s=0.1)
MOST_IDLE_S: Final = LONGEST_S - 10


def examine(target: Target, idle_s: float = IDLE_S) -> Report:
    """Examine a server, and return what was found. It takes `idle_s` and a few seconds.

    Args:
        target: the server.
        idle_s: how long streams are silent, to see whether something cuts them; up to `MOST_IDLE_S`.

    Raises:
        InvalidInput: it cannot be reached, or is none of ours, or wants a login.
    """
    if not 0 < idle_s <= MOST_IDLE_S:
        raise InvalidInput(
            f"a silence cannot be {idle_s:g} s",
            op="examine",
            subject="idle",
            hint=f"more than 0, up to {MOST_IDLE_S:g}",
        )
    answer = target.ask("GET", REQUEST, SENT)
    proxies = recognise(answer.headers)
    try:
        seen = requests.look(target, answer, proxies)
    except Stopped as stopped:
        return Report(subject=target.url, proxies=proxies, findings=(stopped.finding,))
    findings: list[Finding] = [
        *requests.judge(target, seen, proxies),
        requests.judge_post(target, seen, proxies),
        requests.judge_head(target, proxies),
        requests.judge_cache(target, path_of("text", SHORT), PROBE_HEADER, proxies),
    ]
    packed = _listen(target, SHORT, "gzip")
    plan = Plan(silence_s=idle_s)
    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(talk, target, plan, _origin(target, seen)) if _may_open(seen) else None
        plain = _listen(target, plan, "identity")
    talked = talking.result() if talking is not None else None
    open_ones = [talked.heard] if talked is not None and talked.is_open else []
    findings += [*streams.judge([*plain, *open_ones], proxies), streams.judge_coding(plain, packed, proxies)]
    if talked is not None:
        findings.append(sockets.judge(talked, proxies))
    elif not seen.websockets:
        findings.append(sockets.NONE_HERE)
    return Report(subject=target.url, proxies=proxies, findings=tuple(findings))


def _listen(target: Target, plan: Plan, coding: str) -> Sequence[Heard]:
    """Listen on all wires at once."""
    with ThreadPoolExecutor(len(WIRES)) as pool:
        return list(pool.map(lambda wire: listen(target, wire, plan, coding=coding), WIRES))


def _may_open(seen: Seen) -> bool:
    """Tell whether a websocket is worth a try: over HTTP/1.0, which is found wrong already, none can be opened."""
    return seen.websockets and seen.http_version != "1.0"


def _origin(target: Target, seen: Seen) -> Mapping[str, str]:
    """Return what a page of the server's own would send, if the server knows that by its host."""
    return {"Origin": target.origin} if requests.has_host(target, seen) else {}
