"""A link by which one run may be watched, by whoever has it, for a time."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec

from tailrace.core.share import Shared
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, Refused, fields, json_response

USUAL_S: Final = 7 * 24 * 3600.0
PARAMETER: Final = "share"
"""of a run's page, in the query"""


class ShareFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be said about a link."""

    expires: float = USUAL_S
    """how many seconds it is to be good"""


SHARE: Final = msgspec.json.Decoder(ShareFields)


def share(call: Call) -> Response:
    """Make a link by which whoever has it may watch the run, until it expires, and do nothing else.

    Raises:
        Refused: links cannot be made here.
        InvalidInput: it is to be good for too long.
    """
    asked = fields(call, SHARE)
    if call.share is None:
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "no links to a run are made here",
            "`tailrace serve` makes them; an application decides by itself who may watch",
        )
    run_id = call.shown.id
    token, until = call.share(run_id, asked.expires)
    return json_response(
        Shared(_url(call, run_id, token), token, datetime.fromtimestamp(until, UTC)), HTTPStatus.CREATED
    )


def _url(call: Call, run_id: str, token: str) -> str:
    request = call.request
    prefix = request.path.removesuffix(f"/api/runs/{run_id}/share")
    host = request.headers.get("host", "")
    origin = f"{request.scheme}://{host}" if host and request.scheme else ""
    return f"{origin}{quote(prefix)}/runs/{run_id}?{PARAMETER}={quote(token)}"
