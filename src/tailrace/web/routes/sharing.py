"""Links by which one run may be watched, by whoever has them, for a time: making, listing and ending them."""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec

from tailrace.core.share import USUAL_S, Ended, Links, Shared
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, Refused, Sharing, fields, json_response

PARAMETER: Final = "share"
"""of a run's page, in the query"""


class ShareFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be said about a link."""

    expires: float = USUAL_S
    """how many seconds it is to be good"""


class UnshareFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which link is to end."""

    id: str | None = None
    """of the link; without it, all to this run"""


SHARE: Final = msgspec.json.Decoder(ShareFields)
UNSHARE: Final = msgspec.json.Decoder(UnshareFields)


def share(call: Call) -> Response:
    """Make a link by which whoever has it may watch the run, until it expires or is ended, and do nothing else.

    Raises:
        Refused: links cannot be made here.
        InvalidInput: it is to be good for too long.
        LimitReached: there are too many.
    """
    asked = fields(call, SHARE)
    run_id = call.shown.id
    token, link = _sharing(call).make(run_id, asked.expires, None if call.who is None else call.who.name)
    return json_response(Shared(_url(call, run_id, token), token, link.expires, link.id), HTTPStatus.CREATED)


def list_shares(call: Call) -> Response:
    """Return the links to the run that are good; not what opens it by them, which is told once.

    Raises:
        Refused: links cannot be made here.
    """
    return json_response(Links(tuple(_sharing(call).of(call.shown.id))))


def unshare(call: Call) -> Response:
    """End a link to the run, or all of them: whoever watches by one is put out, within seconds.

    Raises:
        Refused: links cannot be made here, or there is none of this id.
        InvalidInput: the body cannot be used.
    """
    asked = fields(call, UNSHARE)
    count = _sharing(call).end(call.shown.id, asked.id)
    if asked.id is not None and not count:
        raise Refused(
            HTTPStatus.NOT_FOUND,
            "there is no such link to this run, or no more",
            "GET …/shares lists those that there are",
        )
    return json_response(Ended(count))


def _sharing(call: Call) -> Sharing:
    if call.sharing is None:
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "no links to a run are made here",
            "`tailrace serve` makes them; an application decides by itself who may watch",
        )
    return call.sharing


def _url(call: Call, run_id: str, token: str) -> str:
    request = call.request
    prefix = request.path.removesuffix(f"/api/runs/{run_id}/share")
    host = request.headers.get("host", "")
    origin = f"{request.scheme}://{host}" if host and request.scheme else ""
    return f"{origin}{quote(prefix)}/runs/{run_id}?{PARAMETER}={quote(token)}"
