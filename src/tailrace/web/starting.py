"""The rules for a route that starts a run.

An EventSource can only GET, so a GET may start a run here, and everything that makes a GET come twice, or come without
anybody having meant it, must not:

- a browser that reconnects carries a `Last-Event-ID`: it resumes that run, or gets an error; never a new run;
- HEAD answers with the headers;
- a prefetch or prerender is refused with 503, which is not stored and not counted as a visit, so that the browser asks
  again when somebody really goes there (a 204 would pass for the page's content);
- a condition or a range speaks of something that the client has, and a new run is nothing anybody has: 412;
- another site's page may not make its visitors' browsers start anything: 403 (Fetch Metadata, W3C), unless the
  application allows it;
- `from`, `tail` and `follow` ask for a place in a run that is there already: 400.

An event's id is a key to a run, so it opens only what its holder was given: the run remembers, as a hash, the path and
the user that it was started by, and both must be the same again. A run with a `key` is shared by whoever may name that
key, so there the same key will do.

Before the first id has arrived, only a `key` can prevent a second start.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

import msgspec

from tailrace.core.errors import InvalidInput, NotAllowed
from tailrace.engine.base import Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.web.problems import problem
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.view import PLACES, view_of
from tailrace.web.watching import event_id_of, live_headers, resume, show, wire_of

CONDITIONS = ("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range")
PURPOSES = ("sec-purpose", "purpose", "x-moz")
EARLY = ("prefetch", "prerender", "preview")
"""what stands in one of the `PURPOSES` when nobody has asked for the page yet"""


def start(  # noqa: PLR0913  what starts a run anywhere, and two rules that a route may leave as they are
    engine: Engine,
    request: Request,
    argv: Sequence[str],
    options: StartOptions,
    *,
    cross_site: bool = False,
    see: Callable[[str], None] = lambda _run_id: None,
) -> Response:
    """Start a run and return a response that shows it; to a client that reconnects, show the run that it has begun.

    Args:
        engine: where runs live.
        request: what is asked.
        argv: the command, as a list.
        options: more about the run. `origin` is set here, and `by`, unless it is there, to the request's user.
        cross_site: whether pages of other sites may start a run.
        see: called with the run's id before anything of it is shown, which it prevents by raising.

    Raises:
        InvalidInput, NotAllowed, UnknownRun, UnknownWire, OffsetBeyondEnd: and nothing was started.
        KeyBusy, NoSpace, EngineUnavailable: see `Engine.start`.
    """
    if (refusal := refuse(request, cross_site=cross_site)) is not None:
        return refusal
    wire = wire_of(request)
    view = view_of(request.query)
    event_id = event_id_of(request)
    if not request.wants_body:
        return Response(status=HTTPStatus.OK, headers=live_headers(wire))
    if event_id is not None:
        _check_origin(engine, event_id.run_id, request, options.get("key"))
        see(event_id.run_id)
        return resume(engine, request, event_id, wire=wire, view=view)
    check_no_place(request)
    run = begin(engine, request, argv, options)
    see(run.id)
    return show(engine, request, run.id, wire=wire, view=view)


def begin(engine: Engine, request: Request, argv: Sequence[str], options: StartOptions) -> Run:
    """Start a run in the name of the request, which `refuse` has let pass.

    Raises:
        InvalidInput, KeyBusy, NoSpace, EngineUnavailable: see `Engine.start`.
    """
    complete: StartOptions = {"by": request.user or None, **options, "origin": origin_of(request)}
    return engine.start(argv, **complete)


def origin_of(request: Request) -> str:
    """Return what stands in the run for the path and the user."""
    return hashlib.sha256(msgspec.json.encode([request.path, request.user])).hexdigest()[:32]


def refuse(request: Request, *, cross_site: bool) -> Response | None:
    """Return the answer to a request that nobody sent in order to start something; None: it may."""
    headers = request.headers
    if any(word in headers.get(name, "").lower() for name in PURPOSES for word in EARLY):
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "this address starts a command, and is not fetched ahead",
            "ask again without prefetching",
        )
    if found := [name for name in CONDITIONS if name in headers]:
        return problem(
            HTTPStatus.PRECONDITION_FAILED,
            f"this address starts a command, and {found[0]} speaks of a response that was there before",
            f"leave {found[0]} out to start it; to go on in an event stream, send the Last-Event-ID",
        )
    if is_cross_site(headers) and not cross_site:
        return problem(
            HTTPStatus.FORBIDDEN,
            "this address starts a command, and a page of another site asked for it",
            "open it from a page of the same site",
        )
    return None


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Tell whether a page of another site asks, as far as the browser says.

    Fetch Metadata comes only where the address is trustworthy (https, loopback); `Origin` comes with every POST.
    """
    origin = headers.get("origin")
    is_foreign = origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()
    return headers.get("sec-fetch-site") == "cross-site" or is_foreign


def is_cross_origin(headers: Mapping[str, str]) -> bool:
    """Tell whether a page of another origin asks, be it of the same site, as another port of this host is."""
    return headers.get("sec-fetch-site") == "same-site" or is_cross_site(headers)


def _check_origin(engine: Engine, run_id: str, request: Request, key: str | None) -> None:
    """See that the run was started by this route and user, or is shared by this key."""
    spec = engine.spec(run_id)
    if spec.origin != origin_of(request) and (key is None or spec.key != key):
        raise NotAllowed(
            "the Last-Event-ID belongs to a run that was not started here, or not by you",
            op="follow",
            subject="Last-Event-ID",
            hint="leave it out to start anew",
        )


def check_no_place(request: Request) -> None:
    """See that the query asks for no place in a run that is there already.

    Raises:
        InvalidInput: it does.
    """
    if found := [name for name in PLACES if name in request.query]:
        raise InvalidInput(
            f"{found[0]} asks for a place in a run, and this address starts a new one",
            op="follow",
            subject=found[0],
            hint=f"leave {found[0]} out; to go on in an event stream, send the Last-Event-ID",
        )
