"""What follows from the streams that were listened to.

A piece that comes later than it should, measured against the one that came soonest, was held somewhere. A busy machine
holds some of them for a moment; a buffer holds most of them, until it is full or the stream is over.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import pairwise
from statistics import median
from typing import Final

from tailrace.doctor.findings import Finding, fine, note, wrong
from tailrace.doctor.listening import Heard
from tailrace.doctor.proxies import LOGS, cure
from tailrace.web.pace import HEARTBEAT_S
from tailrace.web.responses import LIVE

HELD_S: Final = 1.0
"""by which the usual piece is late, where something holds them back"""
LUMP_SHARE: Final = 0.7
"""of the pieces that came together with others"""
SLOW_S: Final = 2.0
"""to the first byte, which is sent at once"""
OWN: Final = {name.lower(): value for name, value in LIVE if name != "X-Accel-Buffering"}
"""headers that must arrive as they are; the other one is for nginx, which takes it away"""

OPEN: Final = (HTTPStatus.OK, HTTPStatus.SWITCHING_PROTOCOLS)
"""statuses of what streams"""

Proxies = tuple[str, ...]


def judge(streams: Sequence[Heard], proxies: Proxies) -> Iterator[Finding]:
    """Yield what follows from one stream on each wire, for which no compression was taken, and from a websocket."""
    for refused in (heard for heard in streams if heard.status not in OPEN):
        yield wrong("loss", f"instead of a stream, {refused.status} is answered", LOGS, refused.wire)
    streams = [heard for heard in streams if heard.status in OPEN]
    if streams:
        yield from _judge(streams, proxies)


def _judge(streams: Sequence[Heard], proxies: Proxies) -> Iterator[Finding]:
    if not any(map(is_held, streams)):
        yield _first(streams)  # else it is late for the same reason
    yield _buffering(streams, proxies)
    yield _idle(streams, proxies)
    yield from _loss(streams, proxies)
    yield _headers([heard for heard in streams if heard.status == HTTPStatus.OK], proxies)


def judge_coding(plain: Sequence[Heard], packed: Sequence[Heard], proxies: Proxies) -> Finding:
    """Return what is compressed, though none of it is to be.

    Args:
        plain: streams for which no compression was taken.
        packed: streams for which gzip was.
        proxies: those that were recognised.
    """
    unasked, asked = _names(heard for heard in plain if heard.coding), _names(heard for heard in packed if heard.coding)
    if not unasked and not asked:
        return fine("compression", "nothing is compressed on its way", *_names(packed))
    message = f"what streams is compressed{', also for clients that did not ask for it' if unasked else ''}"
    reason = "offsets and lengths of a text are no longer those of the output, and each viewer costs a compressor"
    return wrong("compression", f"{message}: {reason}", cure("compression", proxies), *(unasked or asked))


def _first(streams: Sequence[Heard]) -> Finding:
    slow = [heard for heard in streams if heard.first_s is None or heard.headers_s > SLOW_S]
    if not slow:
        most_s = max(heard.headers_s for heard in streams)
        return fine("start", f"streams begin at once (headers after {most_s * 1000:.0f} ms at most)", *_names(streams))
    most_s = max(heard.headers_s for heard in slow)
    return note(
        "start",
        f"streams begin late (headers after up to {most_s:.1f} s): held back, or one viewer waits for another",
        "if nothing holds back pieces, give the server more threads or workers",
        *_names(slow),
    )


def _buffering(streams: Sequence[Heard], proxies: Proxies) -> Finding:
    held = [heard for heard in streams if is_held(heard)]
    if not held:
        late_s = max((max(heard.late_s(), default=0.0) for heard in streams), default=0.0)
        return fine(
            "buffering", f"pieces arrive as they are sent ({late_s * 1000:.0f} ms late at most)", *_names(streams)
        )
    late_s = max(max(heard.late_s()) for heard in held)
    size = max(_lump_bytes(heard) for heard in held)
    return wrong(
        "buffering",
        f"pieces are held back for up to {late_s:.1f} s, {size} bytes at a time",
        cure("buffering", proxies),
        *_names(held),
    )


def is_held(heard: Heard) -> bool:
    """Tell whether something holds the pieces back."""
    late_s = heard.late_s()
    if len(late_s) < 2 or heard.coding:
        return False
    return median(late_s) >= HELD_S or _is_lumped(heard)


def _is_lumped(heard: Heard) -> bool:
    """Tell whether most pieces came together with the one before, though sent well after it; not all in one lump."""
    pairs = pairwise(heard.pieces)
    together = [later.came_s - sooner.came_s < (later.sent_s - sooner.sent_s) / 5 for sooner, later in pairs]
    lumps = sum(is_so and not was_so for was_so, is_so in pairwise([False, *together]))
    return lumps > 1 and sum(together) / len(together) >= LUMP_SHARE


def _lump_bytes(heard: Heard) -> int:
    """Return about how many bytes came in the largest lump."""
    times = [piece.came_s for piece in heard.pieces]
    return heard.body_bytes * max(map(times.count, times)) // len(times)


def _idle(streams: Sequence[Heard], proxies: Proxies) -> Finding:
    cut = [heard for heard in streams if heard.end != "complete" and _is_in_silence(heard)]
    silence_s = streams[0].plan.silence_s
    if not cut:
        beats = silence_s > HEARTBEAT_S
        how = (
            "with heartbeats on lines and sse, pings on websocket, without on text and ndjson"
            if beats
            else "which is too short for a heartbeat"
        )
        return fine("idle", f"a silence of {silence_s:g} s is not cut ({how})", *_names(streams))
    after_s = min(heard.end_s - heard.last_s for heard in cut)
    looks_whole = ", and looks complete" if any(heard.end == "closed" for heard in cut) else ""
    return wrong(
        "idle", f"a silent stream is cut after {after_s:.1f} s{looks_whole}", cure("idle", proxies), *_names(cut)
    )


def _is_in_silence(heard: Heard) -> bool:
    return len(heard.pieces) == heard.plan.pieces


def _loss(streams: Sequence[Heard], proxies: Proxies) -> Iterator[Finding]:
    """Yield what is the matter with streams that ended somewhere else than in the silence, or have pieces missing."""
    for heard in streams:
        numbers = [piece.number for piece in heard.pieces]
        if heard.coding or (heard.end != "complete" and _is_in_silence(heard)):
            continue
        if heard.end != "complete" or numbers != sorted(set(numbers)):
            how = {"cut": "was cut", "closed": "ended early", "silent": "fell silent", "complete": "has pieces twice"}
            message = f"the stream {how[heard.end]} after {len(numbers)} of {heard.plan.pieces + 1} pieces"
            yield wrong("loss", message, cure("loss", proxies), heard.wire)


def _headers(streams: Sequence[Heard], proxies: Proxies) -> Finding:
    changed = {
        name: f"{name} is {heard.headers.get(name, 'missing')}"
        for heard in streams
        for name, value in OWN.items()
        if not _has(heard.headers, name, value)
    }
    if not changed:
        return fine("headers", "the server's headers arrive as they were sent", *_names(streams))
    return wrong("headers", f"headers were changed: {'; '.join(changed.values())}", cure("headers", proxies))


def _has(headers: Mapping[str, str], name: str, value: str) -> bool:
    """Tell whether all of a header's words arrived; more may have been added."""
    words = {word.strip().lower() for word in headers.get(name, "").split(",")}
    return {word.strip() for word in value.split(",")} == words


def _names(streams: Iterator[Heard] | Sequence[Heard]) -> tuple[str, ...]:
    return tuple(heard.wire for heard in streams)
