"""All routes of the API and the pages.

A path's `{run}` is a run's id, its `{command}` a command's name, its `{file}` the name of a file that pages load.
Whoever may have a GET may have its HEAD. A new route is a row here; what it takes and gives stands in the row, as
`tailrace.web.routes.route` says, and so in the API's description; tests ask the server whether it is so.
"""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus

from tailrace.core.activity import BUCKETS, MOST_BUCKETS, Activity
from tailrace.core.outcome import KINDS
from tailrace.core.run import RunInfo
from tailrace.core.share import Ended, Links, Shared
from tailrace.core.states import State
from tailrace.core.wires.eventstream import MAX_OFFSET
from tailrace.core.wires.places import MOST_RUNS
from tailrace.engine.base import Page
from tailrace.engine.selection import PAGE_LIMIT, Q_CHARS
from tailrace.web.page.given import CommandShown, Who
from tailrace.web.probe import LONGEST_S, MOST_PIECES, SHORTEST_S
from tailrace.web.responses import Response
from tailrace.web.routes import (
    activity,
    commands,
    control,
    events,
    files,
    lines,
    openapi,
    pages,
    probe,
    runs,
    search,
    sharing,
    socket,
)  # fmt: skip
from tailrace.web.routes.allowed import show_me
from tailrace.web.routes.call import JSON, Call
from tailrace.web.routes.commands import FORM, CommandList
from tailrace.web.routes.control import NoFields, StopFields
from tailrace.web.routes.probe import PROBE_HEADER, Seen
from tailrace.web.routes.route import (
    ANY,
    BYTES_BODY,
    EVENT_ID,
    EVENTS,
    RUN_ID,
    RUN_PLACE,
    SWITCH,
    TEXT,
    WIRE,
    Answer,
    Bodies,
    Param,
    Route,
    Schema,
    Takes,
    gives,
    gives_stream,
    takes_json,
)  # fmt: skip
from tailrace.web.routes.sharing import ShareFields, UnshareFields
from tailrace.web.routes.shown import RunShown
from tailrace.web.view import ANSI, STREAMS
from tailrace.web.watching import RUN_HEADER

OK, CREATED, ACCEPTED = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED
NO_CONTENT, PARTIAL = HTTPStatus.NO_CONTENT, HTTPStatus.PARTIAL_CONTENT
BAD, NOT_ACCEPTABLE, CONFLICT = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.CONFLICT
EARLY, LARGE, TYPE = (
    HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)  # fmt: skip
NO_RANGE, MANY = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, HTTPStatus.TOO_MANY_REQUESTS
UNAVAILABLE, FULL = HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE

FORMAT = Param("format", WIRE, "the wire, instead of what `Accept` says")
STREAM = Param("stream", {"type": "string", "enum": list(STREAMS)}, "this stream alone")
PLAIN = Param("ansi", {"type": "string", "enum": list(ANSI)}, "`strip`: without escape sequences")
RESUME = Param("Last-Event-ID", EVENT_ID, "the id of the last event that arrived", "header")
VIEW = (
    FORMAT,
    STREAM,
    PLAIN,
    Param("from", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}, "begin at this offset"),
    Param("tail", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}, "begin with the last so many lines"),
    Param("follow", SWITCH, "`0`: give what there is now, and end"),
    RESUME,
    Param("Range", TEXT, "a part of the text", "header"),
)
TIME: Schema = {"type": "string", "format": "date-time"}
LIST = (
    Param(
        "state", {"type": "array", "items": {"type": "string", "enum": [*State, *KINDS]}, "maxItems": runs.STATES},
        "states, or kinds of outcomes: any of them",
    ),
    Param("command", TEXT, "a declared command's name"),
    Param("by", TEXT, "who asked for it"),
    Param("q", {"type": "string", "maxLength": Q_CHARS}, "what its id, command, arguments, labels or `by` contain"),
    Param("since", TIME, "created then or later"),
    Param("until", TIME, "created before then"),
    Param("label", {"type": "array", "items": {"type": "string", "pattern": "^[^=]+="}}, "NAME=VALUE, each once"),
    Param("limit", {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT}, "at most so many; 50 by default"),
    Param("cursor", RUN_ID, "the `next` of the page before"),
)  # fmt: skip
OFFSET: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}
LINES = (
    Param("start", {"type": "integer"}, "begin with this line; -1 is the last"),
    Param("last", {"type": "integer", "minimum": 1}, "begin so many lines before the end"),
    Param("at", OFFSET, "begin with the line that has this byte"),
    Param("before", OFFSET, "the lines before this offset; the last of them has the byte before it"),
    Param("time", {"type": "number", "minimum": 0}, "begin where the output was so many seconds after the start"),
    Param("count", {"type": "integer", "minimum": 0, "maximum": lines.MOST}, "so many lines at most"),
)
SPAN = (
    Param("buckets", {"type": "integer", "minimum": 1, "maximum": MOST_BUCKETS}, f"so many; {BUCKETS} by default"),
    Param("from", {"type": "number", "minimum": 0}, "begin so many seconds after the start"),
    Param("until", {"type": "number", "minimum": 0}, "end so many seconds after the start; else at the end, or now"),
)
SEARCH = (
    Param("q", TEXT, "what to find", is_required=True),
    Param("regex", SWITCH, "`1`: it is a regular expression (RE2)"),
    Param("ignore_case", SWITCH, "`1`: A is a"),
    Param("from", OFFSET, "begin at this offset"),
    Param("start", {"type": "integer", "minimum": 1}, "begin with this line"),
    Param("format", {"type": "string", "enum": list(search.FORMS)}, "the form, instead of what `Accept` says"),
    Param("count", {"type": "integer", "minimum": 1, "maximum": search.MOST}, "hits in a page, at most"),
    Param("follow", SWITCH, "`0`: a stream of hits ends where the output does now"),
    RESUME,
)
SOCKET_VIEW = tuple(param for param in VIEW if param.name not in ("format", "ansi", "Last-Event-ID", "Range"))
HITS: Bodies = {kind: EVENTS for name, kind in search.FORMS.items() if name != "json"}
MANY_RUNS = (
    Param(
        "run",
        {"type": "array", "items": RUN_PLACE, "maxItems": MOST_RUNS},
        "the runs, each once: from the start, from an offset (ID/OFFSET), or from the end of what there is (ID/end)",
    ),
    Param("list", SWITCH, "`1`: the list of runs, too"),
    Param("Last-Event-ID", TEXT, "the id of the last event that arrived", "header"),
)


