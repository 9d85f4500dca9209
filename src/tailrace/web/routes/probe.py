"""Learning what stands between: a stream of timed pieces, and what has come of a request on its way here.

Nothing is run, and nothing is told but what the caller sent, how it arrived, and what this server can do.
"""

import hashlib
import re
from http import HTTPStatus

import msgspec

from tailrace.core import wires
from tailrace.core.wires import asks
from tailrace.core.wires.asks import Envelope
from tailrace.core.wires.eventstream import EventId
from tailrace.core.wires.websocket import WebsocketFramer
from tailrace.host.messages import INPUT_BYTES
from tailrace.web.probe import AT_ONCE, LONGEST_S, MOST_PIECES, SHORTEST_S, Plan, Probe, enter, make_id
from tailrace.web.problems import problem
from tailrace.web.responses import LIVE, Response
from tailrace.web.routes.call import Call, Refused, body, json_response
from tailrace.web.routes.query import Asked, asked_of
from tailrace.web.routes.socket import opened, subprotocol_of
from tailrace.web.session import Conversation, error, reply
from tailrace.web.watching import event_id_of, live_headers, wire_of

PROBE_HEADER = "Tailrace-Probe"
"""the stream's id: two streams with the same one are one, and a copy"""
RETRY_S = 10
PLANNED = ("pieces", "every", "silence", "heartbeat")
FORWARDED = (
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-prefix", "x-forwarded-proto",
)  # fmt: skip
"""headers of which it is told that they came, not what they say"""
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")


class Echo(Conversation):
    """That of a probe: input is answered, and forgotten.

    Args:
        viewer: the pieces.
    """

    def __init__(self, viewer: Probe) -> None:
        self.viewer: Probe = viewer

    @property
    def is_complete(self) -> bool:
        """See `Conversation.is_complete`."""
        return self.viewer.is_complete

    def send(self, envelope: Envelope, data: bytes) -> str:
        """Return the answer that it came."""
        del data
        return reply(envelope)

    def do(self, envelope: Envelope, ask: asks.Any) -> str:
        """Return the answer that there is nothing to do it to."""
        del ask
        refusal = problem(HTTPStatus.CONFLICT, "nothing runs here", "a probe answers input, and nothing else")
        return error(envelope, refusal)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A request, as it arrived."""

    method: str
    http_version: str
    """of the last connection on its way: `1.1`"""
    scheme: str
    """after what proxies that are trusted said"""
    host: str
    prefix: str
    """the path under which the server thinks that it is shown"""
    client: str
    """the address that asked, after what proxies that are trusted said"""
    forwarded: tuple[str, ...]
    """headers of proxies that came, by their names; whether they were believed shows in the other fields"""
    accept_encoding: str | None
    range: str | None
    last_event_id: str | None
    body_bytes: int
    body_sha256: str
    websockets: bool
    """whether the server that answers can open WebSockets"""


def probe(call: Call) -> Response:
    """Return a stream of numbered and time-stamped pieces, to see whether they arrive as they were sent.

    Raises:
        InvalidInput: the query makes no sense, or asks for too much.
        UnknownWire: the client takes no wire that there is.
    """
    wire = wire_of(call.request)
    plan = _plan(asked_of(call.query, "probe", ("format", *PLANNED)))
    event_id = event_id_of(call.request)
    probe_id = make_id()
    headers = (*live_headers(wire), (PROBE_HEADER, probe_id))
    if event_id is not None and event_id.is_end:
        return _no_more(event_id)
    if not call.request.wants_body:
        return Response(status=HTTPStatus.OK, headers=headers)
    _enter()
    return Response(status=HTTPStatus.OK, headers=headers, body=Probe(wires.framer(wire, probe_id, 0), probe_id, plan))


def probe_socket(call: Call) -> Response:
    """Open a WebSocket for the same pieces, and answer each message of the client, to see whether both ways are open.

    Raises:
        Refused: this is no handshake, or its server cannot open one.
        InvalidInput: the client offers other subprotocols only, or the query makes no sense, or asks for too much.
    """
    chosen = subprotocol_of(call)
    plan = _plan(asked_of(call.query, "probe", PLANNED))
    probe_id = make_id()
    _enter()
    return opened(chosen, Echo(Probe(WebsocketFramer(probe_id, 0), probe_id, plan)))


def look_at_request(call: Call) -> Response:
    """Return what has arrived of this very request: its host, scheme, client, prefix, version of HTTP, some headers.

    Raises:
        Refused: its body is too long.
    """
    asked_of(call.query, "probe", ())
    request, headers = call.request, call.request.headers
    data = body(call, INPUT_BYTES, "send less") if request.method == "POST" else b""
    seen = Seen(
        method=request.method,
        http_version=request.http_version,
        scheme=request.scheme,
        host=headers.get("host", ""),
        prefix=request.path.removesuffix("/api/probe/request"),
        client=request.client,
        forwarded=tuple(name for name in FORWARDED if name in headers),
        accept_encoding=headers.get("accept-encoding"),
        range=headers.get("range"),
        last_event_id=headers.get("last-event-id"),
        body_bytes=len(data),
        body_sha256=hashlib.sha256(data).hexdigest(),
        websockets=call.has_sockets,
    )
    return json_response(seen)


def _enter() -> None:
    """Take a place for a probe.

    Raises:
        Refused: none is free.
    """
    if not enter():
        raise Refused(
            HTTPStatus.TOO_MANY_REQUESTS, f"{AT_ONCE} probes are going already", f"try again in {RETRY_S} seconds"
        )


def _no_more(event_id: EventId) -> Response:
    """Return what stops an EventSource that has seen the end."""
    return Response(status=HTTPStatus.NO_CONTENT, headers=(*LIVE, (PROBE_HEADER, event_id.run_id)))


def _plan(asked: Asked) -> Plan:
    usual = Plan()
    plan = Plan(
        asked.number("pieces", usual.pieces, least=1, most=MOST_PIECES),
        _seconds(asked, "every", usual.every_s, SHORTEST_S),
        _seconds(asked, "silence", usual.silence_s, 0.0),
        _seconds(asked, "heartbeat", usual.heartbeat_s, SHORTEST_S),
    )
    if plan.total_s > LONGEST_S:
        raise asked.bad("silence", f"makes it take {plan.total_s:g} seconds", f"up to {LONGEST_S:g} in all")
    return plan


def _seconds(asked: Asked, name: str, default: float, least: float) -> float:
    if not asked.has(name):
        return default
    text = asked.text(name)
    if _SECONDS.fullmatch(text) is None or not least <= float(text) <= LONGEST_S:
        raise asked.bad(name, f"cannot be {text[:40]!r}", f"seconds from {least:g} to {LONGEST_S:g}")
    return float(text)
