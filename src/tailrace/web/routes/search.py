"""Search in an output: a page of hits after another, or all of them as a stream, which follows the run."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus

import msgspec

from tailrace.core.errors import InvalidInput, UnknownWire
from tailrace.core.piece import Spot
from tailrace.core.search import Found, Hit, Matcher, Searcher, read_from
from tailrace.core.wires import EventId, prefer
from tailrace.core.wires.hits import HitsNdjsonFramer, HitsSseFramer
from tailrace.engine.base import Cursor, Engine, Lines
from tailrace.host.wait import give_way
from tailrace.web.aside import found_aside
from tailrace.web.excerpt import BACK_BYTES
from tailrace.web.matching import matcher_of
from tailrace.web.responses import LIVE, Response
from tailrace.web.routes.call import JSON, Call, Refused, json_response
from tailrace.web.routes.lines import COUNTED_BYTES
from tailrace.web.routes.query import Asked, asked_of
from tailrace.web.sips import Sips
from tailrace.web.viewer import Place, Viewer
from tailrace.web.watching import RUN_HEADER, event_id_of

COUNT = 100
MOST = 1000
"""hits in a page"""
TEXT_CHARS = 1 << 20
"""in a page; the hit that goes beyond it is its last"""
PATIENCE_S = 1.0
"""that one page is searched for, at most"""
AT_ONCE = 32
"""pages that are searched for in a process, and streams that begin: half of the threads that answer"""
_places = threading.BoundedSemaphore(AT_ONCE)
STREAMS = {"sse": HitsSseFramer, "ndjson": HitsNdjsonFramer}
FORMS = {"json": JSON, **{name: kind.content_type for name, kind in STREAMS.items()}}
WHAT = ("q", "regex", "ignore_case")
PLACES = ("from", "start")


class HitPage(msgspec.Struct, frozen=True):
    """Some hits, and how far the search came."""

    hits: list[Hit]
    next: int | None
    """the offset from which the next page goes on; None: everything has been searched, and nothing more will come"""
    size: int
    """bytes so far"""
    complete: bool
    """whether the run is finished, and will have no more"""


def search_output(call: Call) -> Response:
    """Return lines in which a text or a regular expression is found: a page of them, or a stream that follows the run.

    Raises:
        InvalidInput: the query makes no sense, or has a regular expression, and RE2 is not installed.
        OffsetBeyondEnd: there is no such line or offset.
        UnknownWire: the client takes no form that there is.
        Refused: many search already.
    """
    with _place_for_one():
        return _searched(call)


@contextmanager
def _place_for_one() -> Iterator[None]:
    """Have one of few places: searches by many at once would take the threads of everybody else.

    Raises:
        Refused: none is free.
    """
    if not _places.acquire(blocking=False):
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, f"{AT_ONCE} searches are going already", "try again in a second")
    try:
        yield
    finally:
        _places.release()


def _searched(call: Call) -> Response:
    form = _form(call)
    names = (*WHAT, *PLACES, "format")
    asked = asked_of(call.query, "search", (*names, "count") if form == "json" else (*names, "follow"))
    asked.only_one(*PLACES)
    if not asked.text("q"):
        raise InvalidInput(
            "there is nothing to search for", op="search", subject="q", hint="say it in the query: ?q=TEXT"
        )
    matcher = matcher_of(
        asked.text("q"),
        regex=asked.flag("regex", default=False),
        ignore_case=asked.flag("ignore_case", default=False),
    )
    return _page(call, asked, matcher) if form == "json" else _stream(call, asked, matcher, form)


def _form(call: Call) -> str:
    query = call.request.query
    if "format" in query:
        form: str | None = query["format"] if query["format"] in FORMS else None
    else:
        form = prefer(call.request.headers.get("accept"), FORMS)
    if form is None:
        forms = ", ".join(f"{name} ({kind})" for name, kind in FORMS.items())
        raise UnknownWire("hits have no such form", op="search", subject="format", hint=f"choose one: {forms}")
    return form


def _place(engine: Engine, run_id: str, asked: Asked, matcher: Matcher) -> tuple[Sips, int, Searcher]:
    """Return where to read, up to which offset there is something now, and what searches it.

    Raises:
        InvalidInput, OffsetBeyondEnd: see `search_output`.
    """
    with closing(engine.cursor(run_id)) as cursor:
        lines = cursor.lines()
        offset = (
            lines.begin(asked.number("start", 1, least=1)) if asked.has("start") else asked.number("from", 0, least=0)
        )
        spot = _line_at(lines, offset)
        if not spot.line:
            cursor.count_behind()
        return Sips(cursor.at(read_from(spot, offset))), lines.size(), Searcher(matcher, spot, offset)


def _line_at(lines: Lines, offset: int) -> Spot:
    """Return the line that has this byte; with number 0, if many bytes would have to be counted for it first.

    Raises:
        InvalidInput, OffsetBeyondEnd: there is no such offset.
    """
    counted = lines.count(0)
    if counted.end + COUNTED_BYTES < offset <= counted.size:
        reach = lines.back(offset + 1, 1, BACK_BYTES)
        if reach.lines:
            return Spot(0, reach.offset)
    return lines.at(offset)


# A page


def _page(call: Call, asked: Asked, matcher: Matcher) -> Response:
    count = asked.number("count", COUNT, least=1, most=MOST)
    run, info = call.run, call.run.info()

    def find() -> HitPage:
        cursor, size, searcher = _place(run.engine, run.id, asked, matcher)
        with closing(cursor):
            page = _Hits(count)
            is_all = page.take(_found(cursor, searcher, size, is_finished=info.is_finished))
        if page.is_full:
            following: int | None = page.end
        else:
            following = None if is_all and info.is_finished else searcher.searched
        return HitPage(page.hits, following, size, info.is_finished)

    return json_response(found_aside(find))


class _Hits:
    """Hits, up to a number of them and of characters."""

    def __init__(self, count: int) -> None:
        self.hits: list[Hit] = []
        self.end = 0
        self._left = count
        self._chars = TEXT_CHARS

    @property
    def is_full(self) -> bool:
        return self._left <= 0 or self._chars <= 0

    def take(self, found: Iterator[Found | None]) -> bool:
        """Take what is found, until enough has been, or the time is over (None); tell whether that was all."""
        for each in found:
            if each is None:
                return False
            self.hits.append(each.hit)
            self.end = each.end
            self._left -= 1
            self._chars -= len(each.hit.text)
            if self.is_full:
                return False
        return True


def _found(cursor: Cursor, searcher: Searcher, size: int, *, is_finished: bool) -> Iterator[Found | None]:
    """Yield what is found in the first `size` bytes; None when that has taken too long."""
    begin, deadline = searcher.searched, time.monotonic() + PATIENCE_S
    while isinstance(seen := cursor.look(size), list):
        for chunk in seen:
            yield from searcher.add(chunk)
        give_way()
        if time.monotonic() >= deadline and searcher.searched > begin:
            yield None
    if is_finished:
        yield from searcher.release()


# A stream


def _stream(call: Call, asked: Asked, matcher: Matcher, form: str) -> Response:
    run, request = call.run, call.request
    headers = (("Content-Type", FORMS[form]), *LIVE, (RUN_HEADER, run.id))
    event_id = _event_id(call) if form == "sse" else None
    if event_id is not None and event_id.is_end:
        return Response(status=HTTPStatus.NO_CONTENT, headers=(*LIVE, (RUN_HEADER, run.id)))
    if event_id is not None:
        asked = Asked(asked.op, {"from": str(event_id.offset), "follow": asked.values.get("follow", "1")})
    follow = asked.flag("follow", default=True)
    info = run.info()
    cursor, size, searcher = found_aside(lambda: _place(run.engine, run.id, asked, matcher))
    if not request.wants_body:
        cursor.close()
        return Response(status=HTTPStatus.OK, headers=headers)
    place = Place(run, info, cursor, is_whole=False)  # what others see is another search
    stop_at = None if follow or info.is_finished else size
    body = Viewer(place, STREAMS[form](run.id, searcher), pace=request.pace, stop_at=stop_at)
    return Response(status=HTTPStatus.OK, headers=headers, body=body)


def _event_id(call: Call) -> EventId | None:
    event_id = event_id_of(call.request)
    if event_id is not None and event_id.run_id != call.run.id:
        raise InvalidInput(
            "the Last-Event-ID belongs to another run",
            op="search",
            subject="Last-Event-ID",
            hint="leave it out to search this run from its start",
        )
    return event_id