def _seconds(least: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": LONGEST_S}


PLANNED = (
    Param("pieces", {"type": "integer", "minimum": 1, "maximum": MOST_PIECES}, "before the silence"),
    Param("every", _seconds(SHORTEST_S), "seconds between two pieces"),
    Param("silence", _seconds(0), "seconds before the last piece"),
    Param("heartbeat", _seconds(SHORTEST_S), "seconds of silence before a heartbeat"),
)
PROBE = (FORMAT, *PLANNED, RESUME)
PARAMETERS: Schema = {
    "type": "object",
    "properties": {"parameters": {"type": "object", "description": "as the command's schema has them"}},
    "additionalProperties": False,
}
FIELDS: Schema = {"type": "object", "description": "a field for each parameter"}
SEEN_ALL = Answer(NO_CONTENT, "the client has seen the end: an EventSource stops")
STARTS = Takes((FORMAT, STREAM, PLAIN, RESUME), {JSON: PARAMETERS, FORM: FIELDS})
A_RUN = gives(RunInfo, what="the run")
FIELDLESS = (BAD, LARGE, TYPE)


def is_page(path: str) -> bool:
    """Tell whether people look at what is at this path, and at its errors too."""
    return not path.startswith("/api/")


def describe_api(call: Call) -> Response:
    """Return this description of the API, OpenAPI 3.1."""
    return openapi.describe(call, _description())


@cache
def _description() -> Mapping[str, object]:
    return openapi.document(API_ROUTES)


ROUTES = (
    Route("GET", "/api/commands", "list", commands.list_commands, gives=(gives(CommandList),)),
    Route("GET", "/api/commands/{command}", "list", commands.show_command, gives=(gives(CommandShown),)),
    Route(
        "POST", "/api/commands/{command}/runs", "start", commands.start_run, STARTS,
        (
            gives(RunInfo, CREATED, "the run, which was started"),
            Answer(OK, "the run, which was going already; or its stream", {
                JSON: RunInfo, **gives_stream("", RUN_HEADER).bodies,
            }),
            SEEN_ALL,
        ),
        (BAD, NOT_ACCEPTABLE, CONFLICT, EARLY, LARGE, TYPE, NO_RANGE, MANY, UNAVAILABLE, FULL),
    ),
    Route("GET", "/api/runs", "list", runs.list_runs, Takes(LIST), (gives(Page),), (BAD,)),
    Route("GET", "/api/runs/{run}", "view", runs.show_run, gives=(gives(RunShown),)),
    Route("GET", "/api/runs/{run}/activity", "view", activity.show_activity, Takes(SPAN), (gives(Activity),), (BAD,)),
    Route(
        "GET", "/api/runs/{run}/output", "view", runs.show_output, Takes(VIEW),
        (
            gives_stream("the output, to its end", RUN_HEADER),
            SEEN_ALL,
            Answer(PARTIAL, "a part of the text", {"text/plain": TEXT}, {"Content-Range": "which part it is"}),
        ),
        (BAD, NOT_ACCEPTABLE, NO_RANGE, MANY),
    ),
    Route(
        "GET", "/api/runs/{run}/lines", "view", lines.show_lines, Takes(LINES), (gives(lines.LinePage, what="a page"),),
        (BAD, NO_RANGE),
    ),
    Route(
        "GET", "/api/runs/{run}/search", "view", search.search_output, Takes(SEARCH),
        (Answer(OK, "a page of hits; or a stream of them", {JSON: search.HitPage, **HITS}),),
        (BAD, NOT_ACCEPTABLE, NO_RANGE, MANY),
    ),
    Route(
        "GET", "/api/runs/{run}/socket", "view", socket.open_socket, Takes(SOCKET_VIEW),
        (Answer(HTTPStatus.SWITCHING_PROTOCOLS, "a WebSocket"),), (BAD, HTTPStatus.NOT_IMPLEMENTED, NO_RANGE, MANY),
        is_socket=True,
    ),
    Route(
        "GET", "/api/events", "view", events.show_events, Takes(MANY_RUNS),
        (Answer(OK, "what happens to the runs", {"text/event-stream": EVENTS}), SEEN_ALL),
        (BAD, HTTPStatus.NOT_FOUND, NO_RANGE, MANY),
    ),
    Route(
        "POST", "/api/runs/{run}/stop", "stop", control.stop, takes_json(StopFields),
        (gives(RunInfo, OK, "the run, which was over already"), gives(RunInfo, ACCEPTED, "the run")),
        (*FIELDLESS, CONFLICT, UNAVAILABLE),
    ),
    Route(
        "POST", "/api/runs/{run}/input", "input", control.send_input,
        Takes((Param("close", SWITCH, "`1`: end the input behind the body"),), BYTES_BODY),
        (Answer(NO_CONTENT, "it has been taken"), Answer(ACCEPTED, "it lies ready to be taken")),
        (*FIELDLESS, CONFLICT, UNAVAILABLE),
    ),
    Route("POST", "/api/runs/{run}/pin", "pin", control.pin, takes_json(NoFields), (A_RUN,), FIELDLESS),
    Route("POST", "/api/runs/{run}/unpin", "pin", control.unpin, takes_json(NoFields), (A_RUN,), FIELDLESS),
    Route(
        "POST", "/api/runs/{run}/share", "share", sharing.share, takes_json(ShareFields),
        (gives(Shared, CREATED, "the link"),), (*FIELDLESS, MANY),
    ),
    Route("GET", "/api/runs/{run}/shares", "share", sharing.list_shares, gives=(gives(Links),)),
    Route(
        "POST", "/api/runs/{run}/unshare", "share", sharing.unshare, takes_json(UnshareFields),
        (gives(Ended, OK, "how many have ended"),), FIELDLESS,
    ),
    Route(
        "GET", "/api/probe", "list", probe.probe, Takes(PROBE),
        (gives_stream("the pieces", PROBE_HEADER), SEEN_ALL), (BAD, NOT_ACCEPTABLE, MANY),
    ),
    Route(
        "GET", "/api/probe/socket", "list", probe.probe_socket, Takes(PLANNED),
        (Answer(HTTPStatus.SWITCHING_PROTOCOLS, "a WebSocket"),), (BAD, HTTPStatus.NOT_IMPLEMENTED, MANY),
        is_socket=True,
    ),
    Route("GET", "/api/probe/request", "list", probe.look_at_request, gives=(gives(Seen),), refuses=(BAD,)),
    Route(
        "POST", "/api/probe/request", "list", probe.look_at_request, Takes(bodies={"*/*": ANY}), (gives(Seen),),
        (BAD, LARGE),
    ),
    Route("GET", "/api/me", "view", show_me, gives=(gives(Who, what="who asks, and what he may"),)),
    Route(
        "GET", "/api/openapi.json", "list", describe_api,
        gives=(Answer(OK, "this document", {JSON: {"type": "object"}}),),
    ),
    Route("GET", "/", "list", pages.home),
    Route("GET", "/commands/{command}", "list", pages.show_command),
    Route("POST", "/commands/{command}", "start", pages.start_from_form),
    Route("GET", "/runs/{run}", "view", pages.show_run),
    Route("POST", "/runs/{run}/stop", "stop", pages.stop_from_form),
    Route("POST", "/runs/{run}/input", "input", pages.type_from_form),
    Route("GET", "/runs", "view", pages.show_runs),
    Route("GET", "/page/icon.svg", "view", files.show_icon, is_file=True),
    Route("GET", "/page/tailrace-output.js", "view", files.show_element, is_file=True),
    Route("GET", "/page/{file}", "view", files.show_file, is_file=True),
)  # fmt: skip
API_ROUTES = tuple(route for route in ROUTES if not is_page(route.path))
"""those for programs, which are described"""
SOCKETS = tuple(route.path for route in ROUTES if route.is_socket)
PATHS = tuple(dict.fromkeys(route.path for route in ROUTES))
NAMES = ("run", "command", "file")
"""what stands in a path for something else; a path has one of them, or none"""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""that an adapter is to pass on for each path, so that what does not fit is answered here"""


def find(method: str, path: str) -> Route | None:
    """Return the route of a method and a path of the table, or None if the path has no such method."""
    wanted = "GET" if method == "HEAD" else method
    return next((route for route in ROUTES if (route.method, route.path) == (wanted, path)), None)


def allowed(path: str) -> str:
    """Return the methods of a path, as the header `Allow` lists them."""
    methods = {route.method for route in ROUTES if route.path == path}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
