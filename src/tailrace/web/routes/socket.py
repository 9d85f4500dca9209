"""Opening a websocket. The door has seen to it that no page of another site asks."""

from http import HTTPStatus
from typing import TypeAlias

from tailrace.core.errors import InvalidInput
from tailrace.core.wires.websocket import SUBPROTOCOL, WebsocketFramer
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, Refused
from tailrace.web.session import Conversation, Session
from tailrace.web.view import view_of
from tailrace.web.watching import viewer_of

Headers: TypeAlias = tuple[tuple[str, str], ...]


def open_socket(call: Call) -> Response:
    """Open a WebSocket: the output as it is, and input, resizing and stopping the other way.

    Raises:
        Refused: this is no handshake, or its server cannot open one.
        InvalidInput: the client offers other subprotocols only, or the query makes no sense.
        OffsetBeyondEnd: see there.
    """
    chosen = subprotocol_of(call)
    view = view_of(call.request.query)
    if view.is_plain:
        raise InvalidInput(
            "a WebSocket shows the output as it is",
            op="follow",
            subject="ansi",
            hint="leave ansi out, or follow ./output?ansi=strip",
        )
    viewer = viewer_of(call.engine(), call.shown, WebsocketFramer, view, call.request.pace)
    return opened(chosen, Session(call, viewer))


def subprotocol_of(call: Call) -> Headers:
    """Return the header that names the subprotocol, for who offers any.

    Raises:
        Refused: this is no handshake, or its server cannot open one.
        InvalidInput: the client offers other subprotocols only.
    """
    protocols = call.protocols
    if protocols is None:
        raise Refused(
            HTTPStatus.NOT_IMPLEMENTED,
            "no WebSocket can be opened by this request",
            "open one with `new WebSocket(…)` at an ASGI server, through proxies that pass Upgrade and Connection on;"
            " where there is none, follow ./output and post ./input",
        )
    if protocols and SUBPROTOCOL not in protocols:
        raise InvalidInput(
            f"none of the subprotocols that you offer is spoken here: {', '.join(protocols)[:80]}",
            op="follow",
            subject="Sec-WebSocket-Protocol",
            hint=f"offer {SUBPROTOCOL}, or none",
        )
    return (("Sec-WebSocket-Protocol", SUBPROTOCOL),) if protocols else ()


def opened(chosen: Headers, session: Conversation) -> Response:
    """Return what has the adapter open it."""
    return Response(status=HTTPStatus.SWITCHING_PROTOCOLS, headers=chosen, session=session)
