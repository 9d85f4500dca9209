"""Watching a run: nothing here starts anything."""

import dataclasses
from http import HTTPStatus

from tailrace.core import wires
from tailrace.core.errors import InvalidInput
from tailrace.core.run import RunInfo
from tailrace.core.wires import EventId, Framer
from tailrace.engine.base import Engine
from tailrace.engine.run import Run
from tailrace.web.pace import Pace
from tailrace.web.ranges import part_headers, part_of, tag_of
from tailrace.web.requests import Request
from tailrace.web.responses import LIVE, Response
from tailrace.web.view import View, view_of
from tailrace.web.viewer import Place, Viewer, is_whole

RUN_HEADER = "Tailrace-Run"
"""tells which run a response shows"""


def watch(engine: Engine, request: Request, run_id: str) -> Response:
    """Return a response that shows the run from where the viewer wants, and follows it to its end.

    A `Last-Event-ID` says where, before the query does: a browser that reconnects repeats the query as it was.

    Args:
        engine: where the run lives.
        request: what is asked.
        run_id: the run. Whether this viewer may see it is decided outside.

    Raises:
        UnknownRun, UnknownWire, OffsetBeyondEnd: see there.
        InvalidInput: the query or the `Last-Event-ID` makes no sense, or the latter belongs to another run.
    """
    wire = wire_of(request)
    view = view_of(request.query)
    event_id = event_id_of(request)
    if event_id is None and wire == "text" and view == View():
        return show_text(engine, request, run_id)
    if event_id is None:
        return show(engine, request, run_id, wire=wire, view=view)
    if event_id.run_id != run_id:
        raise InvalidInput(
            "the Last-Event-ID belongs to another run",
            op="follow",
            subject="Last-Event-ID",
            hint=f"leave it out to see run {run_id} from its start",
        )
    return resume(engine, request, event_id, wire=wire, view=view)


def resume(engine: Engine, request: Request, event_id: EventId, *, wire: str, view: View) -> Response:
    """Return what comes after the event; if that was the end, 204, at which an EventSource stops (WHATWG HTML, 9.2.3).

    Raises:
        UnknownRun, OffsetBeyondEnd: see there.
    """
    if event_id.is_end:
        engine.get(event_id.run_id)
        return Response(status=HTTPStatus.NO_CONTENT, headers=(*LIVE, (RUN_HEADER, event_id.run_id)))
    place = View(offset=event_id.offset, stream=view.stream, follow=view.follow, is_plain=view.is_plain)
    return show(engine, request, event_id.run_id, wire=wire, view=place)


def show(engine: Engine, request: Request, run_id: str, *, wire: str, view: View) -> Response:
    """Return the view of the run on the wire.

    Raises:
        UnknownRun, OffsetBeyondEnd: see there.
        InvalidInput: the wire cannot leave out escape sequences.
    """
    info = engine.get(run_id)
    viewer = viewer_of(engine, info, wires.kind(wire, is_plain=view.is_plain), view, request.pace)
    offset = viewer.framer.resume_offset
    headers = (*live_headers(wire), (RUN_HEADER, run_id), *_length(wire, info, view, offset))
    if not request.wants_body:
        viewer.close()
        return Response(status=HTTPStatus.OK, headers=headers)
    return Response(status=HTTPStatus.OK, headers=headers, body=viewer)


def viewer_of(engine: Engine, info: RunInfo, framer: type[Framer], view: View, pace: Pace) -> Viewer:
    """Return a viewer of the run, as it was just now.

    Raises:
        UnknownRun, OffsetBeyondEnd: see there.
    """
    cursor = engine.cursor(info.id, view.offset, tail=view.tail, stream=view.stream, labelled=framer.shows_labels)
    stop_at = None if view.follow or info.is_finished else info.size
    place = Place(Run(engine, info.id), info, cursor, is_whole=_shows_all(view))
    return Viewer(place, framer(info.id, cursor.offset), pace=pace, stop_at=stop_at)


def show_text(engine: Engine, request: Request, run_id: str) -> Response:
    """Return the text of the run from its start, or the part of it that a range asks for.

    Raises:
        UnknownRun: see there.
    """
    info = engine.get(run_id)
    part = part_of(request, info)
    ranged = (("ETag", tag_of(run_id)), ("Accept-Ranges", "bytes"))
    if part is None:
        whole = show(engine, request, run_id, wire="text", view=View())
        return dataclasses.replace(whole, headers=(*whole.headers, *ranged))
    if isinstance(part, Response):
        return part
    place = Place(Run(engine, run_id), info, engine.cursor(run_id, part.begin, labelled=False))
    framer = wires.framer("text", run_id, part.begin)
    body = Viewer(place, framer, pace=request.pace, stop_at=part.end)
    headers = (*live_headers("text"), (RUN_HEADER, run_id), *ranged, *part_headers(part, info))
    return Response(status=HTTPStatus.PARTIAL_CONTENT, headers=headers, body=body)


def wire_of(request: Request) -> str:
    """Return the name of the wire: the route's own, or what the client takes.

    Raises:
        UnknownWire: there is none.
    """
    return wires.choose(request.headers.get("accept"), request.wire or request.query.get("format"))


def event_id_of(request: Request) -> EventId | None:
    """Return where a client that reconnects stands; None if it does not say that it does.

    Raises:
        InvalidInput: what it says was never an event's id here.
    """
    text = request.headers.get("last-event-id")
    return None if text is None else wires.parse_event_id(text)


def live_headers(wire: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of any response on the wire."""
    return (("Content-Type", wires.WIRES[wire].content_type), *LIVE)


def _length(wire: str, info: RunInfo, view: View, offset: int) -> tuple[tuple[str, str], ...]:
    """Return the length of a text that is complete already: what is cut short then shows, also without chunks."""
    is_known = wire == "text" and info.is_finished and is_whole(info) and _shows_all(view)
    return (("Content-Length", str(info.size - offset)),) if is_known else ()


def _shows_all(view: View) -> bool:
    """Tell whether every byte is shown: then it is what all others see, too, who want that."""
    return view.stream is None and not view.is_plain
