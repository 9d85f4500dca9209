"""Many runs, and the list of runs, in one connection."""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from http import HTTPStatus
from typing import NamedTuple

from tailrace.core.errors import InvalidInput, StreamBroken
from tailrace.core.run import RunInfo
from tailrace.core.wires import places
from tailrace.core.wires.eventstream import MAX_OFFSET
from tailrace.core.wires.held import whole_characters
from tailrace.core.wires.places import MOST_RUNS, Place
from tailrace.core.wires.sse import SseFramer
from tailrace.engine.base import Engine
from tailrace.web.multi import SILENT, MultiViewer
from tailrace.web.responses import LIVE, Response
from tailrace.web.routes.call import Call, Instead
from tailrace.web.routes.permission import check, viewable
from tailrace.web.view import View
from tailrace.web.viewer import Viewer
from tailrace.web.watching import live_headers, viewer_of
from tailrace.web.watchlist import ListViewer

END = "end"
"""of a run: where its output ends when it is asked for"""
_OFFSET = re.compile(r"0|[1-9][0-9]{0,18}")
_CHARACTER_BYTES = 4


class Wanted(NamedTuple):
    """What a query asks for."""

    begins: dict[str, int | None]
    """where to begin in each run, by its id, in the order of the query; None: at the end of what there is"""
    has_list: bool

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs."""
        return tuple(self.begins)


def show_events(call: Call) -> Response:
    """Follow up to 32 runs, and with `list=1` the list of runs, in one event stream.

    Raises:
        InvalidInput: the query makes no sense, or the `Last-Event-ID` belongs to another one.
        UnknownRun: one of the runs is not there, or not for this caller.
        OffsetBeyondEnd: one of them has not so much output.
        Refused: he may not list runs.
    """
    wanted = wanted_of(call.query)
    if wanted.has_list:
        check(call, "list", None)
    infos = [viewable(call, run_id) for run_id in wanted.run_ids]
    came_back = call.request.headers.get("last-event-id")
    at = _begin(call, wanted, infos) if came_back is None else places.parse(came_back, wanted.run_ids)
    if infos and not wanted.has_list and all(place.is_end for place in at):
        return Response(status=HTTPStatus.NO_CONTENT, headers=LIVE)
    headers = live_headers("sse")
    if not call.request.wants_body:
        return Response(status=HTTPStatus.OK, headers=headers)
    runs = ListViewer(call.engine(), _may_view(call)) if wanted.has_list else None
    by_run = dict(zip(wanted.run_ids, at, strict=True))
    body = MultiViewer(by_run, _viewers(call, infos, at), runs, call.request.pace)
    return Response(status=HTTPStatus.OK, headers=headers, body=body)


def wanted_of(query: Sequence[tuple[str, str]]) -> Wanted:
    """Return what a query asks for.

    Raises:
        InvalidInput: it has a name that means nothing here, asks for nothing, or for too much.
    """
    runs = [value.partition("/") for name, value in query if name == "run"]
    lists = [value for name, value in query if name == "list"]
    if unknown := [name for name, _value in query if name not in ("run", "list")]:
        raise _bad(unknown[0][:40], "means nothing here", "what does: run, as often as wanted, and list=1")
    if lists not in ([], ["0"], ["1"]):
        raise _bad("list", f"cannot be {lists[-1][:40]!r}", "list=1, once")
    if len(runs) > MOST_RUNS:
        raise _bad("run", f"stands there {len(runs)} times", f"up to {MOST_RUNS} in one connection")
    begins = {run_id: _offset(place) if slash else 0 for run_id, slash, place in runs}
    if len(begins) < len(runs):
        raise _bad("run", "names one run twice", "name each once")
    if not runs and lists != ["1"]:
        raise _bad("run", "is missing", "run=ID, as often as wanted, or list=1")
    return Wanted(begins, lists == ["1"])


def _offset(place: str) -> int | None:
    """Return the offset that is said behind a run's id; None: its end.

    Raises:
        InvalidInput: it is none.
    """
    if place == END:
        return None
    if _OFFSET.fullmatch(place) is None or int(place) > MAX_OFFSET:
        raise _bad("run", f"has no such place: {place[:40]!r}", "run=ID/OFFSET, in bytes from the start, or run=ID/end")
    return int(place)


def _begin(call: Call, wanted: Wanted, infos: Sequence[RunInfo]) -> list[Place]:
    """Return where a client begins that has not been here before."""
    return [
        Place(_end_of(call.engine(), info) if begin is None else begin)
        for begin, info in zip(wanted.begins.values(), infos, strict=True)
    ]


def _end_of(engine: Engine, info: RunInfo) -> int:
    """Return where the output ends now, but not within a character that has only begun to come."""
    begin = max(0, info.size - _CHARACTER_BYTES)
    data = b""
    with closing(engine.cursor(info.id, begin, labelled=False)) as cursor, suppress(StreamBroken):  # its viewer tells
        if isinstance(seen := cursor.look(info.size), list):
            data = b"".join([chunk.data for chunk in seen])
    return info.size - len(data) + whole_characters(data, len(data))


def _viewers(call: Call, infos: Sequence[RunInfo], at: Sequence[Place]) -> dict[int, Viewer]:
    """Return a viewer for each run whose end has not been seen.

    Raises:
        UnknownRun, OffsetBeyondEnd: see there.
    """
    viewers = {}
    with ExitStack() as opened:
        for number, (info, place) in enumerate(zip(infos, at, strict=True)):
            if not place.is_end:
                viewers[number] = viewer_of(call.engine(), info, SseFramer, View(offset=place.offset), SILENT)
                opened.callback(viewers[number].close)
        opened.pop_all()
    return viewers


def _may_view(call: Call) -> Callable[[RunInfo], bool]:
    """Return what tells, while the stream goes on, whether the caller may see a run in the list."""
    may = call.lasting(call.may)

    def may_view(info: RunInfo) -> bool:
        try:
            return may("view", info)
        except Instead:
            return False

    return may_view


def _bad(name: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{name!r} in the query {what}", op="follow", subject=name, hint=hint)
