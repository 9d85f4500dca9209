"""Errors as problem documents (RFC 9457). The only place that knows which error is which status."""

from http import HTTPStatus

import msgspec

from tailrace.core import errors
from tailrace.core.errors import CallerError, TailraceError
from tailrace.web.responses import Response

CONTENT_TYPE = "application/problem+json"

STATUSES: tuple[tuple[type[TailraceError], HTTPStatus], ...] = (
    (errors.UnknownRun, HTTPStatus.NOT_FOUND),
    (errors.UnknownCommand, HTTPStatus.NOT_FOUND),
    (errors.OffsetBeyondEnd, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    (errors.UnknownWire, HTTPStatus.NOT_ACCEPTABLE),
    (errors.NotAllowed, HTTPStatus.FORBIDDEN),
    (errors.KeyBusy, HTTPStatus.CONFLICT),
    (errors.LimitReached, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.WrongState, HTTPStatus.CONFLICT),
    (CallerError, HTTPStatus.BAD_REQUEST),
    (errors.NoSpace, HTTPStatus.INSUFFICIENT_STORAGE),
    (errors.EngineUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.NotEnforceable, HTTPStatus.NOT_IMPLEMENTED),
    (errors.NotRecorded, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.ProviderUnusable, HTTPStatus.BAD_GATEWAY),
    (TailraceError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
"""the first row that fits decides"""


MOST_FAULTS = 100
"""that are told in one document"""


class OneOf(msgspec.Struct, frozen=True):
    """One of several things that are wrong with a request."""

    subject: str
    detail: str
    hint: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document. Its type is `about:blank`, so its title is the status's own phrase (RFC 9457, 4.2.1)."""

    title: str
    status: int
    detail: str
    hint: str
    errors: tuple[OneOf, ...] = ()
    """each by itself, where several may be wrong at once (RFC 9457, 3.2)"""
    limit: str = ""
    """which limit was reached, as the server's file calls it"""
    retry_after: int = 0
    """seconds after which it may be tried again"""


def status_of(error: TailraceError) -> HTTPStatus:
    """Return the status that tells of the error."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def response_to(error: TailraceError) -> Response:
    """Return the error as a response.

    Of an error that is not the caller's, only its kind is told: its text may name places on this machine. The adapter
    puts the text into its application's log.
    """
    status = status_of(error)
    if isinstance(error, errors.LimitReached):
        return _too_many(error)
    if isinstance(error, errors.NotRecorded):
        return UNRECORDED
    if isinstance(error, CallerError):
        faults = error.faults[:MOST_FAULTS] if isinstance(error, errors.InvalidValues) else ()
        return problem(status, error.message, error.hint, tuple(OneOf(*fault) for fault in faults))
    return problem(status, _told(status), "try again later; the server's log says more")


def problem(status: HTTPStatus, detail: str, hint: str, each: tuple[OneOf, ...] = ()) -> Response:
    """Return a problem document as a response."""
    return _response(Problem(status.phrase, status.value, detail, hint, each))


def _too_many(error: errors.LimitReached) -> Response:
    """Return which limit was reached, and when to try again (RFC 6585, 4)."""
    status = HTTPStatus.TOO_MANY_REQUESTS
    document = Problem(
        status.phrase,
        status.value,
        error.message,
        error.hint,
        limit=error.subject,
        retry_after=error.retry_s,
    )
    return _response(document, ("Retry-After", str(error.retry_s)))


def _response(document: Problem, *more: tuple[str, str]) -> Response:
    headers = (
        ("Content-Type", CONTENT_TYPE),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        *more,
    )
    return Response(status=document.status, headers=headers, body=msgspec.json.encode(document))


def _told(status: HTTPStatus) -> str:
    match status:
        case HTTPStatus.INSUFFICIENT_STORAGE:
            return "there is too little space to take a new run"
        case HTTPStatus.NOT_IMPLEMENTED:
            return "the run has a limit that this host cannot enforce"
        case HTTPStatus.BAD_GATEWAY:
            return "the provider that says who you are cannot be asked, or not be believed"
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return "runs cannot be started or reached at the moment"
        case _:
            return "the place where runs live has a problem"


STOPPING = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the server is stopping", "ask the next one")
"""for what is not answered when a server's grace is over, and for who asks whether it takes more"""
UNRECORDED = problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "this cannot be put on record, and nothing is done without",
    "try again later; whoever looks after the server sees why in its log",
)
"""for what would change something while the audit cannot be written"""
